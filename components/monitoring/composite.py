"""Composite alarms: one message for several alarms, and none while a worse alarm explains it."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.monitoring.alarm import SEVERITY_TAG, AlarmsArgs, Severity, topic_of

WAIT_SECONDS = 300
"""How long a message waits for the alarm that explains it, and how long it is held back after that alarm has ended: the difference
between three failing minutes, after which the first alarms fire, and five, plus the minutes of the evaluations."""

Rule = pulumi.Output[str]


def firing(alarm: pulumi.Input[str]) -> Rule:
    """True while this alarm fires. By name: an ARN is not known before the deployment."""
    return pulumi.Output.from_input(alarm).apply(lambda name: f'ALARM("{name}")')


def both(*alarms: pulumi.Input[str]) -> Rule:
    """True while all of these alarms fire."""
    return pulumi.Output.all(*(firing(one) for one in alarms)).apply(lambda all_: f"({' AND '.join(map(str, all_))})")


def any_of(rules: Sequence[Rule]) -> Rule:
    """True while one of the rules is true."""
    return pulumi.Output.all(*rules).apply(lambda all_: " OR ".join(map(str, all_)))


def make_composite(
    name: str,
    role: str,
    sentence: str,
    rule: Rule,
    args: AlarmsArgs,
    *,
    opts: pulumi.ResourceOptions,
    severity: Severity = Severity.PAGE,
    explained_by: pulumi.Input[str] | None = None,
    notifies: bool = True,
) -> aws.cloudwatch.CompositeAlarm:
    """Creates one composite alarm with its destination and runbook entry. ``explained_by`` is the name of an alarm while which
    fires this one sends no message. ``notifies`` is false if another composite alarm sends its message."""
    destinations = [topic_of(severity, args)] if notifies else []
    suppressor = (
        aws.cloudwatch.CompositeAlarmActionsSuppressorArgs(
            alarm=explained_by, extension_period=WAIT_SECONDS, wait_period=WAIT_SECONDS
        )
        if explained_by is not None
        else None
    )
    return aws.cloudwatch.CompositeAlarm(
        f"{name}-{role}",
        alarm_name=f"ai-interface {args.environment} {role}",
        alarm_description=f"{sentence}. Severity: {severity}. What to do: {args.runbook_url}#{role}",
        alarm_rule=rule,
        alarm_actions=destinations,
        ok_actions=destinations,
        actions_suppressor=suppressor,
        tags={**args.tags, SEVERITY_TAG: severity.value},
        opts=opts,
    )
