"""Every alarm has a tag with its severity, and messages of different severities go to different topics.

If pages and tickets arrive in the same place, people are woken for what can wait, and soon ignore what cannot. The message that
an alarm is over belongs where the alarm went; database events and budgets, which have no severity, belong where people look during
the day.

The policy compares the topics of each alarm's actions, and of events whose message states a severity ("Severity: page"). What a
topic's recipients do with a message is not visible here. Teams may use other names for severities, so this is advisory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ...checks import expect
from ...joins import topics_of
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_ALARMS = ("cloudwatch.CompositeAlarm", "cloudwatch.MetricAlarm")
_ACTIONS = ("alarmActions", "insufficientDataActions", "okActions")
_TARGET = "cloudwatch.EventTarget"
_MESSAGES = ("input", "inputTransformer.inputTemplate")
_WITHOUT_SEVERITY = {"budgets.Budget": "notifications", "rds.EventSubscription": "snsTopic"}
"""Type → the property that names its topics. What it sends states no severity."""
_FIX = "tag the alarm with its severity, and notify a topic of that severity"
_SCHEMA = {
    "tag": {"type": "string", "default": "severity", "description": "The key of the tag with the severity."},
    "severities": {
        "type": "array",
        "items": {"type": "string"},
        "default": ["page", "ticket"],
        "description": "The severities that an alarm may have, the most urgent first.",
    },
}

_Topics = dict[str, dict[str, Resource]]
"""URN of a topic → severity → the first resource that sends messages of that severity there."""


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each alarm, each event with a severity, and each topic that they notify."""
    path, severities = f"tags.{settings['tag']}", [str(one) for one in settings["severities"]]
    topics: _Topics = {}
    for alarm in graph.of_type(*_ALARMS):
        yield from expect(alarm, path, lambda found: found in severities, f"one of {', '.join(severities)}", _FIX)
        severity = alarm.value(path)
        if isinstance(severity, Unknown) or severity not in severities:
            continue
        for action in _ACTIONS:
            _note(graph, topics, alarm, action, str(severity))
    stated = re.compile(
        rf"\b{re.escape(str(settings['tag']))}: ({'|'.join(map(re.escape, severities))})\b", re.IGNORECASE
    )
    for target in graph.of_type(_TARGET):
        message = [target.value(key) for key in _MESSAGES]
        found = next((match for text in message if isinstance(text, str) and (match := stated.search(text))), None)
        if found:
            _note(graph, topics, target, "arn", found[1].lower())
        elif topics_of(graph, target, "arn") and (unknown := [text for text in message if isinstance(text, Unknown)]):
            yield not_proven(target, "arn", unknown, "a topic of the severity that the message states", _FIX)
    yield from _several(graph, topics)
    yield from _unstated(graph, topics, severities)


def _note(graph: Graph, topics: _Topics, sender: Resource, path: str, severity: str) -> None:
    for topic in topics_of(graph, sender, path):
        topics.setdefault(topic.urn, {}).setdefault(severity, sender)


def _several(graph: Graph, topics: Mapping[str, Mapping[str, Resource]]) -> Iterator[Finding]:
    for urn, by_severity in sorted(topics.items()):
        if len(by_severity) > 1:
            found = ", ".join(f"{severity} ({sender.name})" for severity, sender in sorted(by_severity.items()))
            what = "gets messages of several severities"
            yield violated(graph.by_urn[urn], "", found, "messages of one severity", _FIX, what=what)


def _unstated(graph: Graph, topics: _Topics, severities: list[str]) -> Iterator[Finding]:
    """Messages without a severity on a topic of an urgent one, where there is a topic for what can wait."""
    if not severities or not any(severities[-1] in found for found in topics.values()):
        return
    for resource in graph.of_type(*_WITHOUT_SEVERITY):
        path = _WITHOUT_SEVERITY[resource.kind]
        for topic in topics_of(graph, resource, path):
            urgent = [one for one in topics.get(topic.urn, {}) if one != severities[-1]]
            if urgent:
                wanted, fix = f"a topic for {severities[-1]}", "name the topic for what can wait"
                what = "sends messages without a severity to a topic of an urgent one"
                yield violated(resource, path, topic.name, wanted, fix, what=what)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=_ALARMS,
    schema=_SCHEMA,
    level=Level.ADVISORY,
)
