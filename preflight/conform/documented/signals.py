"""Composite alarms and metric filters."""

from __future__ import annotations

from collections.abc import Callable

from preflight.conform.alarm_rules import COMPOSITE, AlarmRuleError, children, elements
from preflight.conform.documented.model import Constraint, Entries, Json, Measured, Numbers, Shared, Text, mapping
from preflight.conform.documented.observation import ALARM
from preflight.recording.recorder import RecordedResource, Recording

FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
PUT_COMPOSITE = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html"
PUT_FILTER = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html"
FILTERS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html"


def _counted(count: Callable[[str], float]) -> Callable[[Recording], Numbers]:
    """A number of each rule; an unreadable rule is the subject of another constraint."""

    def numbers(recording: Recording) -> Numbers:
        for alarm in recording.of_type(COMPOSITE):
            try:
                yield alarm, "alarmRule", count(str(alarm.inputs.get("alarmRule")))
            except AlarmRuleError:
                continue

    return numbers


def _unreadable(recording: Recording) -> Numbers:
    for alarm in recording.of_type(COMPOSITE):
        try:
            children(str(alarm.inputs.get("alarmRule")))
        except AlarmRuleError:
            yield alarm, "alarmRule", 1
        else:
            yield alarm, "alarmRule", 0


def _names(recording: Recording) -> set[str]:
    alarms = [*recording.of_type(ALARM), *recording.of_type(COMPOSITE)]
    keys = ("name", "alarmName", "arn")
    return {str(found) for one in alarms for key in keys if (found := one.inputs.get(key) or one.outputs.get(key))}


def _unknown_children(recording: Recording) -> Numbers:
    known = _names(recording)
    yield from _counted(lambda rule: sum(one not in known for one in children(rule)))(recording)


def _unknown_suppressors(recording: Recording) -> Numbers:
    known = _names(recording)
    for alarm in recording.of_type(COMPOSITE):
        if suppressor := mapping(alarm.inputs.get("actionsSuppressor")):
            yield alarm, "actionsSuppressor.alarm", int(str(suppressor.get("alarm")) not in known)


def _depth(recording: Recording) -> Numbers:
    """How often an alarm is among the alarms of the rule that defines it, however deep: CloudWatch evaluates no cycle."""
    rules = {str(one.inputs.get("alarmName")): str(one.inputs.get("alarmRule")) for one in recording.of_type(COMPOSITE)}
    for alarm in recording.of_type(COMPOSITE):
        name = str(alarm.inputs.get("alarmName"))
        yield alarm, "alarmRule", int(name in _below(name, rules))


def _below(name: str, rules: dict[str, str]) -> set[str]:
    found: set[str] = set()
    pending = [name]
    while pending:
        try:
            below = children(rules.get(pending.pop(), "TRUE"))
        except AlarmRuleError:
            continue
        pending += [one for one in below if one not in found]
        found.update(below)
    return found


def _made(resource: RecordedResource) -> dict[str, Json]:
    return mapping(resource.inputs.get("metricTransformation"))


def _dimensions(recording: Recording) -> Numbers:
    for one in recording.of_type(FILTER):
        yield one, "metricTransformation.dimensions", len(mapping(_made(one).get("dimensions")))


def _defaults(recording: Recording) -> Numbers:
    for one in recording.of_type(FILTER):
        made = _made(one)
        yield (
            one,
            "metricTransformation.defaultValue",
            int(bool(made.get("dimensions")) and made.get("defaultValue") is not None),
        )


CONSTRAINTS: tuple[Constraint, ...] = (
    Text(
        name="composite-alarm-name",
        source=PUT_COMPOSITE,
        wanted="1 to 255 characters of UTF-8, none of them a control character",
        fix="shorten the name",
        types={COMPOSITE: ("alarmName",)},
        pattern=r"[^\x00-\x1f]+",
        most=255,
    ),
    Text(
        name="composite-alarm-description",
        source=PUT_COMPOSITE,
        wanted="at most 1024 characters",
        fix="shorten the description or the runbook's URL",
        types={COMPOSITE: ("alarmDescription",)},
        most=1024,
    ),
    Text(
        name="composite-alarm-rule-size",
        source=PUT_COMPOSITE,
        wanted="1 to 10240 characters",
        fix="split the rule between several composite alarms",
        types={COMPOSITE: ("alarmRule",)},
        least=1,
        most=10_240,
    ),
    Entries(
        name="composite-alarm-actions",
        source=PUT_COMPOSITE,
        wanted="at most 5 actions for each alarm state",
        fix="use one topic that notifies the others",
        types={COMPOSITE: ("alarmActions", "okActions", "insufficientDataActions")},
        most=5,
    ),
    Measured(
        name="composite-alarm-rule",
        source=PUT_COMPOSITE,
        wanted='ALARM("…"), OK("…"), INSUFFICIENT_DATA("…"), TRUE or FALSE, joined by AND, OR, NOT and brackets',
        fix="correct the rule",
        numbers=_unreadable,
        unit="rules that are not readable",
        most=0,
    ),
    Measured(
        name="composite-alarm-children",
        source=PUT_COMPOSITE,
        wanted="at most 100 alarms in one rule",
        fix="split the rule between several composite alarms",
        numbers=_counted(lambda rule: len(children(rule))),
        unit="alarms",
        most=100,
    ),
    Measured(
        name="composite-alarm-elements",
        source=PUT_COMPOSITE,
        wanted="at most 500 alarms, constants and brackets in one rule",
        fix="split the rule between several composite alarms",
        numbers=_counted(elements),
        unit="elements",
        most=500,
    ),
    Measured(
        name="composite-alarm-children-exist",
        source=PUT_COMPOSITE,
        wanted="names or ARNs of alarms of the stack",
        fix="correct the name, or remove it from the rule",
        numbers=_unknown_children,
        unit="alarms that do not exist",
        most=0,
    ),
    Measured(
        name="composite-alarm-suppressor-exists",
        source=PUT_COMPOSITE,
        wanted="the name or ARN of an alarm of the stack",
        fix="correct the name",
        numbers=_unknown_suppressors,
        unit="alarms that do not exist",
        most=0,
    ),
    Measured(
        name="composite-alarm-cycle",
        source="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html",
        wanted="no composite alarm that depends on itself",
        fix="remove one reference of the cycle",
        numbers=_depth,
        unit="cycles",
        most=0,
    ),
    Text(
        name="metric-filter-name",
        source=PUT_FILTER,
        wanted="1 to 512 characters, none of them : or *",
        fix="choose another name",
        types={FILTER: ("name",)},
        pattern=r"[^:*]+",
        most=512,
    ),
    Text(
        name="metric-filter-pattern-size",
        source=PUT_FILTER,
        wanted="at most 1024 characters",
        fix="shorten the pattern",
        types={FILTER: ("pattern",)},
        most=1024,
    ),
    Measured(
        name="metric-filter-dimensions",
        source=FILTERS,
        wanted="at most 3 dimensions",
        fix="leave dimensions out: each value of one is another metric, and charged",
        numbers=_dimensions,
        unit="dimensions",
        most=3,
    ),
    Measured(
        name="metric-filter-default",
        source=FILTERS,
        wanted="no default value for a metric with dimensions",
        fix="remove defaultValue, and let the alarm treat missing data",
        numbers=_defaults,
        unit="default values",
        most=0,
    ),
    Shared(
        name="metric-filters-per-log-group",
        source=PUT_FILTER,
        wanted="at most 100 metric filters of one log group",
        fix="remove a filter",
        type=FILTER,
        owner="logGroupName",
        most=100,
    ),
)
"""Every constraint of this file."""
