"""Alarms are quiet and reach somebody, and logs arrive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from preflight.account.lines import Group, Line, Status
from preflight.account.parts import AbsentError
from preflight.verify.asking import Asking, Part
from preflight.verify.stack import Stack

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
GROUPS = "aws:cloudwatch/logGroup:LogGroup"
TOPIC = "aws:sns/topic:Topic"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
FLOW = "aws:ec2/flowLog:FlowLog"
QUERIES = "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig"
INSIGHTS = "/aws/ecs/containerinsights/"
"""Container Insights writes each minute while a task runs."""
WINDOW = dt.timedelta(hours=2)
"""CloudWatch Logs updates the times of a stream within an hour as a rule
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogStream.html)."""
QUIET = dt.timedelta(days=1)
PENDING = ("PendingConfirmation", "Deleted")
MOST_NAMES = 100
"""DescribeAlarms takes no more names (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html)."""


def alarms(asking: Asking, group: Group) -> Iterator[Line]:
    """Each recorded alarm exists, acts, and is OK."""
    wanted = asking.named(ALARM)
    found = {
        str(one["AlarmName"]): one
        for start in range(0, len(wanted), MOST_NAMES)
        for one in asking.account.every(
            "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNames=wanted[start : start + MOST_NAMES]
        )
    }
    for name in wanted:
        subject = f"alarm {name}"
        if (alarm := found.get(name)) is None:
            yield group.missing(subject, "does not exist", "pulumi up")
        elif not alarm.get("ActionsEnabled", True) or not alarm.get("AlarmActions"):
            yield group.missing(subject, "does not act", "aws cloudwatch enable-alarm-actions, or pulumi up")
        elif alarm["StateValue"] == "INSUFFICIENT_DATA":
            fix = "its metric has had no data yet: run it again after use; docs/runbook.md says which alarms that holds for"
            yield group.cannot_tell(subject, "INSUFFICIENT_DATA", fix)
        else:
            state = str(alarm["StateValue"])
            fix = f"{alarm.get('AlarmDescription') or 'docs/runbook.md says what it means'}"
            yield group.holds(subject, state == "OK", state, fix)


def subscriptions(asking: Asking, group: Group) -> Iterator[Line]:
    """Each recorded subscription exists and has been confirmed."""
    name = next((live for _, live in asking.live(TOPIC, r"sns:[^:]+:\d+:") if live), "")
    if not name:
        raise AbsentError("the topic of the alarms")
    key, topic = "Subscriptions", asking.live_arn(name)
    found = asking.account.every("sns", "list_subscriptions_by_topic", key, TopicArn=topic)
    by_endpoint = {(str(one["Protocol"]), str(one["Endpoint"])): str(one["SubscriptionArn"]) for one in found}
    for inputs in asking.stack.inputs(SUBSCRIPTION):
        endpoint = str(inputs["endpoint"])
        subject = f"subscription of {endpoint}"
        arn = by_endpoint.get((str(inputs["protocol"]), endpoint))
        if arn is None:
            yield group.missing(subject, "does not exist", "pulumi up")
        else:
            fix = f"{endpoint} opens the link of AWS's message; without it no alarm reaches anyone"
            yield group.holds(
                subject, arn not in PENDING, "is not confirmed" if arn in PENDING else "is confirmed", fix
            )


def busy_groups(stack: Stack) -> frozenset[str]:
    """The log groups whose silence is a fault: flow logs, DNS queries and Container Insights."""
    arns = [str(inputs["logDestination"]) for inputs in stack.inputs(FLOW)]
    arns += [str(inputs["destinationArn"]) for inputs in stack.inputs(QUERIES)]
    names = {arn.rpartition("log-group:")[2].removesuffix(":*") for arn in arns if ":log-group:" in arn}
    groups = {str(inputs["name"]) for inputs in stack.inputs(GROUPS)}
    return frozenset(names & groups | {name for name in groups if name.startswith(INSIGHTS)})


def logs(asking: Asking, group: Group) -> Iterator[Line]:
    """Each recorded log group exists, and has what arrived lately."""
    busy = busy_groups(asking.stack)
    for name in asking.named(GROUPS):
        subject = f"log {name}"
        described = asking.account.every("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
        found = next((one for one in described if one["logGroupName"] == name), None)
        if found is None:
            yield group.missing(subject, "does not exist", "pulumi up")
            continue
        answer = asking.account.ask(
            "logs", "describe_log_streams", logGroupName=name, orderBy="LastEventTime", descending=True, limit=1
        )
        times = [int(one.get("lastIngestionTime") or 0) for one in answer["logStreams"]]
        yield _arriving(asking, group, subject, max(times, default=0), int(found["creationTime"]), busy=name in busy)


def _arriving(asking: Asking, group: Group, subject: str, last: int, created: int, *, busy: bool) -> Line:
    quiet = asking.now - dt.datetime.fromtimestamp(last / 1000, dt.UTC)
    if last and quiet <= (WINDOW if busy else QUIET):
        return group.ok(subject, f"something arrived within {'2 hours' if busy else 'a day'}")
    since = (
        f"nothing since {dt.datetime.fromtimestamp(last / 1000, dt.UTC):%Y-%m-%d}" if last else "nothing has arrived"
    )
    young = asking.now - dt.datetime.fromtimestamp(created / 1000, dt.UTC) <= WINDOW
    if busy and not young:
        fix = "what writes to it has no permission, or no route: look at its role, key and endpoint in docs/runbook.md"
        return group.missing(subject, since, fix)
    fix = "run it again in two hours" if busy else "nothing may be what there is to write; look into it after use"
    return Line(group.name, subject, Status.CANNOT_TELL, since, fix)


PART = Part("watching", (("alarms", alarms), ("subscriptions", subscriptions), ("logs", logs)))
