"""The result of a check: one model for every output format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

LABELS = ("found", "wanted", "fix", "witness", "unknown", "assuming")
"""The parts of a finding beyond its headline, in the order of reading."""


class Verdict(StrEnum):
    """The verdict of a policy, worst first."""

    VIOLATED = "violated"
    NOT_PROVEN = "not proven"


class Seen(StrEnum):
    """The runs in which a finding appeared."""

    BOTH = "with known values and in a first preview"
    KNOWN = "with known values only"
    PREVIEW = "in a first preview only, while computed values are unknown"


@dataclass(frozen=True, slots=True)
class Exemption:
    """The reason why a finding is allowed, and the expiry date."""

    expires: str
    reason: str
    owner: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem in one environment."""

    environment: str
    rule: str
    verdict: Verdict
    headline: str
    """The violation, starting with resource and property."""
    urn: str = ""
    resource: str = ""
    """Type and name of the resource, or the entry of a file of declarations."""
    property_path: str = ""
    found: str = ""
    wanted: str = ""
    fix: str = ""
    witness: str = ""
    unknown: str = ""
    assuming: str = ""
    pack: str = ""
    severity: str = ""
    mandatory: bool = True
    description: str = ""
    source_file: str = ""
    source_line: int = 0
    seen: Seen = Seen.BOTH
    exemption: Exemption | None = None

    @property
    def fails(self) -> bool:
        """Whether it makes the check fail."""
        return self.mandatory and self.exemption is None

    @property
    def is_later(self) -> bool:
        """Whether only a value that a first preview does not know yet is missing."""
        return (
            not self.fails
            and self.exemption is None
            and self.verdict is Verdict.NOT_PROVEN
            and self.seen is Seen.PREVIEW
        )

    @property
    def is_advice(self) -> bool:
        """Whether it is shown and does not make the check fail."""
        return not self.fails and self.exemption is None and not self.is_later

    @property
    def place(self) -> str:
        """The URN without the stack's name: the same place in every environment."""
        return re.sub(r"^urn:pulumi:[^:]*::", "", self.urn)

    @property
    def label(self) -> str:
        """Resource and property; the headline of a finding that has no resource."""
        place = f"{self.resource}.{self.property_path}" if self.property_path else self.resource
        return place or self.headline

    @property
    def details(self) -> dict[str, str]:
        """Label → text of the details below the headline, in reading order."""
        said = {label: str(getattr(self, label)) for label in LABELS}
        said["source"] = f"{self.source_file}:{self.source_line}" if self.source_file else ""
        said["seen"] = "" if self.seen is Seen.BOTH else str(self.seen)
        said["urn"] = self.urn
        return {label: text for label, text in said.items() if text}

    @property
    def key(self) -> tuple[str, ...]:
        """The same in both runs of one environment."""
        return (self.environment, self.pack, self.rule, self.urn, self.headline)


@dataclass(frozen=True, slots=True)
class Environment:
    """One stack's line in the summary."""

    name: str
    resources: int
    proven: int
    violated: int
    not_proven: int
    exceptions: int
    next_expiry: str
    advised: int = 0
    """Policies with an advisory finding: it does not fail the check, and the policy does not count as proven."""


@dataclass(frozen=True, slots=True)
class Parity:
    """The result of comparing the environments."""

    verdict: str
    """One sentence without the findings."""
    declared: Mapping[str, int] = field(default_factory=dict[str, int])
    """Kinds of declared differences, with the number of each."""


@dataclass(frozen=True, slots=True)
class Station:
    """One step of a path from the internet."""

    name: str
    port: str = ""
    """The port on which the step is reached; empty if it is part of the previous step."""

    def __str__(self) -> str:
        return f"port {self.port}: {self.name}" if self.port else self.name


@dataclass(frozen=True, slots=True)
class IngressPath:
    """A path from the internet to the interface, and on to its dependencies."""

    stations: tuple[Station, ...]

    def __str__(self) -> str:
        first, *others = self.stations
        return first.name + "".join(f" ─{s.port}→ {s.name}" if s.port else f" ─ {s.name}" for s in others)


@dataclass(frozen=True, slots=True)
class Connectivity:
    """The interface's ingress and egress in one environment."""

    environment: str
    ingress: tuple[IngressPath, ...]
    egress: tuple[str, ...]
    proven: bool
    """Whether there is no other ingress path."""
    admission: tuple[str, ...] = ()
    """Access that the identity provider decides, and nothing here can check."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy, for formats that list rules."""

    name: str
    pack: str
    description: str
    remediation: str = ""
    severity: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one check."""

    project: str
    environments: tuple[Environment, ...]
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...]
    parity: Parity | None = None
    connectivity: tuple[Connectivity, ...] = ()
    messages: tuple[str, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    """Remarks about the check itself."""

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings that make the check fail."""
        return tuple(finding for finding in self.findings if finding.fails)

    @property
    def exit_code(self) -> int:
        """The exit code: 0 without findings, 1 with findings."""
        return 1 if self.failing else 0


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """Merge findings: one that both runs report has the values of the run with known values."""
    merged: dict[tuple[str, ...], Finding] = {}
    for finding in sorted(findings, key=lambda f: (f.seen is Seen.PREVIEW, f.key)):
        before = merged.get(finding.key)
        if before is None:
            merged[finding.key] = finding
        elif before.seen is not finding.seen:
            worst = Verdict.VIOLATED if Verdict.VIOLATED in (before.verdict, finding.verdict) else Verdict.NOT_PROVEN
            merged[finding.key] = replace(before, seen=Seen.BOTH, verdict=worst)
    return sorted(merged.values(), key=_order)


def _order(finding: Finding) -> tuple[object, ...]:
    severities = ("critical", "high", "medium", "low", "")
    verdicts = list(Verdict)
    return (
        not finding.fails,
        verdicts.index(finding.verdict),
        severities.index(finding.severity) if finding.severity in severities else len(severities),
        finding.rule,
        finding.place,
        finding.headline,
        finding.environment,
    )


def grouped(findings: Sequence[Finding]) -> list[tuple[Finding, tuple[str, ...]]]:
    """Merge findings that are the same in several environments, and list those environments."""
    groups: dict[tuple[object, ...], tuple[Finding, list[str]]] = {}
    for finding in findings:
        key = (finding.rule, finding.pack, finding.place, finding.headline, finding.verdict, finding.found)
        key += (finding.wanted, finding.seen, finding.exemption)
        groups.setdefault(key, (finding, []))[1].append(finding.environment)
    return [(finding, tuple(environments)) for finding, environments in groups.values()]


def by_cause(
    groups: Sequence[tuple[Finding, tuple[str, ...]]],
) -> list[tuple[Finding, tuple[str, ...], tuple[str, ...]]]:
    """Merge findings of one cause: the first one, its environments, and the places of the others.

    Findings of a policy have one cause if verdict and fix are the same, apart from the resource's own name; what is only
    advice has one cause a policy.
    """
    causes: dict[tuple[object, ...], tuple[Finding, tuple[str, ...], list[str]]] = {}
    for finding, environments in groups:
        fix = finding.fix.replace(finding.resource, "") if finding.resource else finding.fix
        key = (
            finding.rule,
            finding.pack,
            environments,
            finding.seen,
            *((finding.verdict, fix) if finding.fails else ()),
        )
        first, _, others = causes.setdefault(key, (finding, environments, []))
        if finding.label not in {first.label, *others}:
            others.append(finding.label)
    return [(first, environments, tuple(others)) for first, environments, others in causes.values()]


def summarize(name: str, resources: int, rules: Sequence[Rule], findings: Sequence[Finding]) -> Environment:
    """One environment's line: each policy counts once, by its worst finding."""
    own = [finding for finding in findings if finding.environment == name]
    violated = {f.rule for f in own if f.fails and f.verdict is Verdict.VIOLATED}
    open_rules = {f.rule for f in own if f.fails and f.verdict is Verdict.NOT_PROVEN} - violated
    failing = violated | open_rules
    advice = {f.rule for f in own if f.is_advice} - failing
    excepted = [f for f in own if f.exemption is not None]
    expiries = sorted(f.exemption.expires for f in excepted if f.exemption is not None)
    known = {rule.name for rule in rules}
    return Environment(
        name=name,
        resources=resources,
        proven=len(known - failing - advice),
        violated=len(violated),
        not_proven=len(open_rules),
        exceptions=len({(f.rule, f.urn, f.headline) for f in excepted}),
        next_expiry=expiries[0] if expiries else "",
        advised=len(advice),
    )
