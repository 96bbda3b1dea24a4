"""The definition of an alarm as plain data, and the CloudWatch alarm created from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import pulumi
import pulumi_aws as aws

from components.monitoring.groups import is_grouped
from components.monitoring.statistics import is_extended, is_percentile

GREATER = "GreaterThanThreshold"
LESS = "LessThanThreshold"

METRICS_OF_AN_ALARM = 10
"""The maximum number of metrics in the expression of one alarm
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html)."""


SEVERITY_TAG = "severity"
"""The tag of an alarm with its severity, for reports and policies that do not know the topics."""


class Severity(StrEnum):
    """How soon a response is needed, and so the topic that is notified."""

    PAGE = "page"
    """Users are affected now, or data is at risk within hours."""
    TICKET = "ticket"
    """The response can wait for working hours."""


OUTAGE_PERCENT = 50
OUTAGE: dict[str, Any] = {"period_seconds": 300, "periods": 3, "periods_to_alarm": 3}
"""Failures as a share of requests, for a quarter of an hour. At low traffic even a total outage has few errors, so that a
number of errors is never reached; and a single failed request is no outage while there are no other users."""


class Combination(StrEnum):
    """How one alarm evaluates several metrics."""

    WORST = "worst"
    """The largest value, or the smallest if the alarm fires below its threshold."""
    SUM = "sum"
    """The sum. A metric without data in a period counts as 0."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One of several metrics of an alarm: its additional dimensions, and what differs from the alarm's."""

    dimensions: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    metric: str = ""
    namespace: str = ""
    """Omitted: the alarm's. With a namespace, the metric has its own dimensions only."""
    statistic: str = ""


@dataclass(frozen=True, kw_only=True)
class AlarmSpec:
    """One alarm: a CloudWatch metric, its threshold, and the runbook section that describes the response."""

    role: str
    """Part of the logical name and of the alarm's name."""
    sentence: str
    """The problem when the alarm fires, for the on-call engineer."""
    severity: Severity
    namespace: str
    metric: str
    statistic: str
    """``Average``, ``Maximum``, ``Minimum``, ``SampleCount``, ``Sum``, or an extended one such as ``p99`` or ``tm90``
    (``components.monitoring.statistics``)."""
    threshold: float
    comparison: str = GREATER
    period_seconds: int = 60
    periods: int = 5
    periods_to_alarm: int | None = 3
    """How many of the last ``periods`` must breach the threshold. ``None``: all of them."""
    missing_data: str = "notBreaching"
    """How missing data is treated: ``notBreaching`` for error counts, ``breaching`` for heartbeat metrics."""
    ignore_low_samples: bool = False
    """For a percentile: keep the alarm's state in periods with too few samples for statistical significance."""
    dimensions: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    series: Sequence[Series] = ()
    """The metrics that the alarm evaluates together, at most 10, for a fault that no single metric shows."""
    combination: Combination = Combination.WORST
    """How ``series`` are combined."""
    expression: str = ""
    """Metric math over ``series``, whose ids are ``m1``, ``m2`` and so on. Omitted: ``combination``."""
    label: str = ""
    """The label of the combined value in CloudWatch. Omitted: ``<metric> of the worst``."""
    runbook: str = ""
    """The runbook's anchor. Omitted: the role."""
    notifies: bool = True
    """False: the alarm itself sends no message, because a composite alarm that evaluates it does."""

    def __post_init__(self) -> None:
        """Refuse combinations that CloudWatch would refuse."""
        is_extended(self.statistic)
        if self.ignore_low_samples and not is_percentile(self.statistic):
            raise ValueError(
                f"{self.role} ignores low samples: CloudWatch supports that only for percentiles, not for {self.statistic}"
            )
        if self.ignore_low_samples and self.series:
            raise ValueError(
                f"{self.role} ignores low samples: CloudWatch does not support that for an expression of several metrics"
            )
        if self.expression and not self.series:
            raise ValueError(f"{self.role} has an expression without series: list the metrics that it refers to")
        if self.series and self.combination is Combination.SUM and self.statistic not in ("SampleCount", "Sum"):
            raise ValueError(
                f"{self.role} adds up {self.statistic} of several metrics: only Sum and SampleCount can be added"
            )
        if len(self.series) > METRICS_OF_AN_ALARM:
            raise ValueError(
                f"{self.role} has {len(self.series)} metrics: one alarm evaluates at most {METRICS_OF_AN_ALARM}; split them "
                "across several alarms"
            )
        if self.periods_to_alarm is not None and not 1 <= self.periods_to_alarm <= self.periods:
            raise ValueError(
                f"{self.role} fires after {self.periods_to_alarm} of {self.periods} periods: set it to 1 to {self.periods}"
            )


class AlarmsArgs(Protocol):
    """The common arguments of the alarm components. Each component declares them itself, because a package schema has
    no description for inherited fields."""

    @property
    def environment(self) -> str:
        """Part of the alarms' names."""
        ...

    @property
    def alarm_topic_arn(self) -> pulumi.Output[str]:
        """The topic of alarms of severity ``page``."""
        ...

    @property
    def ticket_topic_arn(self) -> pulumi.Output[str]:
        """The topic of alarms of severity ``ticket``."""
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
    name: str,
    specs: Iterable[AlarmSpec],
    args: AlarmsArgs,
    opts: pulumi.ResourceOptions,
    *,
    together: bool = False,
) -> dict[str, aws.cloudwatch.MetricAlarm]:
    """Creates the alarms, by role, each with its destination and runbook entry. ``together``: the composite alarms of ``Pages``
    send the messages of those that ``components.monitoring.pages`` groups."""
    return {
        spec.role: aws.cloudwatch.MetricAlarm(
            f"{name}-{spec.role}",
            # The subject of the message to the on-call engineer.
            name=f"ai-interface {args.environment} {spec.role}",
            alarm_description=f"{spec.sentence}. Severity: {spec.severity}. "
            f"What to do: {args.runbook_url}#{spec.runbook or spec.role}",
            **(_of_several(spec) if spec.series else _of_one(spec)),
            comparison_operator=spec.comparison,
            threshold=spec.threshold,
            evaluation_periods=spec.periods,
            datapoints_to_alarm=spec.periods_to_alarm,
            treat_missing_data=spec.missing_data,
            alarm_actions=_destinations(spec, args, together=together),
            ok_actions=_destinations(spec, args, together=together),
            tags={**args.tags, SEVERITY_TAG: spec.severity.value},
            opts=opts,
        )
        for spec in specs
    }


def arns_of(alarms: Mapping[str, aws.cloudwatch.MetricAlarm]) -> pulumi.Output[list[str]]:
    """The ARNs of the alarms, sorted."""
    return pulumi.Output.all(*(alarm.arn for alarm in alarms.values())).apply(
        lambda arns: sorted(str(one) for one in arns)
    )


def names_of(alarms: Mapping[str, aws.cloudwatch.MetricAlarm]) -> pulumi.Output[list[str]]:
    """The names of the alarms, sorted. Unlike the ARNs they are known before the deployment."""
    return pulumi.Output.all(*(alarm.name for alarm in alarms.values())).apply(
        lambda names: sorted(str(one) for one in names)
    )


def topic_of(severity: Severity, args: AlarmsArgs) -> pulumi.Output[str]:
    """The topic of messages of a severity."""
    return args.alarm_topic_arn if severity is Severity.PAGE else args.ticket_topic_arn


def _destinations(spec: AlarmSpec, args: AlarmsArgs, *, together: bool) -> list[pulumi.Output[str]]:
    return [topic_of(spec.severity, args)] if spec.notifies and not (together and is_grouped(spec.role)) else []


def _of_one(spec: AlarmSpec) -> dict[str, Any]:
    statistic = "extended_statistic" if is_extended(spec.statistic) else "statistic"
    return {
        "namespace": spec.namespace,
        "metric_name": spec.metric,
        "dimensions": spec.dimensions,
        statistic: spec.statistic,
        "period": spec.period_seconds,
        **({"evaluate_low_sample_count_percentiles": "ignore"} if spec.ignore_low_samples else {}),
    }


def _of_several(spec: AlarmSpec) -> dict[str, Any]:
    # The ids are part of each alarm: a different numbering would change every alarm.
    first = 1 if spec.expression or spec.combination is Combination.WORST else 0
    queries = [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=f"m{number}",
            return_data=False,
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace=series.namespace or spec.namespace,
                metric_name=series.metric or spec.metric,
                dimensions={**({} if series.namespace else spec.dimensions), **series.dimensions},
                period=spec.period_seconds,
                stat=series.statistic or spec.statistic,
            ),
        )
        for number, series in enumerate(spec.series, start=first)
    ]
    ids = [f"m{number}" for number in range(first, first + len(queries))]
    if spec.expression:
        name, expression = "value", spec.expression
    elif spec.combination is Combination.SUM:
        name, expression = "total", " + ".join(f"FILL({one}, 0)" for one in ids)
    else:
        worst = "MIN" if spec.comparison == LESS else "MAX"
        name, expression = "worst", f"{worst}([{', '.join(ids)}])"
    result = aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=name, expression=expression, label=spec.label or f"{spec.metric} of the worst", return_data=True
    )
    return {"metric_queries": [*queries, result]}
