"""Alarms are OK and their notifications are confirmed, and logs arrive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from preflight.account.lines import Group, Line, Status
from preflight.account.parts import AbsentError
from preflight.ready.wanted import properties
from preflight.verify.context import Part, VerifyContext
from preflight.verify.stack import StackInCheckout

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
GROUPS = "aws:cloudwatch/logGroup:LogGroup"
TOPIC = "aws:sns/topic:Topic"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
FLOW = "aws:ec2/flowLog:FlowLog"
QUERIES = "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig"
INSIGHTS = "/aws/ecs/containerinsights/"
"""Container Insights writes every minute while a task runs."""
WINDOW = dt.timedelta(hours=2)
"""CloudWatch Logs usually updates a stream's timestamps within an hour
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogStream.html)."""
QUIET = dt.timedelta(days=1)
HTTPS = "https"
PENDING = ("PendingConfirmation", "Deleted")
MOST_NAMES = 100
"""The maximum number of names in one DescribeAlarms call
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html)."""


def alarms(context: VerifyContext, group: Group) -> Iterator[Line]:
    """Each recorded alarm exists, has its actions enabled if it has any, and is OK."""
    silent = {
        str(properties(one)[key])
        for type_, key in ((ALARM, "name"), (COMPOSITE, "alarmName"))
        for one in context.stack.resources(type_)
        if not properties(one).get("alarmActions")
    }
    found = {
        **_described(context, "MetricAlarm", context.named(ALARM)),
        **_described(context, "CompositeAlarm", context.named(COMPOSITE, "alarmName")),
    }
    for name, alarm in found.items():
        subject = f"alarm {name}"
        if alarm is None:
            yield group.missing(subject, "does not exist", "pulumi up")
        elif name not in silent and not (alarm.get("ActionsEnabled", True) and alarm.get("AlarmActions")):
            yield group.missing(
                subject, "has its actions disabled", "aws cloudwatch enable-alarm-actions, or pulumi up"
            )
        elif alarm["StateValue"] == "INSUFFICIENT_DATA":
            fix = "its metric has no data yet: run the command again after the service has been used; docs/runbook.md lists such alarms"
            yield group.cannot_tell(subject, "INSUFFICIENT_DATA", fix)
        else:
            state = str(alarm["StateValue"])
            fix = f"{alarm.get('AlarmDescription') or 'docs/runbook.md explains it'}"
            yield group.holds(subject, state == "OK", state, fix)


def _described(context: VerifyContext, kind: str, wanted: list[str]) -> dict[str, dict[str, Any] | None]:
    """Name → the alarm as AWS describes it, or ``None`` if it does not exist. Without its kind, CloudWatch describes no composite
    alarm."""
    found = {
        str(one["AlarmName"]): one
        for start in range(0, len(wanted), MOST_NAMES)
        for one in context.account.every(
            "cloudwatch",
            "describe_alarms",
            f"{kind}s",
            AlarmNames=wanted[start : start + MOST_NAMES],
            AlarmTypes=[kind],
        )
    }
    return {name: found.get(name) for name in wanted}


def subscriptions(context: VerifyContext, group: Group) -> Iterator[Line]:
    """Each recorded subscription of each topic exists and has been confirmed. The URL of an HTTPS endpoint contains its key,
    so it is neither compared nor shown: the topic must have as many as are recorded."""
    topics = context.live(TOPIC, r"sns:[^:]+:\d+:")
    if not topics or not all(name for _, name in topics):
        raise AbsentError("the topics of the alarms")
    for logical, name in topics:
        key, topic = "Subscriptions", context.live_arn(name)
        found = context.account.every("sns", "list_subscriptions_by_topic", key, TopicArn=topic)
        by_endpoint = {(str(one["Protocol"]), str(one["Endpoint"])): str(one["SubscriptionArn"]) for one in found}
        # Those that are confirmed count first, so that a left-over subscription does not hide them.
        hidden = sorted(
            (str(one["SubscriptionArn"]) for one in found if one["Protocol"] == HTTPS),
            key=lambda arn: (arn in PENDING, arn),
        )
        for resource in context.stack.resources(SUBSCRIPTION):
            inputs = properties(resource)
            if context.recorded(TOPIC, str(inputs["topic"])) != logical:
                continue
            if inputs["protocol"] == HTTPS:
                arn = hidden.pop(0) if hidden else None
                yield _subscription(group, f"{resource.name} of topic {name}", resource.name, arn)
            else:
                endpoint = str(inputs["endpoint"])
                arn = by_endpoint.get((str(inputs["protocol"]), endpoint))
                yield _subscription(group, f"{endpoint} of topic {name}", endpoint, arn)


def _subscription(group: Group, subject: str, recipient: str, arn: str | None) -> Line:
    if arn is None:
        return group.missing(f"subscription of {subject}", "does not exist", "pulumi up")
    fix = f"{recipient} must open the link in the message from AWS; until then no alarm is delivered"
    confirmed = arn not in PENDING
    return group.holds(
        f"subscription of {subject}", confirmed, "is confirmed" if confirmed else "is not confirmed", fix
    )


def busy_groups(stack: StackInCheckout) -> frozenset[str]:
    """The log groups that must receive events: flow logs, DNS queries and Container Insights."""
    arns = [str(inputs["logDestination"]) for inputs in stack.inputs(FLOW)]
    arns += [str(inputs["destinationArn"]) for inputs in stack.inputs(QUERIES)]
    names = {arn.rpartition("log-group:")[2].removesuffix(":*") for arn in arns if ":log-group:" in arn}
    groups = {str(inputs["name"]) for inputs in stack.inputs(GROUPS)}
    return frozenset(names & groups | {name for name in groups if name.startswith(INSIGHTS)})


def logs(context: VerifyContext, group: Group) -> Iterator[Line]:
    """Each recorded log group exists and has recent events."""
    busy = busy_groups(context.stack)
    for name in context.named(GROUPS):
        subject = f"log {name}"
        described = context.account.every("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
        found = next((one for one in described if one["logGroupName"] == name), None)
        if found is None:
            yield group.missing(subject, "does not exist", "pulumi up")
            continue
        answer = context.account.ask(
            "logs", "describe_log_streams", logGroupName=name, orderBy="LastEventTime", descending=True, limit=1
        )
        times = [int(one.get("lastIngestionTime") or 0) for one in answer["logStreams"]]
        yield _arriving(context, group, subject, max(times, default=0), int(found["creationTime"]), busy=name in busy)


def _arriving(context: VerifyContext, group: Group, subject: str, last: int, created: int, *, busy: bool) -> Line:
    quiet = context.now - dt.datetime.fromtimestamp(last / 1000, dt.UTC)
    if last and quiet <= (WINDOW if busy else QUIET):
        return group.ok(subject, f"events arrived within {'2 hours' if busy else 'a day'}")
    since = (
        f"no events since {dt.datetime.fromtimestamp(last / 1000, dt.UTC):%Y-%m-%d}"
        if last
        else "no events have arrived"
    )
    young = context.now - dt.datetime.fromtimestamp(created / 1000, dt.UTC) <= WINDOW
    if busy and not young:
        fix = "the writer lacks a permission or a route: check its role, key and endpoint (docs/runbook.md)"
        return group.missing(subject, since, fix)
    fix = (
        "run the command again in two hours"
        if busy
        else "there may be no events to write; check again after the service has been used"
    )
    return Line(group.name, subject, Status.CANNOT_TELL, since, fix)


PART = Part("alarms and logs", (("alarms", alarms), ("subscriptions", subscriptions), ("logs", logs)))
