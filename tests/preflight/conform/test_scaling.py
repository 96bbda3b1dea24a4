"""``conform-scaling``: in the real stacks every scaling target and every alarm on CPU can be reached."""

from __future__ import annotations

import json

import pytest

from components.applications import find_preset
from policies.guardrails.topology.graph.resources import Graph
from preflight.conform.scaling import CONFIGURATION, RULE, ceiling, findings, processes
from preflight.recording.recorder import Recording
from tests.database.deployed import STACKS, deployed, deployed_with_settings
from tests.preflight.conform.editing import Edit, Inputs, edited, in_container, with_value
from tests.preflight.conform.graphs import EXTERNAL, GATEWAY, VARIANTS, program
from tests.settings.stack_files import own_values
from tests.tasks import interface_task

TASK = "aws:ecs/taskDefinition:TaskDefinition"
POLICY, ALARM, CLUSTER = (
    "aws:appautoscaling/policy:Policy",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:ecs/cluster:Cluster",
)


def _target(value: float) -> Edit:
    def edit(inputs: Inputs) -> None:
        inputs[CONFIGURATION]["targetValue"] = value

    return edit


def _metric(key: str, change: Edit) -> Edit:
    def edit(inputs: Inputs) -> None:
        queries = inputs[CONFIGURATION]["customizedMetricSpecification"]["metrics"]
        change(next(one for one in queries if one["id"] == key)["metricStat"]["metric"])

    return edit


def _wider(units: int) -> Recording:
    """Staging on tasks of a different size, with the targets that the program derives for it."""
    capacity = {**own_values("staging")["capacity"], "cpuUnits": units, "memoryMebibytes": 2 * units}
    return deployed_with_settings({"ai-interface:capacity": capacity}).recording


def _said(recording: Recording) -> list[str]:
    found = findings(recording)
    assert {one.rule for one in found} <= {RULE}
    return [one.headline.partition(":")[0] for one in found]


@pytest.mark.parametrize("case", [*STACKS, *VARIANTS])
def test_every_target_can_be_reached(case: str) -> None:
    assert findings(program(case)) == []


@pytest.mark.parametrize("units", [2048, 4096])
def test_so_it_can_on_a_larger_task(units: int) -> None:
    recording = _wider(units)
    (policy,) = [one for one in recording.of_type(POLICY) if one.name == "service-scaling-cpu"]

    assert findings(recording) == []
    # 90 percent of one vCPU, of which a third remains when one of two zones fails and 3 tasks run.
    assert policy.inputs[CONFIGURATION]["targetValue"] == 90 * 1024 // units // 3


@pytest.mark.parametrize("units", [2048, 4096])
def test_the_earlier_target_and_alarm_are_found_on_a_larger_task(units: int) -> None:
    # 45 percent of the task, and the alarm at 90, whatever the worker can use.
    before = edited(_wider(units), POLICY, "service-scaling-cpu", _target(60))
    before = edited(before, ALARM, "service-alarms-cpu", with_value("threshold", 90))

    assert _said(before) == [
        f"appautoscaling.Policy service-scaling-cpu.{CONFIGURATION}.targetValue",
        "cloudwatch.MetricAlarm service-alarms-cpu.threshold",
    ]


def test_more_workers_raise_the_ceiling() -> None:
    def more(container: Inputs) -> None:
        container["command"] = [*container["command"], "--workers", "2"]

    recording = edited(_wider(2048), POLICY, "service-scaling-cpu", _target(60))
    assert _said(recording)
    assert _said(edited(recording, TASK, "service-task", in_container("interface", more))) == []


@pytest.mark.parametrize(
    ("case", "policy"),
    [(GATEWAY, "gateway-service-scaling-cpu"), (EXTERNAL, "egress-proxy-scaling-cpu")],
    ids=["gateway", "egress"],
)
def test_a_target_above_what_an_internal_service_can_use_is_found(case: str, policy: str) -> None:
    assert _said(edited(program(case), POLICY, policy, _target(100)))


def test_a_target_above_the_proxy_s_limit_is_found() -> None:
    recording = edited(deployed("prod").recording, POLICY, "service-scaling-streams", _target(4097))

    (found,) = findings(recording)
    assert found.found == "4097, and the task's proxy refuses connections above 4096"


@pytest.mark.parametrize(
    ("key", "name"), [("connections", "LoadBalancer"), ("tasks", "ClusterName"), ("tasks", "ServiceName")]
)
def test_a_metric_of_something_else_is_found(key: str, name: str) -> None:
    def other(metric: Inputs) -> None:
        next(one for one in metric["dimensions"] if one["name"] == name)["value"] = "another"

    (found,) = findings(edited(deployed("prod").recording, POLICY, "service-scaling-streams", _metric(key, other)))
    assert found.found == f"the dimension {name} is another"


def test_a_metric_that_the_cluster_does_not_publish_is_found() -> None:
    off = with_value("settings", [{"name": "containerInsights", "value": "disabled"}])

    (found,) = findings(edited(deployed("prod").recording, CLUSTER, "service-cluster", off))
    assert found.found == "a cluster without Container Insights"


@pytest.mark.parametrize("stack", STACKS)
def test_the_preset_states_as_many_processes_as_the_command_starts(stack: str) -> None:
    task = interface_task(deployed(stack).recording)
    (interface,) = [one for one in json.loads(task.inputs["containerDefinitions"]) if one["name"] == "interface"]

    assert processes(interface) == find_preset("open-webui").processes == 1


def test_a_command_that_shows_no_server_has_no_ceiling() -> None:
    def unknown(container: Inputs) -> None:
        container["command"] = ["/srv/program"]
        container["entryPoint"] = None

    recording = edited(_wider(4096), TASK, "service-task", in_container("interface", unknown))
    own = interface_task(recording).urn
    (task,) = [one for one in Graph.from_recorded(recording.resources).of_type("ecs.TaskDefinition") if one.urn == own]

    assert (ceiling(task).percent, ceiling(task).container) == (50.0, "proxy")
