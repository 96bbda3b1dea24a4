"""Alarms of both stacks, evaluated on emitted metrics: statistics, metric math, missing data as CloudWatch documents it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from local.alarms import ALARM, Alarm, Clock, State, moved, state
from local.signals import Metrics
from local.stack import Resource, Stack
from preflight.conform.metric_math import NotEmulatedError, evaluate, names, statistic
from tests.local.aws.world import STACKS, stack

MINUTE = 60.0
NOW = 1_800_000_000.0


def alarm(of: Stack, role: str) -> Resource:
    return next(one for one in of.all(ALARM) if str(one["name"]).endswith(f" {role}"))


OF_THE_WORST = {"zone-without-hosts": 1.0}
"""Alarms on one of several that is worse than the others → what the others have."""
NONE_THERE = {"zone-without-hosts": 0.0}
"""Alarms that count where there is at least one → the value where there is none."""


def filled(
    resource: Resource, values: list[float | None], metrics: Metrics | None = None, *, others: float | None = None
) -> Metrics:
    """One value for each metric of an alarm in each period that ends at ``NOW``, the oldest first; one request or task for
    each metric to which others are compared. ``others``: the value of each metric but the first."""
    made = metrics or Metrics()
    found = Alarm.of(resource)
    for metric in found.metrics:
        for number, value in enumerate(reversed(values)):
            if value is not None:
                at = NOW - number * metric.period - 1
                counted = value if found.worsens(metric) else 1
                if others is not None and metric is not found.metrics[0]:
                    counted = others
                made.put(metric.namespace, metric.name, counted, at, dict(metric.dimensions))
    return made


@pytest.mark.parametrize("name", STACKS)
def test_every_alarm_rings_when_its_metric_is_beyond_the_threshold_and_is_quiet_before_it(name: str) -> None:
    alarms = stack(name).all(ALARM)
    assert len(alarms) >= 20
    for one in alarms:
        found = Alarm.of(one)
        share = any("/" in expression or " - " in expression for expression in found.expressions.values())
        # Above every minimum of events, too.
        role = found.name.rpartition(" ")[2]
        beyond = NONE_THERE.get(role, 1000.0 if share else found.threshold + (1 if found.rises else -1))
        within = 0 if share else found.threshold
        others = OF_THE_WORST.get(role)
        worst = filled(one, [beyond] * found.periods, others=others)
        assert state(one, worst, NOW) is State.ALARM, found.name
        assert (
            state(one, filled(one, [within / (2 * len(found.metrics)) if found.rises else within] * found.periods), NOW)
            is State.OK
        )


def test_an_alarm_needs_its_datapoints_out_of_its_periods() -> None:
    one = alarm(stack("prod"), "edge-errors")
    found = Alarm.of(one)
    assert (found.datapoints, found.periods) == (3, 5)
    high = found.threshold + 1
    assert state(one, filled(one, [0, 0, high, high, high]), NOW) is State.ALARM
    assert state(one, filled(one, [0, high, 0, high, high]), NOW) is State.ALARM
    assert state(one, filled(one, [0, 0, 0, high, high]), NOW) is State.OK
    assert state(one, filled(one, [high, high, high, 0, 0, 0, 0, 0]), NOW) is State.OK


X, Z, N = 10.0, 0.0, None
TABLE: list[tuple[list[float | None], int, dict[str, State | None]]] = [
    ([Z, N, X, N, X], 3, {"missing": State.OK, "breaching": State.OK, "notBreaching": State.OK}),
    ([N, N, N, N, Z], 3, {"missing": State.OK, "breaching": State.OK, "notBreaching": State.OK}),
    ([N, N, N, N, N], 3, {"missing": State.INSUFFICIENT_DATA, "breaching": State.ALARM, "notBreaching": State.OK}),
    ([Z, X, X, N, X], 3, {"missing": State.ALARM, "breaching": State.ALARM, "notBreaching": State.ALARM}),
    ([N, N, X, N, N], 3, {"missing": State.ALARM, "breaching": State.ALARM, "notBreaching": State.OK}),
    ([Z, N, X, N, X], 2, {"missing": State.ALARM, "breaching": State.ALARM, "notBreaching": State.ALARM}),
    ([Z, Z, X, Z, X], 2, {"missing": State.ALARM, "breaching": State.ALARM, "notBreaching": State.ALARM}),
    ([Z, N, X, N, N], 2, {"missing": State.OK, "breaching": State.ALARM, "notBreaching": State.OK}),
    ([N, N, N, N, Z], 2, {"missing": State.OK, "breaching": State.ALARM, "notBreaching": State.OK}),
    ([N, N, N, X, N], 2, {"missing": State.ALARM, "breaching": State.ALARM, "notBreaching": State.OK}),
]  # fmt: skip
"""The documentation's two tables: values of five periods, datapoints out of three, and the state for each treatment."""


@pytest.mark.parametrize(("values", "datapoints", "expected"), TABLE)
def test_missing_data_is_treated_as_documented(
    values: list[float | None], datapoints: int, expected: Mapping[str, State]
) -> None:
    for treatment, wanted in expected.items():
        prod = stack("prod")
        changed = prod.changed(
            alarm(prod, "edge-errors"),
            treatMissingData=treatment,
            evaluationPeriods=3,
            datapointsToAlarm=datapoints,
            threshold=5,
        )
        one = alarm(changed, "edge-errors")
        assert state(one, filled(one, values), NOW) is wanted, treatment


def test_ignored_missing_data_keeps_the_state() -> None:
    prod = stack("prod")
    changed = prod.changed(alarm(prod, "edge-errors"), treatMissingData="ignore")
    assert state(alarm(changed, "edge-errors"), Metrics(), NOW, before=State.ALARM) is State.ALARM


def test_a_compressed_clock_runs_fifteen_minutes_in_one_second() -> None:
    one = alarm(stack("prod"), "database-cpu")
    found = Alarm.of(one)
    metrics, (metric,) = Metrics(), found.metrics
    for number in range(found.periods):
        at = NOW + (number + 0.5) / found.periods
        metrics.put(metric.namespace, metric.name, found.threshold + 1, at, dict(metric.dimensions))
    assert state(one, metrics, NOW + 1) is not State.ALARM
    assert state(one, metrics, NOW + 1, Clock(NOW, found.periods * found.period)) is State.ALARM


def test_only_the_alarm_whose_metric_moved_is_named() -> None:
    prod = stack("prod")
    metrics, throttled, outage = Metrics(), alarm(prod, "model-throttled"), alarm(prod, "model-outage")
    for one in prod.all(ALARM):
        found = Alarm.of(one)
        quiet = 0.0 if found.rises else found.threshold * 2
        filled(one, [quiet] * 3, metrics)
    assert moved(prod, metrics, NOW) == {}
    model = sorted(Alarm.of(throttled).metrics[0].dimensions)[0][1]
    metrics.put("AWS/Bedrock", "InvocationThrottles", 1, NOW + 1, {"ModelId": model})
    text = f"AWS/Bedrock InvocationThrottles (ModelId {model}): 0 → 1"
    assert moved(prod, metrics, NOW) == {str(one["name"]): text for one in (outage, throttled)}
    # More requests are no failure.
    metrics.put("AWS/Bedrock", "Invocations", 9, NOW + 1, {"ModelId": model})
    assert len(moved(prod, metrics, NOW)) == 2
    metrics.put("AWS/Bedrock", "InvocationThrottles", 1, NOW + 1, {"ModelId": "another"})
    assert len(moved(prod, metrics, NOW)) == 2


def test_a_metric_that_falls_moves_the_alarm_that_waits_for_a_fall() -> None:
    prod = stack("prod")
    one = alarm(prod, "tasks-missing")
    (metric,) = Alarm.of(one).metrics
    metrics = filled(one, [3.0, 3.0])
    metrics.put(metric.namespace, metric.name, 4.0, NOW, dict(metric.dimensions))
    assert moved(prod, metrics, NOW) == {}
    metrics.put(metric.namespace, metric.name, 2.0, NOW, dict(metric.dimensions))
    both = (str(one["name"]), str(alarm(prod, "no-tasks")["name"]))
    assert moved(prod, metrics, NOW) == dict.fromkeys(both, f"{metric}: 3 → 2")


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        ("MAX([m1, m2])", {"m1": 1.0, "m2": 3.0}, 3.0),
        ("MAX([m1, m2])", {"m1": 1.0, "m2": None}, 1.0),
        ("MAX([m1, m2])", {"m1": None, "m2": None}, None),
        ("FILL(m1, 0) + FILL(m2, 0)", {"m1": None, "m2": 2.0}, 2.0),
        ("m1 + m2", {"m1": None, "m2": 2.0}, None),
        ("100 * m1 / (m1 + m2)", {"m1": 1.0, "m2": 3.0}, 25.0),
        ("m1 / m2", {"m1": 1.0, "m2": 0.0}, None),
        ("IF(m2 > 10, m1, 0)", {"m1": 5.0, "m2": 11.0}, 5.0),
        ("IF(m2 > 10, m1, 0)", {"m1": 5.0, "m2": 10.0}, 0.0),
        ("-AVG([m1, m2]) ** 2", {"m1": 1.0, "m2": 3.0}, -4.0),
        ("SUM([m1, m2]) - MIN([m1, m2])", {"m1": 1.0, "m2": 3.0}, 3.0),
    ],
)
def test_metric_math(expression: str, values: dict[str, float | None], expected: float | None) -> None:
    assert evaluate(expression, values) == expected
    assert names(expression) <= set(values)


@pytest.mark.parametrize("expression", ["RATE(m1)", "ANOMALY_DETECTION_BAND(m1)", "m2", "MAX(m1)", "m1 +"])
def test_what_is_not_evaluated_is_named(expression: str) -> None:
    with pytest.raises(NotEmulatedError, match="metric math"):
        evaluate(expression, {"m1": 1.0})


def test_statistics() -> None:
    values: list[Any] = [1.0, 2.0, 3.0, 4.0]
    chosen = ("Sum", "Average", "Minimum", "Maximum", "SampleCount", "p50", "p99")
    assert [statistic(one, values) for one in chosen] == [10.0, 2.5, 1.0, 4.0, 4.0, 3.0, 4.0]
    assert statistic("Sum", []) is None
    with pytest.raises(NotEmulatedError, match="statistic TM"):
        statistic("TM(10%:90%)", values)
