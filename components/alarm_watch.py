"""One alarm as plain data, and the CloudWatch alarm that is made of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

GREATER = "GreaterThanThreshold"
LESS = "LessThanThreshold"

MOST_MEMBERS = 10
"""CloudWatch: at most ten metrics in one alarm."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One alarm: a CloudWatch metric, the line it must not cross, and the runbook section that says what to do."""

    role: str
    """Part of the logical name, and the runbook's anchor."""
    sentence: str
    """What is wrong when it fires, in the words of the person who is woken."""
    namespace: str
    metric: str
    statistic: str
    threshold: float
    comparison: str = GREATER
    period_seconds: int = 60
    periods: int = 5
    periods_to_alarm: int = 3
    missing_data: str = "notBreaching"
    """What silence means: ``notBreaching`` for counts of errors, ``breaching`` for signs of life."""
    dimensions: dict[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    members: Sequence[pulumi.Input[str]] = ()
    """Where a metric has no value for the whole: values of ``member_dimension``, of which the worst one counts."""
    member_dimension: str = ""


def make_alarm(
    name: str,
    watch: Watch,
    topic_arn: pulumi.Output[str],
    runbook_url: str,
    *,
    environment: str,
    tags: dict[str, str],
    child: pulumi.ResourceOptions,
) -> aws.cloudwatch.MetricAlarm:
    """The alarm that a watch describes, with its destination and its runbook entry."""
    return aws.cloudwatch.MetricAlarm(
        name,
        # The name is the subject of the message that wakes somebody.
        name=f"ai-interface {environment} {watch.role}",
        alarm_description=f"{watch.sentence}. What to do: {runbook_url}#{watch.role}",
        **(_of_members(watch) if watch.members else _of_one(watch)),
        comparison_operator=watch.comparison,
        threshold=watch.threshold,
        evaluation_periods=watch.periods,
        datapoints_to_alarm=watch.periods_to_alarm,
        treat_missing_data=watch.missing_data,
        alarm_actions=[topic_arn],
        ok_actions=[topic_arn],
        tags=tags,
        opts=child,
    )


def _of_one(watch: Watch) -> dict[str, Any]:
    return {
        "namespace": watch.namespace,
        "metric_name": watch.metric,
        "dimensions": watch.dimensions,
        "statistic": watch.statistic,
        "period": watch.period_seconds,
    }


def _of_members(watch: Watch) -> dict[str, Any]:
    """The worst member's value: the largest, or the smallest where less is worse."""
    if len(watch.members) > MOST_MEMBERS:
        raise ValueError(f"{watch.role} has {len(watch.members)} members: one alarm compares at most {MOST_MEMBERS}")
    queries = [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=f"m{number}",
            return_data=False,
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace=watch.namespace,
                metric_name=watch.metric,
                dimensions={**watch.dimensions, watch.member_dimension: member},
                period=watch.period_seconds,
                stat=watch.statistic,
            ),
        )
        for number, member in enumerate(watch.members, start=1)
    ]
    worst = "MIN" if watch.comparison == LESS else "MAX"
    ids = ", ".join(f"m{number}" for number in range(1, len(queries) + 1))
    expression = f"{worst}([{ids}])"
    label = f"{watch.metric} of the worst"
    return {
        "metric_queries": [
            *queries,
            aws.cloudwatch.MetricAlarmMetricQueryArgs(id="worst", expression=expression, label=label, return_data=True),
        ]
    }
