"""Applies the rules, and handles settings, crashes, exceptions and levels for all of them.

A rule that raises has not checked anything, so that is reported as not proven and blocks like any other unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .baseline import Baseline, Entry, entry_of
from .declarations import Declaration
from .exceptions import Exemptions
from .rule import Level, Rule, Settings
from .topology.graph.resources import Graph, Resource, Secret, unknowns_in, walk_top
from .topology.graph.verdicts import ELSEWHERE, NOT_KNOWN, Finding, Verdict

CURRENT = "stack-exceptions-current"
BASELINE = "stack-baseline-current"
UNREADABLE = (
    "advice: not known without the passphrase of the state's secrets; set PULUMI_CONFIG_PASSPHRASE, or log in to the "
    "stack's secrets provider, and analyze the state again: the same finding then blocks"
)
LATER = (
    "later: checked again when the value is known, before the resource is created or changed; the same finding then "
    "blocks"
)


@dataclass(frozen=True, slots=True)
class Report:
    """One finding of one policy as it is reported."""

    rule: Rule
    finding: Finding
    level: Level
    note: str = ""
    """The reason why the finding does not block, other than an exception."""
    exemption: Declaration | None = None
    """The exception that allows it."""

    @property
    def message(self) -> str:
        """The finding, and the reason why it is allowed or does not block yet."""
        notes = [_allowed(self.exemption)] if self.exemption else []
        return "\n".join([self.finding.message(), *notes, *([self.note] if self.note else [])])


def _allowed(entry: Declaration) -> str:
    return f"excepted until {entry.expires.isoformat()}: {entry.reason} (owner: {entry.owner})"


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule with the configuration of one run."""

    rule: Rule
    level: Level
    settings: Settings

    @classmethod
    def of(cls, rule: Rule, configured: Mapping[str, Any] | None = None, level: Level | None = None) -> Policy:
        """The rule with a team's configuration on top of the defaults."""
        return cls(rule, level or rule.level, rule.settings(configured or {}))


class Evaluation:
    """Checks one stack, or one resource, by policies and exceptions."""

    def __init__(self, policies: Sequence[Policy], exemptions: Exemptions, baseline: Baseline | None = None) -> None:
        self._policies = [policy for policy in policies if policy.level is not Level.DISABLED]
        self._exemptions = exemptions
        self._baseline = baseline or Baseline()
        self._by_kind: dict[str, list[Policy]] = {}

    def _on_kind(self, kind: str) -> list[Policy]:
        """The resource policies that apply to a type."""
        found = self._by_kind.get(kind)
        if found is None:
            found = [one for one in self._policies if not one.rule.is_stack and one.rule.applies_to(kind)]
            self._by_kind[kind] = found
        return found

    def on_resource(self, resource: Resource, *, preview: bool = False) -> list[Report]:
        """The findings of the resource policies on one resource.

        In a preview, a finding that depends on an unknown value is advice: the engine evaluates the policy again before
        it creates or changes the resource, when the value is known, and then the same finding blocks.
        """
        reports: list[Report] = []
        for policy in self._on_kind(resource.kind):
            for finding in _evaluated_resource(policy, resource):
                if self._baseline.freezes(policy.rule.name, finding):
                    continue
                report, _ = self._report(policy, finding, {resource.label: _unreadable(resource)})
                deferred = preview and finding.verdict is Verdict.NOT_PROVEN and report.level is Level.MANDATORY
                reports.append(replace(report, level=Level.ADVISORY, note=LATER) if deferred else report)
        return reports

    def on_stack(self, graph: Graph) -> tuple[list[Report], list[tuple[Rule, str]]]:
        """The findings of the stack policies, and the policies that have nothing to check (with the reason)."""
        reports: list[Report] = []
        idle: list[tuple[Rule, str]] = []
        used: set[int] = set()
        frozen: set[Entry] = set()
        excepted = {entry.policy for entry in self._exemptions.in_force} | self._baseline.policies
        unreadable = {resource.label: paths for resource in graph if (paths := _unreadable(resource))}
        for policy in self._policies:
            rule = policy.rule
            if rule.name in (CURRENT, BASELINE) or not (rule.is_stack or rule.name in excepted):
                continue
            if rule.types and not graph.of_type(*rule.types):
                if rule.is_stack:
                    idle.append((rule, f"the stack has no {' or '.join(rule.types)}"))
                continue
            for finding in _evaluated_stack(policy, graph):
                if self._baseline.freezes(rule.name, finding):
                    frozen.add(entry_of(rule.name, finding))
                    continue
                report, numbers = self._report(policy, finding, unreadable)
                used.update(numbers)
                used.update(e.declaration.number for e in self._exemptions.in_force if e.may_match(rule.name, finding))
                if rule.is_stack:
                    reports.append(report)
        return [*reports, *self._on_files(graph, used, frozen)], idle

    def _on_files(self, graph: Graph, used: set[int], frozen: set[Entry]) -> Iterable[Report]:
        """The reports about the exceptions and the baseline themselves, once their use is known."""
        running = {policy.rule.name for policy in self._policies}
        for policy in self._policies:
            if policy.rule.name == CURRENT:
                unused = self._exemptions.unused(used, *identity_of(graph), running)
                yield from (Report(policy.rule, item, policy.level) for item in (*self._exemptions.problems, *unused))
            elif policy.rule.name == BASELINE:
                yield from (Report(policy.rule, finding, policy.level) for finding in self._baseline.problems)
                advice = self._baseline.advice(frozen, running)
                yield from (Report(policy.rule, finding, Level.ADVISORY) for finding in advice)

    def _report(
        self, policy: Policy, finding: Finding, unreadable: Mapping[str, frozenset[str]]
    ) -> tuple[Report, list[int]]:
        entry = self._exemptions.of(policy.rule.name, finding)
        if entry is not None:
            numbers = [e.declaration.number for e in self._exemptions.in_force if e.matches(policy.rule.name, finding)]
            return Report(policy.rule, finding, Level.ADVISORY, exemption=entry.declaration), numbers
        if _rests_on(finding, unreadable):
            return Report(policy.rule, finding, Level.ADVISORY, UNREADABLE), []
        return Report(policy.rule, finding, _level(policy, finding)), []


def _unreadable(resource: Resource) -> frozenset[str]:
    """The properties that are secrets of a state which cannot be decrypted."""
    return frozenset(item.path for item in unknowns_in(dict(resource.properties)) if item.blinded)


def _rests_on(finding: Finding, unreadable: Mapping[str, frozenset[str]]) -> bool:
    """Whether only such secrets keep a finding from being proven."""
    if finding.verdict is not Verdict.NOT_PROVEN or not finding.unknowns:
        return False
    named = {f"{label}.{path}" for label, paths in unreadable.items() for path in paths}
    named |= unreadable.get(finding.resource, frozenset())
    return all(
        any(unknown == path or unknown.startswith((f"{path}.", f"{path}[")) for path in named)
        for unknown in finding.unknowns
    )


def identity_of(graph: Graph) -> tuple[str, str]:
    """The names of stack and project, from the URNs."""
    for resource in graph:
        parts = resource.urn.removeprefix("urn:pulumi:").split("::")
        if resource.urn.startswith("urn:pulumi:") and len(parts) > 1:
            return parts[0], parts[1]
    return "", ""


def _level(policy: Policy, finding: Finding) -> Level:
    advised = (finding.verdict is Verdict.NOT_PROVEN and policy.settings.get("notProven") == "advise") or (
        finding.latent and policy.settings.get("latent") == "advise"
    )
    return Level.ADVISORY if advised else policy.level


def _evaluated_stack(policy: Policy, graph: Graph) -> Iterable[Finding]:
    try:
        found = policy.rule.evaluate(graph, policy.settings)
        return [_masked(graph.by_urn.get(item.urn), _elsewhere(graph, item)) for item in found]
    except Exception as error:
        return [_crash("", "the stack", error)]


def _evaluated_resource(policy: Policy, resource: Resource) -> Iterable[Finding]:
    try:
        return [_masked(resource, item) for item in policy.rule.evaluate_resource(resource, policy.settings)]
    except Exception as error:
        return [_crash(resource.urn, resource.label, error)]


def _elsewhere(graph: Graph, finding: Finding) -> Finding:
    """The finding with the reason why no later value will decide it: what it names is known, and declared outside the stack."""
    if finding.verdict is not Verdict.NOT_PROVEN or finding.found != NOT_KNOWN:
        return finding
    unknown: list[tuple[str, list[str]]] | None = graph.memory.get(__name__)
    if unknown is None:  # each resource's beginning in a text, and the paths of its unknown values
        unknown = [(f"{one.label}.", [item.path for item in unknowns_in(dict(one.properties))]) for one in graph]
        graph.memory[__name__] = unknown
    if any(paths for _, paths in unknown):
        whole = "\n".join(finding.unknowns)  # no label contains a line break
        named = [(label, paths) for label, paths in unknown if label in whole]
        texts = [text for text in finding.unknowns if not any(label in text for label, _ in named)]
        waits = any(
            _overlap(f"{label}{path}", text) for label, paths in named for path in paths for text in finding.unknowns
        )
        if waits or not named or texts:
            return finding
    return replace(finding, found=ELSEWHERE)


def _overlap(name: str, text: str) -> bool:
    """Whether a text names an unknown value, or the property that contains it."""
    place = text.rsplit(maxsplit=1)[-1] if text.startswith("the ") else text
    return name in text or f"{name}.".startswith((f"{place}.", f"{place}["))


def _masked(resource: Resource | None, finding: Finding) -> Finding:
    """A finding about part of a secret document does not print the value found."""
    if resource is None or not finding.property or not isinstance(resource.get(walk_top(finding.property)), Secret):
        return finding
    return replace(finding, found=str(Secret(None)))


def _crash(urn: str, resource: str, error: Exception) -> Finding:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" ({trace.tb_frame.f_code.co_name}, line {trace.tb_lineno})" if trace is not None else ""
    return Finding(
        verdict=Verdict.NOT_PROVEN,
        urn=urn,
        resource=resource,
        property="",
        found=f"the policy stopped with {type(error).__name__}{where}",
        wanted="a verdict",
        fix="report this as a bug in the policy pack, with the type and the properties of the resource",
        what="could not be checked",
    )
