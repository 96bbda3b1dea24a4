"""Who is responsible, who approves what, what is allowed to differ, and whom alarms reach."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from policies.guardrails import controls
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import Unknown, Value, as_list, as_mapping
from policies.parity import declarations
from policies.parity.compare import compare
from preflight.analysis.parity import shapes_of
from preflight.recording.recorder import Recording
from preflight.review.path_limits import size

DIFFERENCES = "policies/parity/differences.yaml"
ROLES = {
    "team": "accountable for uptime, access, configuration and incidents",
    "contact": "gets alarms and notices of expiry",
    "onCall": "rota and runbook",
    "maintainers": "review every file without a more specific owner",
    "releaseManagers": "approve releases",
    "promptReviewers": "review the texts in prompts/",
    "modelReviewers": "approve the models that may be offered",
    "environmentApprovers": "approve deployments and changes of the stack file",
}
_NO_ROLE = frozenset({"runbook", "subscriptions"})
"""Keys of the output that name no people."""
_APPROVING = ("maintainers", "releaseManagers", "promptReviewers", "modelReviewers", "environmentApprovers")
_LINK = re.compile(r"\s*What to do:\s*(?P<url>https?://\S+?)\.?$")


@dataclass(frozen=True, slots=True)
class Responsible:
    """One role and the people who have it in each environment."""

    role: str
    does: str
    people: tuple[str, ...]
    environments: tuple[str, ...] = ()
    """The environments, in the order of ``people``."""

    @property
    def shown(self) -> str:
        """The people once if they are the same everywhere, otherwise of each environment."""
        if len(set(self.people)) == 1:
            return self.people[0]
        return ", ".join(f"{people} ({name})" for name, people in zip(self.environments, self.people, strict=True))


@dataclass(frozen=True, slots=True)
class DeclaredDifference:
    """One allowed difference between the environments."""

    kind: str
    what: str
    reason: str
    owner: str
    expires: dt.date
    values: tuple[str, ...]
    """Each difference that it allows: the property, and the value in both environments."""


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One alarm: its message, when it fires, whom it reaches."""

    name: str
    sentence: str
    fires: str
    reaches: str
    runbook: str


def responsible(recordings: Mapping[str, Recording]) -> list[Responsible]:
    """The roles that the stacks' outputs name."""
    owners = [as_mapping(recording.outputs.get("owner")) or {} for recording in recordings.values()]
    given = {name for owner in owners for name in owner} - _NO_ROLE
    names = [*(name for name in ROLES if name in given), *sorted(given - ROLES.keys())]
    return [
        Responsible(
            re.sub(r"(?=[A-Z])", " ", name).lower(),
            ROLES.get(name, ""),
            tuple(_people(owner.get(name)) for owner in owners),
            tuple(recordings),
        )
        for name in names
    ]


def one_team(recordings: Mapping[str, Recording]) -> list[str]:
    """A sentence for each environment in which the same people have every role that approves something."""
    found: list[str] = []
    for name, recording in recordings.items():
        owner = as_mapping(recording.outputs.get("owner")) or {}
        held = {_people(owner[role]) for role in _APPROVING if role in owner}
        if len(held) == 1 and sum(role in owner for role in _APPROVING) > 1:
            found.append(f"{name}: {next(iter(held))} holds every role: one team both writes and approves a change.")
    return found


def _people(value: Value) -> str:
    found = as_list(value)
    return ", ".join(map(str, found)) if found else str(value or "no one")


def declared(root: Path, recordings: Mapping[str, Recording], today: dt.date) -> list[DeclaredDifference]:
    """The declarations in force and what each allows today, those that expire first at the top."""
    file = root / DIFFERENCES
    if not file.is_file():
        return []
    allowed = declarations.read(file.read_text(encoding="utf-8"), today)
    shapes = shapes_of({(name, False): recording for name, recording in recordings.items()})
    found: dict[int, list[str]] = {}
    for earlier, later in allowed.pairs(list(shapes)):
        for difference in compare(shapes[earlier], shapes[later]):
            if (entry := allowed.of(difference)) is not None:
                name = difference.path.rpartition("/")[2]
                what = f"{name}.{difference.property}" if difference.property else name
                found.setdefault(entry.declaration.number, []).append(
                    f"{what}: {difference.earlier} → {difference.later}"
                )
    lines = [
        DeclaredDifference(
            kind=entry.kind,
            what=" ".join(filter(None, (entry.declaration.values["resource"], entry.property))),
            reason=entry.declaration.reason,
            owner=entry.declaration.owner,
            expires=entry.declaration.expires,
            values=tuple(sorted(found.get(entry.declaration.number, []))),
        )
        for entry in allowed.in_force
    ]
    merged: dict[tuple[object, ...], list[DeclaredDifference]] = {}
    for line in sorted(lines, key=lambda line: (line.expires, line.kind, line.what)):
        merged.setdefault((line.kind, line.reason, line.owner, line.expires), []).append(line)
    return [_merged(group) for group in merged.values()]


def _merged(group: list[DeclaredDifference]) -> DeclaredDifference:
    """Declarations of one kind with one reason as one line."""
    first = group[0]
    values = tuple(sorted(value for line in group for value in line.values))
    what = first.what if len(group) == 1 else f"{len(group)} declarations"
    return replace(first, what=what, values=values)


def ledger() -> tuple[dict[str, int], list[controls.Control]]:
    """The number of controls met in each way, and every control."""
    rows = controls.ledger()
    return {kind: sum(row.kind == kind for row in rows) for kind in controls.KINDS}, rows


def alarms(graph: Graph) -> list[AlarmLine]:
    """Every alarm of one environment, by name."""
    return sorted((*_metric_alarms(graph), *_events(graph)), key=lambda line: line.name)


def _metric_alarms(graph: Graph) -> Iterator[AlarmLine]:
    for alarm in (*graph.of_type("cloudwatch.MetricAlarm"), *graph.of_type("cloudwatch.CompositeAlarm")):
        text = _text(alarm.value("alarmDescription"))
        link = _LINK.search(text)
        name = _text(alarm.value("name") or alarm.value("alarmName")) or alarm.name
        yield AlarmLine(
            name.rpartition(" ")[2],
            text[: link.start()] if link else text,
            _fires(alarm),
            ", ".join(_subscribers(graph, alarm, "alarmActions")) or "no one",
            link["url"] if link else "",
        )


def _fires(alarm: Resource) -> str:
    threshold = alarm.value("threshold")
    if not isinstance(threshold, int | float):
        return _text(alarm.value("alarmRule"))
    sign = {"GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": "≥", "LessThanThreshold": "<"}.get(
        _text(alarm.value("comparisonOperator")), "≤"
    )
    periods, needed = alarm.value("evaluationPeriods"), alarm.value("datapointsToAlarm")
    metric = _text(alarm.value("metricName")) or ", ".join(_metrics(alarm)) or "expression"
    in_bytes = any(word in metric for word in ("Bytes", "FreeableMemory"))
    return f"{metric} {sign} {size(threshold) if in_bytes else f'{threshold:g}'} in {_text(needed if needed is not None else periods)} of {_text(periods)} periods"


def _metrics(alarm: Resource) -> list[str]:
    queries = alarm.items("metricQueries")
    own = [
        as_mapping((as_mapping(one) or {}).get("metric")) or {}
        for one in ([] if isinstance(queries, Unknown) else queries)
    ]
    return sorted({_text(one.get("metricName")) for one in own if one.get("metricName")})


def _events(graph: Graph) -> Iterator[AlarmLine]:
    for rule in graph.of_type("cloudwatch.EventRule"):
        reached: list[str] = []
        for target in graph.of_type("cloudwatch.EventTarget"):
            if rule in graph.referenced(target, "rule", ("cloudwatch.EventRule",), ("name", "id", "arn")).resources:
                reached += _subscribers(graph, target, "arn")
        yield AlarmLine(rule.name, _text(rule.value("description")), "at the event", ", ".join(reached) or "no one", "")


def _subscribers(graph: Graph, source: Resource, path: str) -> list[str]:
    """The addresses that a topic sends to, or the topic's name without any."""
    found: list[str] = []
    for topic in graph.referenced(source, path, ("sns.Topic",), ("arn", "id")):
        own = [
            _text(one.value("endpoint"))
            if _text(one.value("protocol")) in ("email", "email-json")
            else _text(one.value("protocol"))
            for one in graph.of_type("sns.TopicSubscription")
            if topic in graph.referenced(one, "topic", ("sns.Topic",), ("arn", "id")).resources
        ]
        found += [f"{topic.name} ({', '.join(sorted(set(own)))})" if own else topic.name]
    return found


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Unknown):
        return "not known yet"
    return f"{value:g}" if isinstance(value, float) else str(cast("object", value))
