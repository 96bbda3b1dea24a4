"""CloudWatch, log groups, EventBridge, SNS and budgets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from preflight.conform.documented.model import (
    Constraint,
    Entries,
    Json,
    Measured,
    Numbers,
    Shared,
    Text,
    document,
    listed,
    mapping,
)
from preflight.recording.recorder import RecordedResource, Recording

ALARM, RULE, TARGET = (
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/eventTarget:EventTarget",
)
MASKING = "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy"
LOG_POLICY, BUDGET = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy", "aws:budgets/budget:Budget"
HOUR = 3600
PERIODS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#CloudWatchPeriods"
"""A period is as short as one second or as long as one day. The reference of PutMetricAlarm limits only all periods together, so the
stricter of the two pages counts."""
PUT_ALARM = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
PUT_MASKING = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDataProtectionPolicy.html"
OWN_IDENTIFIERS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL-custom-data-identifiers.html"
LOG_QUOTAS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"
EVENT_QUOTAS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"
BUDGET_QUOTAS = "https://docs.aws.amazon.com/cost-management/latest/userguide/management-limits.html"


STATISTICS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"
_STATISTIC = "SampleCount|Average|Sum|Minimum|Maximum"
_PERCENT, _VALUE = r"(100(\.0+)?|[1-9]?\d(\.\d{1,10})?)", r"\d+(\.\d+)?"
_PATTERN = r"[\w#=@/;, \-^$?\[\]{}|\\*+.]"
_RANGE = rf"(({_PERCENT}%)?:{_PERCENT}%|{_PERCENT}%:|({_VALUE})?:{_VALUE}|{_VALUE}:)"
_EXTENDED = rf"(p|tm|tc|ts|wm){_PERCENT}|IQM|PR\((({_VALUE})?:{_VALUE}|{_VALUE}:)\)|(TM|TC|TS|WM)\({_RANGE}\)"


def _queries(alarm: RecordedResource) -> list[dict[str, Json]]:
    return [mapping(query) for query in listed(alarm.inputs.get("metricQueries"))]


def _metrics(recording: Recording) -> Numbers:
    for alarm in recording.of_type(ALARM):
        yield alarm, "metricQueries", sum(1 for query in _queries(alarm) if query.get("metric"))


def _statistics(recording: Recording) -> Numbers:
    for alarm in recording.of_type(ALARM):
        given = sum(alarm.inputs.get(name) is not None for name in ("statistic", "extendedStatistic"))
        yield alarm, "statistic", abs(given - (alarm.inputs.get("metricName") is not None))


def _unknown_statistics(recording: Recording) -> Numbers:
    for alarm in recording.of_type(ALARM):
        name = alarm.inputs.get("extendedStatistic")
        yield alarm, "extendedStatistic", int(isinstance(name, str) and not re.fullmatch(_EXTENDED, name))


def longest_period(alarm: RecordedResource) -> int:
    """The longest period that an alarm evaluates, in seconds."""
    periods = [mapping(query.get("metric")).get("period") for query in _queries(alarm)]
    return max((int(one) for one in (alarm.inputs.get("period"), *periods) if one), default=0)


def _longest_periods(recording: Recording) -> Numbers:
    for alarm in recording.of_type(ALARM):
        yield alarm, "period", longest_period(alarm)


def _windows(*, of_hours: bool) -> Callable[[Recording], Numbers]:
    def numbers(recording: Recording) -> Numbers:
        for alarm in recording.of_type(ALARM):
            period = longest_period(alarm)
            if (period >= HOUR) is of_hours:
                yield alarm, "evaluationPeriods", period * int(alarm.inputs.get("evaluationPeriods") or 1)

    return numbers


def _returned(recording: Recording) -> Numbers:
    for alarm in recording.of_type(ALARM):
        if queries := _queries(alarm):
            yield alarm, "metricQueries", sum(1 for query in queries if query.get("returnData"))


def _masking(recording: Recording) -> Iterator[tuple[RecordedResource, dict[str, Json]]]:
    for policy in recording.of_type(MASKING):
        yield policy, mapping(document(policy.inputs.get("policyDocument")))


def _masked_otherwise(recording: Recording) -> Numbers:
    """How many statements have other identifiers than the first, or neither or both operations are missing."""
    for policy, found in _masking(recording):
        statements = [mapping(one) for one in listed(found.get("Statement"))]
        operations = sorted(name for one in statements for name in mapping(one.get("Operation")))
        identifiers = [sorted(map(str, listed(one.get("DataIdentifier")))) for one in statements]
        wrong = sum(one != identifiers[0] for one in identifiers) + (operations != ["Audit", "Deidentify"])
        yield policy, "policyDocument", wrong


def _own_identifiers(recording: Recording) -> Iterator[tuple[RecordedResource, list[dict[str, Json]]]]:
    for policy, found in _masking(recording):
        yield policy, [mapping(one) for one in listed(mapping(found.get("Configuration")).get("CustomDataIdentifier"))]


def _own_identifier_count(recording: Recording) -> Numbers:
    for policy, own in _own_identifiers(recording):
        yield policy, "policyDocument", len(own)


def _bad_own_identifiers(recording: Recording) -> Numbers:
    for policy, own in _own_identifiers(recording):
        names = [(str(one.get("Name")), str(one.get("Regex"))) for one in own]
        good = [re.fullmatch(r"[\w-]{1,128}", a) and re.fullmatch(rf"{_PATTERN}{{1,200}}", b) for a, b in names]
        yield policy, "policyDocument", sum(not one for one in good)


CONSTRAINTS: tuple[Constraint, ...] = (
    Text(
        name="alarm-name",
        source=PUT_ALARM,
        wanted="1 to 255 characters of UTF-8, none of them a control character",
        fix="shorten the name",
        types={ALARM: ("name",)},
        pattern=r"[^\x00-\x1f]+",
        most=255,
    ),
    Text(
        name="alarm-description",
        source=PUT_ALARM,
        wanted="at most 1024 characters",
        fix="shorten the description or the runbook's URL",
        types={ALARM: ("alarmDescription",)},
        most=1024,
    ),
    Entries(
        name="alarm-actions",
        source=PUT_ALARM,
        wanted="at most 5 actions for each alarm state",
        fix="use one topic that notifies the others",
        types={ALARM: ("alarmActions", "okActions", "insufficientDataActions")},
        most=5,
    ),
    Measured(
        name="alarm-statistic",
        source=PUT_ALARM,
        wanted="one of statistic and extendedStatistic with a metric, and neither with metricQueries",
        fix="write percentiles and trimmed statistics as extendedStatistic, and all others as statistic",
        numbers=_statistics,
        unit="too many or too few",
        most=0,
    ),
    Text(
        name="alarm-statistic-name",
        source=PUT_ALARM,
        wanted="SampleCount, Average, Sum, Minimum or Maximum",
        fix="write one of these, or another one as extendedStatistic",
        types={ALARM: ("statistic",)},
        pattern=_STATISTIC,
    ),
    Measured(
        name="alarm-extended-statistic-name",
        source=STATISTICS,
        wanted="a percentile such as p99.9, tm90, tc90, ts90, wm90, IQM, or a range such as TM(10%:90%) or PR(0:2000)",
        fix="correct the value; write Sum, Average and the other basic statistics as statistic",
        numbers=_unknown_statistics,
        unit="that CloudWatch does not support",
        most=0,
    ),
    Text(
        name="alarm-query-statistic-name",
        source=STATISTICS,
        wanted="a statistic or an extended statistic",
        fix="correct it",
        types={ALARM: ("metricQueries[].metric.stat",)},
        pattern=f"{_STATISTIC}|{_EXTENDED}",
    ),
    Measured(
        name="alarm-metrics",
        source="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html",
        wanted="at most 10 metrics in the formula of one alarm",
        fix="split the metrics between several alarms",
        numbers=_metrics,
        unit="metrics",
        most=10,
    ),
    Measured(
        name="alarm-result",
        source=PUT_ALARM,
        wanted="exactly one query that returns data",
        fix="set returnData on the formula only",
        numbers=_returned,
        unit="results",
        least=1,
        most=1,
    ),
    Measured(
        name="alarm-period",
        source=PERIODS,
        wanted="a period of at most one day",
        fix="evaluate several periods of a day",
        numbers=_longest_periods,
        unit="seconds",
        most=24 * HOUR,
    ),
    Measured(
        name="alarm-window",
        source=PUT_ALARM,
        wanted="at most one day for all periods together if a period is shorter than an hour",
        fix="evaluate fewer or shorter periods",
        numbers=_windows(of_hours=False),
        unit="seconds",
        most=24 * HOUR,
    ),
    Measured(
        name="alarm-window-of-hours",
        source=PUT_ALARM,
        wanted="at most seven days for all periods together if a period is an hour or longer",
        fix="evaluate fewer or shorter periods",
        numbers=_windows(of_hours=True),
        unit="seconds",
        most=7 * 24 * HOUR,
    ),
    Shared(
        name="log-resource-policies",
        source=LOG_QUOTAS,
        wanted="at most 10 resource policies of an account in one region",
        fix="merge the statements for several log groups into one policy",
        type=LOG_POLICY,
        most=10,
    ),
    Text(
        name="log-resource-policy-size",
        source="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html",
        wanted="at most 5120 characters",
        fix="replace log groups by a prefix with a wildcard",
        types={LOG_POLICY: ("policyDocument",)},
        most=5120,
    ),
    Text(
        name="log-masking-size",
        source=PUT_MASKING,
        wanted="at most 30720 characters",
        fix="leave identifiers out",
        types={MASKING: ("policyDocument",)},
        most=30720,
    ),
    Measured(
        name="log-masking-statements",
        source=PUT_MASKING,
        wanted="one statement with Audit and one with Deidentify, with the same data identifiers",
        fix="write the same DataIdentifier list into both statements",
        numbers=_masked_otherwise,
        unit="differences",
        most=0,
    ),
    Measured(
        name="log-masking-own-identifiers",
        source=OWN_IDENTIFIERS,
        wanted="at most 10 custom data identifiers in one policy",
        fix="combine two patterns, or leave one out",
        numbers=_own_identifier_count,
        unit="identifiers",
        most=10,
    ),
    Measured(
        name="log-masking-pattern",
        source=OWN_IDENTIFIERS,
        wanted="a name of letters, digits, _ and -, and a pattern of at most 200 letters, digits and _#=@/;,- ^$?[]{}|\\*+.",
        fix="write the pattern with these characters: there are no groups",
        numbers=_bad_own_identifiers,
        unit="identifiers that CloudWatch Logs refuses",
        most=0,
    ),
    Text(
        name="log-group-name",
        source="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
        wanted="1 to 512 letters, digits and _-/.#, not beginning with aws/",
        fix="choose another name",
        types={"aws:cloudwatch/logGroup:LogGroup": ("=name",)},
        pattern=r"(?!aws/)[a-zA-Z0-9_/.#-]+",
        most=512,
    ),
    Shared(
        name="targets-per-rule",
        source=EVENT_QUOTAS,
        wanted="at most 5 targets of one rule",
        fix="use one topic that notifies the others",
        type=TARGET,
        owner="rule",
        most=5,
    ),
    Text(
        name="event-pattern-size",
        source=EVENT_QUOTAS,
        wanted="at most 2048 characters",
        fix="split the pattern between several rules",
        types={RULE: ("eventPattern",)},
        most=2048,
    ),
    Text(
        name="event-rule-name",
        source="https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html",
        wanted="at most 64 letters, digits and .-_",
        fix="shorten the name; if none is set, Pulumi appends a hyphen and seven digits to the logical name",
        types={RULE: ("=name",)},
        pattern=r"[.\-_A-Za-z0-9]+",
        most=64,
    ),
    Text(
        name="event-rule-description",
        source="https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html",
        wanted="at most 512 characters",
        fix="shorten the description",
        types={RULE: ("description",)},
        most=512,
    ),
    Text(
        name="topic-name",
        source="https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html",
        wanted="at most 256 letters, digits, _ and -",
        fix="shorten the name",
        types={"aws:sns/topic:Topic": ("=name",)},
        pattern=r"[A-Za-z0-9_-]+(\.fifo)?",
        most=256,
    ),
    Text(
        name="budget-name",
        source="https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Budget.html",
        wanted="1 to 100 characters, none of them : or \\, and no /action/",
        fix="choose another name",
        types={BUDGET: ("name",)},
        pattern=r"(?!.*/action/)[^:\\]+",
        most=100,
    ),
    Entries(
        name="budget-notifications",
        source=BUDGET_QUOTAS,
        wanted="at most 10 notifications of one budget",
        fix="remove thresholds",
        types={BUDGET: ("notifications",)},
        most=10,
    ),
    Entries(
        name="budget-subscribers",
        source=BUDGET_QUOTAS,
        wanted="one topic and at most 10 addresses of one notification",
        fix="use one topic that notifies the others",
        types={BUDGET: ("notifications[].subscriberSnsTopicArns",)},
        most=1,
    ),
)
