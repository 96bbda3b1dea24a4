"""``conform-alarms-can-fire``: every alarm of every stack can fire, and each fault that keeps one silent is reported."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.egress.identity import COUNTED
from components.egress.settings import METRICS_NAMESPACE as EGRESS
from components.gateway.settings import METRICS_NAMESPACE as GATEWAY_METRICS
from preflight.conform.alarms_can_fire import findings
from preflight.conform.documented.observation import ALARM
from preflight.conform.metric_ranges import worlds
from preflight.conform.metrics import documented, metrics_of
from preflight.recording.recorder import Recording
from tests.preflight.conform.changed_graphs import edited
from tests.preflight.conform.graphs import CASES, EXTERNAL, GATEWAY, MANTLE, Case, program
from tests.settings.stack_files import ROOT

Inputs = dict[str, Any]
Edit = Callable[[Inputs], object]
NEVER, ALWAYS = "threshold: the alarm can never fire", "threshold: the alarm always fires"
UNNOTICED = "threshold: an outage at low traffic is not noticed"
CLUSTER, CACHE = "aws:ecs/cluster:Cluster", "aws:elasticache/replicationGroup:ReplicationGroup"
FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"


def reported(recording: Recording) -> list[tuple[str, str]]:
    """Alarm and headline of each finding, without its numbers."""
    return [
        (one.headline.partition(".")[0], one.headline.partition(".")[2].partition(": one failed")[0])
        for one in findings(recording)
    ]


def without(recording: Recording, type_: str, name: str) -> Recording:
    kept = [one for one in recording.resources if (one.type, one.name) != (type_, name)]
    assert len(kept) == len(recording.resources) - 1
    return dataclasses.replace(recording, resources=kept)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_alarm_can_fire(case: Case) -> None:
    assert program(case).of_type(ALARM)
    assert findings(program(case)) == []


def plain(metric: str, threshold: float, namespace: str = "AWS/RDS") -> Edit:
    """One metric in place of an expression, as the alarms were before."""

    def edit(inputs: Inputs) -> None:
        queries = [one["metric"] for one in inputs.pop("metricQueries") if one.get("metric")]
        chosen = next(one for one in queries if (one["namespace"], one["metricName"]) == (namespace, metric))
        inputs.update(namespace=namespace, metricName=metric, statistic=chosen["stat"], dimensions=chosen["dimensions"])
        inputs.update(period=chosen["period"], threshold=threshold)

    return edit


OUT_OF_REACH: list[tuple[Case, str, Edit]] = [
    # The pools of three tasks open 90 connections; 216 is 80 percent of what nine tasks open.
    ("prod", "state-alarms-database-connections", plain("DatabaseConnections", 216)),
    # One Python process on two vCPUs.
    ("prod", "service-alarms-cpu", lambda inputs: inputs.update(threshold=90)),
    # The container gets half of the task's memory.
    (EXTERNAL, "egress-alarms-egress-memory", lambda inputs: inputs.update(threshold=90)),
    ("prod", "state-alarms-cache-memory", lambda inputs: inputs.update(threshold=100)),
    ("prod", "state-alarms-database-memory", lambda inputs: inputs.update(threshold=0)),
]


@pytest.mark.parametrize(("case", "name", "edit"), OUT_OF_REACH)
def test_a_threshold_out_of_reach_is_reported(case: Case, name: str, edit: Edit) -> None:
    assert reported(edited(program(case), ALARM, edit, name)) == [(name, NEVER)]


def test_a_threshold_that_is_always_breached_is_reported() -> None:
    name = "service-alarms-tasks-missing"
    assert reported(edited(program("prod"), ALARM, lambda inputs: inputs.update(threshold=10), name)) == [
        (name, ALWAYS)
    ]


@pytest.mark.parametrize(
    ("case", "removed", "left"),
    [
        ("prod", "edge-alarms-edge-outage", "edge-alarms-edge-errors"),
        ("prod", "edge-alarms-target-outage", "edge-alarms-target-errors"),
        ("prod", "model-alarms-model-outage", "model-alarms-model-throttled"),
        (GATEWAY, "gateway-alarms-gateway-outage", "gateway-alarms-gateway-failures"),
        (EXTERNAL, "egress-alarms-egress-outage", "egress-alarms-egress-failures"),
        (MANTLE, "model-alarms-model-outage-mantle", "model-alarms-model-throttled-mantle"),
    ],
)
def test_a_number_of_errors_alone_is_silent_in_an_outage_at_low_traffic(case: Case, removed: str, left: str) -> None:
    found = reported(without(program(case), ALARM, removed))
    assert found
    assert set(found) == {(left, UNNOTICED)}


def test_short_periods_do_not_notice_one_request_in_five_minutes() -> None:
    def edit(inputs: Inputs) -> None:
        for query in inputs["metricQueries"]:
            if query.get("metric"):
                query["metric"]["period"] = 60

    changed = edited(program("prod"), ALARM, edit, "edge-alarms-target-outage")
    assert reported(changed) == [("edge-alarms-target-errors", UNNOTICED)]


NOT_THERE: list[tuple[Edit, str]] = [
    (lambda inputs: inputs.update(metricName="CPUUtilisation"), "metricName: the metric is not known to exist"),
    (lambda inputs: inputs.update(namespace="AWS/Fargate"), "metricName: the metric is not known to exist"),
    (
        lambda inputs: inputs["dimensions"].pop("ClusterName"),
        "dimensions: the metric has no such set of dimensions",
    ),
    (
        lambda inputs: inputs["dimensions"].update(ServiceName="other"),
        "dimensions.ServiceName: it names no resource",
    ),
    (lambda inputs: inputs.update(statistic="Sum"), "statistic: it means nothing for the metric"),
]


@pytest.mark.parametrize(("edit", "headline"), NOT_THERE)
def test_a_metric_that_does_not_exist_is_reported(edit: Callable[[Inputs], object], headline: str) -> None:
    assert reported(edited(program("prod"), ALARM, edit, "service-alarms-cpu")) == [("service-alarms-cpu", headline)]


def test_metrics_that_the_stack_does_not_publish_are_reported() -> None:
    prod = program("prod")
    plain_insights = edited(
        prod, CLUSTER, lambda inputs: inputs.update(settings=[{"name": "containerInsights", "value": "enabled"}])
    )
    assert reported(plain_insights) == [("service-alarms-disk", NEVER)]
    no_insights = edited(prod, CLUSTER, lambda inputs: inputs.update(settings=[]))
    assert {name for name, _ in reported(no_insights)} == {
        "service-alarms-disk",
        "service-alarms-no-tasks",
        "service-alarms-tasks-missing",
        "state-alarms-database-connections",
    }
    one_node = edited(prod, CACHE, lambda inputs: inputs.update(numCacheClusters=1))
    assert reported(one_node) == [("state-alarms-cache-replication", NEVER)]
    unfiltered = without(program(EXTERNAL), FILTER, "egress-failed")
    assert {(name, headline) for name, headline in reported(unfiltered)} == {
        ("egress-alarms-egress-failures", "metricName: nothing publishes the metric"),
        ("egress-alarms-egress-outage", "metricName: nothing publishes the metric"),
    }


@pytest.mark.parametrize("case", ["prod", GATEWAY, EXTERNAL])
def test_every_limited_alarm_is_reported_at_its_limit(case: Case) -> None:
    """For each alarm on one metric with a limit, the limit itself as the threshold."""
    recording = program(case)
    least = worlds(recording)[0]
    checked = 0
    for alarm in recording.of_type(ALARM):
        metrics, expression = metrics_of(alarm)
        highest = least.highest(metrics[0])
        if expression != "m" or highest == float("inf") or alarm.inputs["comparisonOperator"] != "GreaterThanThreshold":
            continue
        changed = edited(recording, ALARM, lambda inputs, limit=highest: inputs.update(threshold=limit), alarm.name)
        assert (alarm.name, NEVER) in reported(changed)
        checked += 1
    assert checked >= 6


def test_the_table_lists_what_the_stack_publishes_itself() -> None:
    assert {name for namespace, name in documented() if namespace == EGRESS} == set(COUNTED)
    program_text = Path(ROOT / "components" / "gateway" / "metrics.py").read_text(encoding="utf-8")
    listed = {name for namespace, name in documented() if namespace == GATEWAY_METRICS}
    assert listed
    assert {name for name in listed if f'"{name}": ' not in program_text} == set()


def test_every_row_of_the_table_has_a_page_or_a_file() -> None:
    for row in documented().values():
        assert row.source.startswith("https://docs.aws.amazon.com/") or (ROOT / row.source).is_file()
        assert row.dimensions
        assert row.statistics
