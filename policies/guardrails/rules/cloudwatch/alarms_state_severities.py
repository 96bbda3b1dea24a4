"""Every alarm has a tag with its severity, and alarms of different severities notify different topics.

If pages and tickets arrive in the same place, people are woken for what can wait, and soon ignore what cannot.

The policy compares the topics in alarmActions. What a topic's recipients do with a message is not visible here. Teams may
use other names for severities, so this is advisory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, violated

_ALARMS = ("cloudwatch.CompositeAlarm", "cloudwatch.MetricAlarm")
_FIX = "tag the alarm with its severity, and notify a topic of that severity"
_SCHEMA = {
    "tag": {"type": "string", "default": "severity", "description": "The key of the tag with the severity."},
    "severities": {
        "type": "array",
        "items": {"type": "string"},
        "default": ["page", "ticket"],
        "description": "The severities that an alarm may have.",
    },
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each alarm, and each topic that alarms notify."""
    path, severities = f"tags.{settings['tag']}", [str(one) for one in settings["severities"]]
    topics: dict[str, dict[str, Resource]] = {}
    for alarm in graph.of_type(*_ALARMS):
        yield from expect(alarm, path, lambda found: found in severities, f"one of {', '.join(severities)}", _FIX)
        severity = alarm.value(path)
        if isinstance(severity, Unknown) or severity not in severities:
            continue
        for topic in graph.referenced(alarm, "alarmActions", ("sns.Topic",)):
            topics.setdefault(topic.urn, {}).setdefault(str(severity), alarm)
    for urn, by_severity in sorted(topics.items()):
        if len(by_severity) > 1:
            topic = graph.by_urn[urn]
            found = ", ".join(f"{severity} ({alarm.name})" for severity, alarm in sorted(by_severity.items()))
            yield violated(topic, "", found, "alarms of one severity", _FIX, what="gets alarms of several severities")


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
