"""Alarms are OK and their notifications are confirmed, and logs arrive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from preflight.account.lines import Group, Line, Status
from preflight.account.parts import AbsentError
from preflight.verify.context import Part, VerifyContext
from preflight.verify.stack import StackInCheckout

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
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
PENDING = ("PendingConfirmation", "Deleted")
MOST_NAMES = 100
"""The maximum number of names in one DescribeAlarms call
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html)."""


def alarms(context: VerifyContext, group: Group) -> Iterator[Line]:
    """Each recorded alarm exists, has its actions enabled, and is OK."""
    wanted = context.named(ALARM)
    found = {
        str(one["AlarmName"]): one
        for start in range(0, len(wanted), MOST_NAMES)
        for one in context.account.every(
            "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNames=wanted[start : start + MOST_NAMES]
        )
    }
    for name in wanted:
        subject = f"alarm {name}"
        if (alarm := found.get(name)) is None:
            yield group.missing(subject, "does not exist", "pulumi up")
        elif not alarm.get("ActionsEnabled", True) or not alarm.get("AlarmActions"):
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


def subscriptions(context: VerifyContext, group: Group) -> Iterator[Line]:
    """Each recorded subscription exists and has been confirmed."""
    name = next((live for _, live in context.live(TOPIC, r"sns:[^:]+:\d+:") if live), "")
    if not name:
        raise AbsentError("the topic of the alarms")
    key, topic = "Subscriptions", context.live_arn(name)
    found = context.account.every("sns", "list_subscriptions_by_topic", key, TopicArn=topic)
    by_endpoint = {(str(one["Protocol"]), str(one["Endpoint"])): str(one["SubscriptionArn"]) for one in found}
    for inputs in context.stack.inputs(SUBSCRIPTION):
        endpoint = str(inputs["endpoint"])
        subject = f"subscription of {endpoint}"
        arn = by_endpoint.get((str(inputs["protocol"]), endpoint))
        if arn is None:
            yield group.missing(subject, "does not exist", "pulumi up")
        else:
            fix = f"{endpoint} must open the link in the e-mail from AWS; until then no alarm is delivered"
            yield group.holds(
                subject, arn not in PENDING, "is not confirmed" if arn in PENDING else "is confirmed", fix
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
