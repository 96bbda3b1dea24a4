"""A policy: a pure function from resources to findings, with its description and metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .topology.graph.resources import Graph, Resource
from .topology.graph.verdicts import Finding

Settings = Mapping[str, Any]
"""The configuration of one policy: every property of its schema, with the team's value or the default."""

StackCheck = Callable[[Graph, Settings], Iterable[Finding]]
ResourceCheck = Callable[[Resource, Settings], Iterable[Finding]]

FRAMEWORK = "AWS Foundational Security Best Practices"


class Severity(StrEnum):
    """The severity of a violation, in Pulumi's terms."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Level(StrEnum):
    """The enforcement level of a report, in Pulumi's terms."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    DISABLED = "disabled"


NOT_PROVEN = {
    "type": "string",
    "enum": ["block", "advise"],
    "default": "block",
    "description": (
        "The action to take when an unknown value prevents a claim from being proven: block stops the update, advise "
        "only reports the finding."
    ),
}
PROFILE_DECIDES = "as the profile"
LATENT = {
    "type": "string",
    "enum": [PROFILE_DECIDES, "block", "advise"],
    "default": PROFILE_DECIDES,
    "description": (
        "The action to take on an exposure that is one change away: block stops the update, advise only reports the "
        "finding. As the profile: advise in exposure and baseline, block in ai-interface."
    ),
}

NOT_PROVEN_BY_PROFILE = {
    "type": "string",
    "enum": [PROFILE_DECIDES, "block", "advise"],
    "default": PROFILE_DECIDES,
    "description": f"{NOT_PROVEN['description']} As the profile: advise in exposure, block in baseline and ai-interface.",
}
"""For a policy about reach: where a network is only read, a stack that is not the team's own cannot prove everything."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy. It has exactly one of two checks: on the whole stack, or on a single resource."""

    name: str
    description: str
    severity: Severity
    remediation: str
    types: tuple[str, ...] = ()
    """Short names of the resource types that it checks; the policy does not apply to a stack without any of them."""
    controls: tuple[str, ...] = ()
    """The controls of AWS Foundational Security Best Practices that the policy enforces."""
    schema: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """JSON schema of each property that a team may configure; every one has a default."""
    level: Level = Level.MANDATORY
    stack: StackCheck | None = None
    resource: ResourceCheck | None = None

    @property
    def is_stack(self) -> bool:
        """Whether it checks the whole stack."""
        return self.stack is not None

    def settings(self, configured: Mapping[str, Any]) -> Settings:
        """The team's configuration, merged with the defaults."""
        return {**{key: schema["default"] for key, schema in self.schema.items()}, **configured}

    def applies_to(self, kind: str) -> bool:
        """Whether the policy applies to resources of this type."""
        return not self.types or kind in self.types

    def evaluate(self, graph: Graph, settings: Settings) -> list[Finding]:
        """Its findings on a whole stack, in a stable order, whether it checks the stack or single resources."""
        found: Iterable[Finding]
        if self.stack is not None:
            found = self.stack(graph, settings)
        else:
            found = (
                finding
                for resource in (graph.of_type(*self.types) if self.types else graph)
                for finding in self.evaluate_resource(resource, settings)
            )
        return sorted(found, key=lambda finding: (finding.urn, finding.property, finding.verdict, finding.found))

    def evaluate_resource(self, resource: Resource, settings: Settings) -> list[Finding]:
        """Its findings on a single resource; none when it checks whole stacks."""
        return list(self.resource(resource, settings)) if self.resource is not None else []


def _words(module: str, doc: str | None) -> tuple[str, str]:
    service, rule = module.split(".")[-2:]
    name = f"{service}-{rule}".replace("_", "-")
    description = " ".join((doc or "").strip().split("\n\n")[0].split())
    if not description:
        raise ValueError(f"policy {name} has no docstring to describe it")
    return name, description


def stack_rule(
    module: str,
    doc: str | None,
    evaluate: StackCheck,
    *,
    severity: Severity,
    remediation: str,
    types: tuple[str, ...] = (),
    controls: tuple[str, ...] = (),
    schema: Mapping[str, Mapping[str, Any]] | None = None,
    latent: bool = False,
    level: Level = Level.MANDATORY,
    unknown_blocks: bool = True,
) -> Rule:
    """A policy on the whole stack, named after its module and described by the docstring's first paragraph.

    ``unknown_blocks`` is false only if a value that is unknown in a first preview cannot expose anything. ``latent``: it reports
    exposures that are one change away, too, and the profile decides about these and about what is not proven.
    """
    name, description = _words(module, doc)
    default = "block" if unknown_blocks else "advise"
    common = (
        {"notProven": NOT_PROVEN_BY_PROFILE, "latent": LATENT}
        if latent
        else {"notProven": {**NOT_PROVEN, "default": default}}
    )
    return Rule(
        name, description, severity, remediation, types, controls, {**common, **(schema or {})}, level, stack=evaluate
    )


def resource_rule(
    module: str,
    doc: str | None,
    evaluate: ResourceCheck,
    *,
    severity: Severity,
    remediation: str,
    types: tuple[str, ...] = (),
    controls: tuple[str, ...] = (),
    schema: Mapping[str, Mapping[str, Any]] | None = None,
    level: Level = Level.MANDATORY,
) -> Rule:
    """A policy on a single resource: it runs before each step, so it stops a resource before it exists."""
    name, description = _words(module, doc)
    return Rule(
        name,
        description,
        severity,
        remediation,
        types,
        controls,
        {"notProven": NOT_PROVEN, **(schema or {})},
        level,
        resource=evaluate,
    )
