"""The verdicts of a check: proven, violated or not proven, each with its evidence."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .resources import Resource
from .values import Unknown, Value, shown


class Verdict(StrEnum):
    """Whether a claim holds."""

    PROVEN = "proven"
    VIOLATED = "violated"
    NOT_PROVEN = "not proven"


_ORDER = {Verdict.PROVEN: 0, Verdict.NOT_PROVEN: 1, Verdict.VIOLATED: 2}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a claim about several things: one violation violates it, one unknown leaves it not proven."""
    return max(verdicts, key=_ORDER.__getitem__, default=Verdict.PROVEN)


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a path: the resource, the property that allows it, and what it allows."""

    resource: str
    property: str = ""
    allows: str = ""
    urn: str = ""

    def __str__(self) -> str:
        where = f"{self.resource}.{self.property}" if self.property else self.resource
        return f"{where} ({self.allows})" if self.allows else where


def hop(resource: Resource, property_: str = "", allows: str = "") -> Hop:
    """Create a step for a resource."""
    return Hop(resource.label, property_, allows, resource.urn)


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why a claim is violated or not proven, with the change to make. Rules add their names."""

    verdict: Verdict
    urn: str
    resource: str
    property: str
    found: str
    wanted: str
    fix: str
    what: str = ""
    witness: tuple[Hop, ...] = ()
    unknowns: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    latent: bool = False
    line: int = 0
    """The line in a file of declarations that the finding concerns; 0 if it concerns a resource."""

    @builtins.property
    def headline(self) -> str:
        """The violation, starting with resource and property."""
        place = f"{self.resource}.{self.property}" if self.property else self.resource
        return f"{place} {self.what}" if self.what else place

    def parts(self) -> dict[str, str]:
        """The details below the headline, by label, in reading order."""
        said = {
            "found": self.found,
            "wanted": self.wanted,
            "fix": self.fix,
            "witness": " → ".join(map(str, self.witness)),
            "unknown": ", ".join(self.unknowns),
            "assuming": "; ".join(self.assumptions),
        }
        return {label: text for label, text in said.items() if text}

    def message(self) -> str:
        """The text that a policy reports: first the verdict and the place, then found, wanted, fix and witness."""
        parts = (f"{label}: {text}" for label, text in self.parts().items())
        return "\n".join([f"{self.verdict}: {self.headline}", *parts])


NOT_KNOWN = "not known yet"
ELSEWHERE = "not declared in this stack"


def violated(
    resource: Resource,
    property_: str,
    found: Value,
    wanted: str,
    fix: str,
    *,
    what: str = "",
    witness: Sequence[Hop] = (),
    assumptions: Sequence[str] = (),
    latent: bool = False,
) -> Finding:
    """The resource violates the claim. ``found`` is printed with secrets masked."""
    return Finding(
        Verdict.VIOLATED, resource.urn, resource.label, property_, shown(found), wanted, fix, what,
        tuple(witness), (), tuple(assumptions), latent,
    )  # fmt: skip


def not_proven(
    resource: Resource,
    property_: str,
    unknowns: Sequence[str | Unknown],
    wanted: str,
    fix: str,
    *,
    found: Value = NOT_KNOWN,
    what: str = "",
    witness: Sequence[Hop] = (),
    assumptions: Sequence[str] = (),
    latent: bool = False,
) -> Finding:
    """Nothing contradicts the claim about this resource, but an unknown value prevents it from being proven."""
    named = tuple(dict.fromkeys(item.path if isinstance(item, Unknown) else item for item in unknowns))
    return Finding(
        Verdict.NOT_PROVEN, resource.urn, resource.label, property_, shown(found), wanted, fix, what,
        tuple(witness), named, tuple(assumptions), latent,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement about the stack, with its findings; without a finding it is proven under its assumptions."""

    statement: str
    subject: str = ""
    findings: tuple[Finding, ...] = ()
    assumptions: tuple[str, ...] = field(default=())

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the findings; proven if there are none."""
        return worst(finding.verdict for finding in self.findings)
