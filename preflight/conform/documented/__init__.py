"""Constraints that AWS documents in prose and that neither its schemas nor its service models contain.

Each constraint names its source. An adjustable quota is checked at its default, so that a stack that needs more is
detected before its first deployment.
"""

from __future__ import annotations

from preflight.conform.documented import edge, identity, network, observation, services, signals, tags
from preflight.conform.documented.model import BrokenConstraint, Constraint
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import Recording

CONSTRAINTS: tuple[Constraint, ...] = (
    *network.CONSTRAINTS,
    *edge.CONSTRAINTS,
    *identity.CONSTRAINTS,
    *observation.CONSTRAINTS,
    *services.CONSTRAINTS,
    *signals.CONSTRAINTS,
    *tags.CONSTRAINTS,
)
"""Every constraint; each name occurs once."""


def findings(recording: Recording) -> list[Finding]:
    """The constraints that the stack breaks, in the order of the table."""
    return [_finding(recording, constraint, one) for constraint in CONSTRAINTS for one in constraint.broken(recording)]


def _finding(recording: Recording, constraint: Constraint, broken: BrokenConstraint) -> Finding:
    module, _, class_ = broken.resource.type.removeprefix("aws:").partition("/")
    kind = f"{module}.{class_.rpartition(':')[2]}" if class_ else broken.resource.type
    place = f"{broken.resource.name}.{broken.path}" if broken.path else broken.resource.name
    return Finding(
        environment=recording.stack,
        rule="conform-documented",
        verdict=Verdict.VIOLATED,
        headline=f"{place} of {kind} breaks {constraint.name}",
        urn=broken.resource.urn,
        found=broken.found,
        wanted=f"{constraint.wanted} ({constraint.source})",
        fix=constraint.fix,
        pack="conform",
        source_file=broken.resource.source_file,
        source_line=broken.resource.source_line,
    )
