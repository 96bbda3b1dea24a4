"""A finding of ``conform`` about a resource of the graph, with the line of the program that creates it."""

from __future__ import annotations

from policies.guardrails.topology.graph.resources import Resource
from preflight.findings import Finding, Verdict


def violated(stack: str, rule: str, resource: Resource, headline: str, *, found: str, wanted: str, fix: str) -> Finding:
    """The finding. ``headline`` begins with the property, without the resource."""
    source, _, line = resource.source.rpartition(":")
    return Finding(
        environment=stack,
        rule=rule,
        verdict=Verdict.VIOLATED,
        headline=f"{resource.label}.{headline}",
        urn=resource.urn,
        found=found,
        wanted=wanted,
        fix=fix,
        pack="conform",
        source_file=source,
        source_line=int(line) if line.isdigit() else 0,
    )
