"""One alarm function for every alarm: statistics that CloudWatch accepts, one metric or several."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.monitoring.alarm import LESS, METRICS_OF_AN_ALARM, AlarmSpec, Combination, Series, Severity, make_alarms
from components.monitoring.statistics import STATISTICS, is_extended
from preflight.conform.documented.observation import ALARM, CONSTRAINTS
from preflight.recording.recorder import Recording, record
from tests.components.task_fixtures import RUNBOOK, TICKETS, TOPIC, edge_alarms_args, one

EXTENDED = (
    *("p0", "p50", "p90", "p99.9", "p99.9999999999", "p100", "tm90", "tm99", "tc90", "ts90", "wm95.5", "IQM"),
    *("PR(0:2000)", "PR(:300)", "PR(100:)", "TM(10%:90%)", "TM(:90%)", "TC(10%:)", "TS(0.5:10)", "WM(15.5%:85%)"),
)
REFUSED = (
    *("", "p", "p101", "p-1", "P99", "p99%", "p99.", "99", "sum", "Median", "tm", "iqm", "p99.99999999999"),
    *("PR(10%:90%)", "PR(:)", "TM(:)", "TM(5%:90%)", "TM(10%:95%)", "TM(10%:90)", "XX(1:2)"),
)


def spec(**changes: Any) -> AlarmSpec:  # noqa: ANN401 - whatever an alarm holds
    usual: dict[str, Any] = {
        "role": "slow",
        "sentence": "Answers are slow",
        "severity": Severity.PAGE,
        "namespace": "AWS/ApplicationELB",
        "metric": "TargetResponseTime",
        "statistic": "p99",
        "threshold": 5,
    }
    return AlarmSpec(**{**usual, **changes})


def recorded(**changes: Any) -> Recording:  # noqa: ANN401
    return record(
        lambda: make_alarms("alarms", [spec(**changes)], edge_alarms_args(), pulumi.ResourceOptions()), stack="test"
    )


def made(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    return one(recorded(**changes), ALARM).inputs


@pytest.mark.parametrize("statistic", EXTENDED)
def test_an_extended_statistic_is_written_as_such(statistic: str) -> None:
    recording = recorded(statistic=statistic)
    alarm = one(recording, ALARM).inputs
    assert alarm["extendedStatistic"] == statistic
    assert "statistic" not in alarm
    assert [broken for constraint in CONSTRAINTS for broken in constraint.broken(recording)] == []


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_statistic_is_written_as_such(statistic: str) -> None:
    alarm = made(statistic=statistic)
    assert alarm["statistic"] == statistic
    assert "extendedStatistic" not in alarm


@pytest.mark.parametrize("statistic", REFUSED)
def test_what_cloudwatch_does_not_accept_is_refused(statistic: str) -> None:
    with pytest.raises(ValueError, match=r"CloudWatch accepts Average, .* percentiles such as p99"):
        is_extended(statistic)
    with pytest.raises(ValueError, match="CloudWatch accepts"):
        spec(statistic=statistic)


def test_a_percentile_can_ignore_periods_with_few_samples() -> None:
    assert made(ignore_low_samples=True)["evaluateLowSampleCountPercentiles"] == "ignore"
    assert "evaluateLowSampleCountPercentiles" not in made()
    for statistic in ("Sum", "tm90"):
        with pytest.raises(ValueError, match=f"for percentiles, not for {statistic}"):
            spec(statistic=statistic, ignore_low_samples=True)


def test_the_worst_of_several_is_the_largest_or_the_smallest_where_less_is_worse() -> None:
    nodes = [Series(dimensions={"Node": name}) for name in ("a", "b")]
    worst, least = made(series=nodes), made(series=nodes, comparison=LESS)
    assert [query.get("expression") for query in worst["metricQueries"]] == [None, None, "MAX([m1, m2])"]
    assert [query.get("expression") for query in least["metricQueries"]] == [None, None, "MIN([m1, m2])"]
    assert [query["metric"]["stat"] for query in worst["metricQueries"][:2]] == ["p99", "p99"]
    assert not {"statistic", "extendedStatistic", "metricName", "period"} & set(worst)


def test_a_sum_counts_a_metric_without_data_as_nothing() -> None:
    series = [Series(metric=name, dimensions={"ModelId": "m"}) for name in ("In", "Out")]
    alarm = made(series=series, combination=Combination.SUM, statistic="Sum", label="both", runbook="cost")
    queries = alarm["metricQueries"]
    assert queries[-1]["expression"] == "FILL(m0, 0) + FILL(m1, 0)"
    assert [query["metric"]["metricName"] for query in queries[:-1]] == ["In", "Out"]
    assert (queries[-1]["label"], alarm["alarmDescription"].rpartition(" ")[2]) == ("both", f"{RUNBOOK}#cost")


@pytest.mark.parametrize(("severity", "topic"), [(Severity.PAGE, TOPIC), (Severity.TICKET, TICKETS)])
def test_the_severity_is_in_the_topic_the_tag_and_the_message(severity: Severity, topic: str) -> None:
    alarm = made(severity=severity)
    assert (alarm["alarmActions"], alarm["okActions"]) == ([topic], [topic])
    assert alarm["tags"]["severity"] == severity.value
    assert alarm["alarmDescription"] == f"Answers are slow. Severity: {severity.value}. What to do: {RUNBOOK}#slow"


def test_an_expression_names_its_metrics_from_m1_on_and_another_namespace_has_its_own_dimensions() -> None:
    series = [
        Series(),
        Series(namespace="AWS/ECS", metric="Tasks", statistic="Maximum", dimensions={"ServiceName": "s"}),
    ]
    alarm = made(series=series, expression="m1 / m2", dimensions={"LoadBalancer": "lb"})
    first, second, value = alarm["metricQueries"]
    assert (first["metric"]["dimensions"], second["metric"]["dimensions"]) == (
        {"LoadBalancer": "lb"},
        {"ServiceName": "s"},
    )
    assert (second["metric"]["namespace"], second["metric"]["stat"]) == ("AWS/ECS", "Maximum")
    assert (value["expression"], value["returnData"]) == ("m1 / m2", True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"series": [Series(dimensions={})] * (METRICS_OF_AN_ALARM + 1)}, "one alarm evaluates at most 10"),
        ({"series": [Series(dimensions={})], "combination": Combination.SUM}, "adds up p99"),
        ({"series": [Series(dimensions={})], "ignore_low_samples": True}, "an expression of several metrics"),
        ({"expression": "m1 / 2"}, "an expression without series"),
        ({"periods": 2}, "fires after 3 of 2 periods"),
        ({"periods_to_alarm": 0}, "fires after 0 of 5 periods"),
    ],
)
def test_what_cloudwatch_cannot_evaluate_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spec(**changes)
