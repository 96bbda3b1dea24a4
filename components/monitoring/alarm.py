"""One alarm as plain data, and the CloudWatch alarm that is made of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pulumi
import pulumi_aws as aws

GREATER = "GreaterThanThreshold"
LESS = "LessThanThreshold"

MOST_MEMBERS = 10
"""CloudWatch: at most ten metrics in one alarm."""


@dataclass(frozen=True, kw_only=True)
class AlarmSpec:
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


class AlarmsArgs(Protocol):
    """What every component of alarms is told. Each declares it itself: a package's schema has no text for inherited
    fields."""

    @property
    def environment(self) -> str:
        """Part of the alarms' names."""
        ...

    @property
    def alarm_topic_arn(self) -> pulumi.Output[str]:
        """The topic that every alarm notifies."""
        ...

    @property
    def runbook_url(self) -> str:
        """Each alarm links to ``<runbook_url>#<alarm>``."""
        ...

    @property
    def tags(self) -> dict[str, str]:
        """Tags of every resource."""
        ...


def make_alarms(
    name: str, specs: Iterable[AlarmSpec], args: AlarmsArgs, opts: pulumi.ResourceOptions
) -> dict[str, aws.cloudwatch.MetricAlarm]:
    """The alarms that the watches describe, by role, each with its destination and its runbook entry."""
    return {
        spec.role: aws.cloudwatch.MetricAlarm(
            f"{name}-{spec.role}",
            # The name is the subject of the message that wakes somebody.
            name=f"ai-interface {args.environment} {spec.role}",
            alarm_description=f"{spec.sentence}. What to do: {args.runbook_url}#{spec.role}",
            **(_of_members(spec) if spec.members else _of_one(spec)),
            comparison_operator=spec.comparison,
            threshold=spec.threshold,
            evaluation_periods=spec.periods,
            datapoints_to_alarm=spec.periods_to_alarm,
            treat_missing_data=spec.missing_data,
            alarm_actions=[args.alarm_topic_arn],
            ok_actions=[args.alarm_topic_arn],
            tags=args.tags,
            opts=opts,
        )
        for spec in specs
    }


def _of_one(spec: AlarmSpec) -> dict[str, Any]:
    return {
        "namespace": spec.namespace,
        "metric_name": spec.metric,
        "dimensions": spec.dimensions,
        "statistic": spec.statistic,
        "period": spec.period_seconds,
    }


def _of_members(spec: AlarmSpec) -> dict[str, Any]:
    """The worst member's value: the largest, or the smallest where less is worse."""
    if len(spec.members) > MOST_MEMBERS:
        raise ValueError(f"{spec.role} has {len(spec.members)} members: one alarm compares at most {MOST_MEMBERS}")
    queries = [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=f"m{number}",
            return_data=False,
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace=spec.namespace,
                metric_name=spec.metric,
                dimensions={**spec.dimensions, spec.member_dimension: member},
                period=spec.period_seconds,
                stat=spec.statistic,
            ),
        )
        for number, member in enumerate(spec.members, start=1)
    ]
    worst = "MIN" if spec.comparison == LESS else "MAX"
    ids = ", ".join(f"m{number}" for number in range(1, len(queries) + 1))
    expression = f"{worst}([{ids}])"
    label = f"{spec.metric} of the worst"
    return {
        "metric_queries": [
            *queries,
            aws.cloudwatch.MetricAlarmMetricQueryArgs(id="worst", expression=expression, label=label, return_data=True),
        ]
    }
