"""Every alarm notifies a subscribed destination and names its runbook entry.

An alarm without an action sends no notification; an alarm without a runbook delays the response.

The policy cannot see whether a subscription was confirmed or whether the recipients respond.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...checks import expect_reference, expect_value
from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_ALARMS = ("cloudwatch.CompositeAlarm", "cloudwatch.MetricAlarm")
_FIX = "add a topic with a subscription to alarmActions"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each alarm, and each topic that alarms are sent to."""
    topics: dict[str, Resource] = {}
    for alarm in graph.of_type(*_ALARMS):
        yield from expect_value(alarm, "actionsEnabled", True, "remove actionsEnabled", default=True)
        yield from expect_reference(graph, alarm, "alarmActions", "at least one destination", _FIX)
        yield from _description(alarm)
        topics.update((topic.urn, topic) for topic in graph.referenced(alarm, "alarmActions", ("sns.Topic",)))
    for urn in sorted(topics):
        if not referring(graph, topics[urn], "topic", "sns.TopicSubscription"):
            fix = "add aws.sns.TopicSubscription for the people or the tool that responds"
            yield violated(
                topics[urn], "", "no subscription", "at least one subscription", fix, what="has no subscriber"
            )


def _description(alarm: Resource) -> Iterator[Finding]:
    fix = "explain the alarm in alarmDescription, and name the runbook entry"
    found = alarm.value("alarmDescription")
    if isinstance(found, Unknown):
        yield not_proven(alarm, "alarmDescription", [found], "a description with a runbook", fix)
    elif not str(found or "").strip():
        yield violated(alarm, "alarmDescription", None, "a description with a runbook", fix)
    elif not re.search(r"runbook|https?://", str(found), re.IGNORECASE):
        yield violated(alarm, "alarmDescription", found, "a description that names or links its runbook entry", fix)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=_ALARMS,
)
