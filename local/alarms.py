"""The alarms of a stack, evaluated on the metrics that the emulators emit: the state of each alarm, and which metrics
moved.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.signals import Datum, Dimensions, Metrics
from local.stack import Resource, Stack, items
from preflight.conform.metric_math import NotEmulatedError, Value, evaluate, names, statistic

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
MORE_PERIODS = 2
"""CloudWatch reads more periods than the evaluation periods, so that missing values can be replaced by older ones: five
periods for three values in the documentation's tables."""
_BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}


class State(StrEnum):
    """The states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class Clock:
    """The alarms' clock, which advances ``factor`` seconds for each second since ``start``: with a factor of 900, a
    test of an alarm over fifteen minutes takes one second."""

    start: float = 0.0
    factor: float = 1.0

    def at(self, seconds: float) -> float:
        """Convert seconds since the epoch to the alarms' time."""
        return self.start + (seconds - self.start) * self.factor


@dataclass(frozen=True)
class Metric:
    """One metric of an alarm."""

    id: str
    namespace: str
    name: str
    dimensions: Dimensions
    statistic: str
    period: float
    """The period in seconds."""

    def covers(self, datum: Datum) -> bool:
        """Whether a value belongs to this metric; CloudWatch does not aggregate across dimensions that the metric does
        not have."""
        return (datum.namespace, datum.name, datum.dimensions) == (self.namespace, self.name, self.dimensions)

    def __str__(self) -> str:
        named = ", ".join(f"{key} {value}" for key, value in sorted(self.dimensions))
        return f"{self.namespace} {self.name} ({named})"


@dataclass(frozen=True)
class Alarm:
    """An alarm from the graph."""

    name: str
    metrics: tuple[Metric, ...]
    expressions: Mapping[str, str]
    """Id → metric math expression, in the order of the queries."""
    returned: str
    """The id whose values are compared with the threshold."""
    comparison: str
    threshold: float
    periods: int
    datapoints: int
    missing: str

    @classmethod
    def of(cls, resource: Resource) -> Alarm:
        """Read an alarm. Raises ``NotEmulatedError`` for an anomaly detection alarm, which compares with a band of
        expected values."""
        comparison = str(resource["comparisonOperator"])
        name = str(resource["name"])
        if comparison not in _BREACHES or resource.get("thresholdMetricId"):
            raise NotEmulatedError(f"alarm {name}: {comparison} compares with a band of expected values")
        queries = list(items(resource.get("metricQueries")))
        found = [_metric(one["id"], one["metric"]) for one in queries if one.get("metric")]
        returned = next((str(one["id"]) for one in queries if one.get("returnData")), "")
        if not queries:
            chosen = resource.get("statistic") or resource["extendedStatistic"]
            keys = ("namespace", "metricName", "period", "dimensions")
            found, returned = [_metric("m", {**{key: resource.get(key) for key in keys}, "stat": chosen})], "m"
        periods = int(resource["evaluationPeriods"])
        return cls(
            name,
            tuple(found),
            {str(one["id"]): str(one["expression"]) for one in queries if one.get("expression")},
            returned,
            comparison,
            float(resource["threshold"]),
            periods,
            int(resource.get("datapointsToAlarm") or periods),
            str(resource.get("treatMissingData") or "missing"),
        )

    @property
    def period(self) -> float:
        """Seconds between two evaluated values: the longest period of the alarm's metrics."""
        return max(one.period for one in self.metrics)

    @property
    def rises(self) -> bool:
        """Whether larger values are worse."""
        return self.comparison.startswith("Greater")

    def breaches(self, value: float) -> bool:
        """Whether a value breaches the threshold."""
        return _BREACHES[self.comparison](value, self.threshold)

    def values(self, data: Iterable[Datum], now: float, clock: Clock) -> list[Value]:
        """The values of the periods in one evaluation, newest first; ``now`` is in the alarms' time."""
        timed = [(clock.at(one.at), one) for one in data]
        return [self._value(timed, now - number * self.period) for number in range(self.periods + MORE_PERIODS)]

    def _value(self, timed: list[tuple[float, Datum]], end: float) -> Value:
        found: dict[str, Value] = {}
        for metric in self.metrics:
            inside = [one.value for at, one in timed if end - metric.period < at <= end and metric.covers(one)]
            found[metric.id] = statistic(metric.statistic, inside)
        return self.result(found)

    def worsens(self, metric: Metric) -> bool:
        """Whether the alarm's value comes closer to its threshold as this metric does: the number of requests in a share of
        failures does not."""
        worse = 2.0 if self.rises else 0.5
        # The large ones are above every minimum of events; with growing ones, one kind of failure is rare among the others.
        growing: dict[str, float] = {one.id: 1e3**number for number, one in enumerate(self.metrics)}
        for own, others in ((1.0, 0.1), (1.0, 10.0), (1e6, 1e7), (1.0, growing)):
            known: dict[str, Value] = {
                one.id: others[one.id] if isinstance(others, dict) else others for one in self.metrics
            }
            before, after = self.result({**known, metric.id: own}), self.result({**known, metric.id: own * worse})
            if before is not None and after is not None and (after > before if self.rises else after < before):
                return True
        return False

    def result(self, values: Mapping[str, Value]) -> Value:
        """The value that is compared with the threshold; ``values``: metric's id → its value in one period."""
        found, pending = dict(values), dict(self.expressions)
        while ready := [one for one, text in pending.items() if names(text) <= set(found)]:
            for one in ready:
                found[one] = evaluate(pending.pop(one), found)
        if self.returned not in found:
            raise NotEmulatedError(f"alarm {self.name}: {pending or self.returned}")
        return found[self.returned]


def _metric(identifier: str, metric: Mapping[str, Any]) -> Metric:
    dimensions: Mapping[str, str] = metric.get("dimensions") or {}
    named = (str(identifier), str(metric["namespace"]), str(metric["metricName"]))
    return Metric(*named, frozenset(dimensions.items()), str(metric["stat"]), float(metric["period"]))


def state(alarm: Resource, metrics: Metrics, now: float, clock: Clock | None = None, before: State = State.OK) -> State:
    """The alarm's state at a time in seconds since the epoch. ``before`` is the previous state, which the treatment
    ``ignore`` keeps."""
    found, time = Alarm.of(alarm), clock or Clock()
    return decide(found, found.values(metrics.since(0), time.at(now), time), before)


def decide(found: Alarm, values: Iterable[Value], before: State = State.OK) -> State:
    """The state that follows from the values of the periods, newest first."""
    real = [one for one in values if one is not None][: found.periods]
    breaching, left = sum(map(found.breaches, real)), found.periods - len(real)
    if left and found.missing == "ignore":
        return before
    if not real and found.missing == "missing":
        return State.INSUFFICIENT_DATA
    needed = found.datapoints
    if found.missing == "breaching":
        breaching += left
    elif found.missing == "missing":
        needed = min(needed, len(real))
    return State.ALARM if breaching >= needed else State.OK


def moved(stack: Stack, metrics: Metrics, since: float) -> dict[str, str]:
    """The alarms with a metric that has come closer to its threshold since a given time than ever before: alarm name →
    the metric, with its earlier and its new value. A counter that was never emitted counts as zero."""
    data = metrics.since(0)
    alarms = [Alarm.of(one) for one in stack.all(ALARM)]
    found = ((one.name, text) for one in alarms for text in _movements(one, data, since))
    return dict(sorted(found))


def _movements(alarm: Alarm, data: list[Datum], since: float) -> Iterator[str]:
    worst = max if alarm.rises else min
    for metric in filter(alarm.worsens, alarm.metrics):
        values = [(one.at, one.value) for one in data if metric.covers(one)]
        before, after = [value for at, value in values if at < since], [value for at, value in values if at >= since]
        if not after:
            continue
        quiet = worst(before) if before else 0.0 if alarm.rises else None
        reached = worst(after)
        if quiet is None:
            if alarm.breaches(reached):
                yield f"{metric}: {reached:g}, no earlier data"
        elif reached != quiet and worst(reached, quiet) == reached:
            yield f"{metric}: {quiet:g} → {reached:g}"
