"""Every alarm notifies a subscribed destination and names its runbook entry.

An alarm without an action sends no notification; an alarm without a runbook delays the response. An alarm may leave the
notification to a composite alarm that evaluates it, or hold back another one as its actionsSuppressor.

The policy cannot see whether a subscription was confirmed or whether the recipients respond.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...checks import expect_reference, expect_value
from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.values import Value
from ...topology.graph.verdicts import Finding, not_proven, violated

_ALARMS = ("cloudwatch.CompositeAlarm", "cloudwatch.MetricAlarm")
_CHANNELS = ("chatbot.SlackChannelConfiguration", "chatbot.TeamsChannelConfiguration")
"""Chat channels that subscribe to the topics that they name."""
_KEEPS_QUIET = re.compile(r"NOT\s+\w+\([^)]*\)")
_CHILD = re.compile(r'(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*(?:"([^"]+)"|([^")\s]+))\s*\)')
"""An alarm in a rule, by name or ARN."""
_FIX = "add a topic with a subscription to alarmActions"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each alarm, and each topic that alarms are sent to."""
    topics: dict[str, Resource] = {}
    heard = _heard(graph)
    for alarm in graph.of_type(*_ALARMS):
        yield from expect_value(alarm, "actionsEnabled", True, "remove actionsEnabled", default=True)
        if alarm.urn in heard:
            found = ()
        elif _is_empty(alarm.value("alarmActions")) and (unknown := list(_may_hear(graph, alarm))):
            found = (not_proven(alarm, "alarmActions", unknown, "at least one destination", _FIX),)
        else:
            found = expect_reference(graph, alarm, "alarmActions", "at least one destination", _FIX)
        yield from found
        yield from _description(alarm)
        topics.update((topic.urn, topic) for topic in graph.referenced(alarm, "alarmActions", ("sns.Topic",)))
    for urn in sorted(topics):
        subscribed = referring(graph, topics[urn], "topic", "sns.TopicSubscription")
        if not subscribed and not any(referring(graph, topics[urn], "snsTopicArns", kind) for kind in _CHANNELS):
            fix = "add aws.sns.TopicSubscription for the people or the tool that responds"
            yield violated(
                topics[urn], "", "no subscription", "at least one subscription", fix, what="has no subscriber"
            )


def _heard(graph: Graph) -> set[str]:
    """URNs of the alarms that another alarm with a destination evaluates, however deep, or that hold back another alarm."""
    composites = graph.of_type("cloudwatch.CompositeAlarm")
    named: dict[str, list[Resource]] = {}
    for alarm in graph.of_type(*_ALARMS):
        for name in (*_names(alarm), alarm.urn):
            named.setdefault(name, []).append(alarm)
    heard: set[str] = set()
    for composite in composites:
        suppressor, depends = composite.value("actionsSuppressor.alarm"), _depends(composite, "actionsSuppressor")
        mentioned = {suppressor} if isinstance(suppressor, str) else set[str]()
        heard |= {alarm.urn for name in mentioned.union(depends) for alarm in named.get(name, ())}
    pending = [one for one in composites if not _is_empty(one.value("alarmActions"))]
    while pending:
        composite = pending.pop()
        rule, depends = composite.value("alarmRule"), _depends(composite, "alarmRule")
        mentioned = _mentioned(rule) if isinstance(rule, str) else set[str]()
        for alarm in (alarm for name in mentioned.union(depends) for alarm in named.get(name, ())):
            if alarm.urn not in heard:
                heard.add(alarm.urn)
                pending += [alarm] if alarm.kind == "cloudwatch.CompositeAlarm" else []
    return heard


def _may_hear(graph: Graph, alarm: Resource) -> Iterator[Unknown]:
    """The unknown values that decide whether another alarm evaluates this one: its name, or another alarm's rule."""
    composites = [one for one in graph.of_type("cloudwatch.CompositeAlarm") if one.urn != alarm.urn]
    own = [alarm.value("alarmName" if alarm.kind == "cloudwatch.CompositeAlarm" else "name")] if composites else []
    theirs = [
        one.value(key) for one in composites for key in ("alarmRule", "alarmActions", "actionsSuppressor", "alarmName")
    ]
    nested = [one.value("actionsSuppressor.alarm") for one in composites]
    yield from (value for value in (*own, *theirs, *nested) if isinstance(value, Unknown))


def _is_empty(value: Value) -> bool:
    """Whether a list has no entry. One that is not known yet has some."""
    return not isinstance(value, Unknown) and not value


def _names(alarm: Resource) -> list[str]:
    """The names by which a rule may refer to an alarm."""
    return [found for key in ("name", "alarmName", "arn") if isinstance(found := alarm.value(key), str)]


def _mentioned(rule: str) -> set[str]:
    """The alarms of a rule, without those that only keep it from being true."""
    return {quoted or plain for quoted, plain in _CHILD.findall(_KEEPS_QUIET.sub("", rule))}


def _depends(resource: Resource, key: str) -> tuple[str, ...]:
    """The resources on which a value depends that is not known before the deployment."""
    return tuple(resource.property_dependencies.get(key, ())) if isinstance(resource.value(key), Unknown) else ()


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
