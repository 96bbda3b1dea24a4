"""The alarms of a stack and the messages of its event rules, from its recorded graph."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from preflight.recording.recorder import Recording
from preflight.sdk.wire import Wire, unwrap

_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
_COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
_QUERY = "aws:cloudwatch/queryDefinition:QueryDefinition"
_TEXT = re.compile(
    r"(?P<sentence>.*?)\. Severity: (?P<severity>[a-z]+)\. What to do: \S+#(?P<section>[a-z0-9-]+)", re.DOTALL
)
"""How the text of an alarm or a message ends."""
_INPUT = re.compile(r"<(\w+)>")


@dataclass(frozen=True)
class Alarm:
    """One alarm, or one message of an event rule."""

    role: str
    """Without the stack's prefix."""
    name: str
    """In CloudWatch; empty for a message, which has no alarm."""
    severity: str
    """``page`` or ``ticket``."""
    sentence: str
    section: str
    """The anchor of its section in the runbook."""


@dataclass(frozen=True)
class Query:
    """A saved query of CloudWatch Logs Insights."""

    name: str
    """Without the stack's prefix."""
    log_groups: tuple[str, ...]
    text: str


def alarms(recording: Recording) -> list[Alarm]:
    """Every alarm and message that links to the runbook, pages first, then by role."""
    prefix = f"ai-interface {recording.stack} "
    found: dict[str, Alarm] = {}
    for resource in [*recording.of_type(_ALARM), *recording.of_type(_COMPOSITE)]:
        inputs = _inputs(resource.inputs)
        name = str(inputs.get("name") or inputs.get("alarmName") or resource.name)
        if made := _TEXT.match(str(inputs.get("alarmDescription", ""))):
            found[name] = Alarm(name.removeprefix(prefix), name, made["severity"], made["sentence"], made["section"])
    for resource in recording.of_type(_TARGET):
        template = str(_inputs(resource.inputs).get("inputTransformer", {}).get("inputTemplate", "")).strip('"')
        if made := _TEXT.match(template):
            sentence = _INPUT.sub("…", made["sentence"].partition(": ")[2])
            found[made["section"]] = Alarm(made["section"], "", made["severity"], sentence, made["section"])
    return sorted(found.values(), key=lambda one: (one.severity != "page", one.role))


def queries(recording: Recording) -> dict[str, Query]:
    """The stack's saved queries, by name."""
    prefix = f"ai-interface/{recording.stack}/"
    inputs = [_inputs(resource.inputs) for resource in recording.of_type(_QUERY)]
    found = [
        Query(
            str(one["name"]).removeprefix(prefix),
            tuple(one["logGroupNames"]),
            " ".join(str(one["queryString"]).split()),
        )
        for one in inputs
    ]
    return {query.name: query for query in sorted(found, key=lambda query: query.name)}


def sections_of(known: Iterable[Alarm]) -> list[str]:
    """The anchors that alarms link to, sorted."""
    return sorted({alarm.section for alarm in known})


def _inputs(inputs: Wire) -> Wire:
    return cast("Wire", unwrap(inputs))
