"""``conform-pools``: in the real stacks every pool has a size that fits the database, and an alarm is on the connections."""

from __future__ import annotations

import pytest

from components.applications.open_webui_data import POOLS, pools
from preflight.conform.pools import ACCEPTED, RULE, accepted, findings, of_a_task
from preflight.findings import Finding
from preflight.recording.recorder import Recording
from settings.consistency import TASKS_AT_ONCE
from settings.data import Database
from tests.assembly.topologies import ELSEWHERE, recorded
from tests.bootstrap.program import run_bootstrap
from tests.database.deployed import STACKS, deployed, deployed_with_settings
from tests.preflight.conform.editing import edited, with_value, with_variable
from tests.settings.stack_files import own_values, parse

TASK = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
CLUSTER = "aws:rds/cluster:Cluster"
TARGET = "aws:appautoscaling/target:Target"


def _without_sizes(recording: Recording) -> Recording:
    for name in sorted(deployed("staging").environment("interface")):
        if name.startswith(("DATABASE_POOL_", "PGVECTOR_POOL_")):
            recording = edited(recording, TASK, "service-task", with_variable(name, None))
    return recording


def _said(found: list[Finding]) -> list[tuple[str, str]]:
    return [(one.headline, one.found) for one in found]


@pytest.mark.parametrize("stack", STACKS)
def test_the_pools_of_a_stack_fit_and_have_an_alarm(stack: str) -> None:
    assert findings(deployed(stack).recording) == []


@pytest.mark.parametrize("stack", STACKS)
def test_a_task_opens_what_the_settings_say(stack: str) -> None:
    settings = parse(own_values(stack))

    assert of_a_task(deployed(stack).environment("interface"), POOLS) == settings.capacity.database_connections


def test_fewer_connections_than_the_pools_need_are_refused() -> None:
    with pytest.raises(ValueError, match="three pools need 10 or more"):
        pools(9)


def test_another_number_in_the_settings_reaches_the_task_and_the_alarm() -> None:
    capacity = {**own_values()["capacity"], "databaseConnections": 50}
    changed = deployed_with_settings({"ai-interface:capacity": capacity})
    (alarm,) = [one for one in changed.recording.of_type(ALARM) if one.name == "state-alarms-database-connections"]

    assert of_a_task(changed.environment("interface"), POOLS) == 50
    assert alarm.inputs["metricQueries"][-1]["expression"] == "100 * m1 / (m2 * 50)"
    assert findings(changed.recording) == []


@pytest.mark.parametrize("connections", range(10, 61))
def test_whatever_the_settings_say_is_not_exceeded(connections: int) -> None:
    opened = of_a_task(pools(connections), POOLS)

    assert opened is not None
    assert connections - 2 <= opened <= connections


def test_pools_without_a_size_are_found() -> None:
    found = findings(_without_sizes(deployed("staging").recording))

    task = "ecs.TaskDefinition service-task.containerDefinitions[interface].environment"
    assert _said(found) == [
        (f"{task}[DATABASE_POOL_SIZE]: the pool has no size", "no variable, so that each of 2 pools opens 15"),
        (f"{task}[PGVECTOR_POOL_SIZE]: the pool has no size", "no variable, so that each of 1 pools opens 15"),
    ]
    assert {one.rule for one in found} == {RULE}
    assert of_a_task({}, POOLS) == 45


def test_a_pool_without_a_bound_is_found() -> None:
    recording = edited(deployed("staging").recording, TASK, "service-task", with_variable("DATABASE_POOL_SIZE", "0"))

    ((_, found),) = _said(findings(recording))

    assert found == "0, which opens a connection for each request"


def test_more_tasks_than_the_database_has_room_for_are_found() -> None:
    recording = edited(deployed("staging").recording, TARGET, "service-scaling", with_value("maxCapacity", 14))

    ((headline, found),) = _said(findings(recording))

    assert headline.startswith("rds.Cluster state-database.serverlessv2ScalingConfiguration.maxCapacity: ")
    assert found == (
        "4 capacity units, 818 connections for the tasks; 28 tasks (a deployment runs 200 percent of 14) open up to 30 each"
    )


def test_a_database_that_grew_too_small_is_found() -> None:
    smaller = with_value("serverlessv2ScalingConfiguration", {"minCapacity": 0.5, "maxCapacity": 1})

    ((_, found),) = _said(findings(edited(deployed("staging").recording, CLUSTER, "state-database", smaller)))

    assert found.startswith("1 capacity units, 184 connections for the tasks; 8 tasks")


def test_a_missing_alarm_is_found() -> None:
    other = with_value("metricQueries", [])
    recording = edited(deployed("staging").recording, ALARM, "state-alarms-database-connections", other)

    ((headline, _),) = _said(findings(recording))

    assert headline.endswith("no alarm monitors the number of connections")


def test_a_stack_without_tasks_has_no_pools() -> None:
    assert findings(run_bootstrap("prod")) == []


def test_the_pools_fit_in_another_region() -> None:
    assert findings(recorded(ELSEWHERE[0])) == []


def test_what_a_database_accepts_is_documented_and_grows_evenly_between() -> None:
    assert [accepted(1, units) for units, _ in ACCEPTED] == [connections for _, connections in ACCEPTED]
    assert (accepted(1, 6), accepted(1, 32), accepted(0.5, 16), accepted(0.5, 8)) == (1246, 5000, 2000, 1669)


@pytest.mark.parametrize("units", [1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 256])
@pytest.mark.parametrize("minimum", [0.5, 1])
def test_the_settings_never_count_on_more_than_the_database_accepts(minimum: float, units: float) -> None:
    database = Database(minimum_capacity_units=minimum, maximum_capacity_units=units)

    assert database.connections_for_tasks < accepted(minimum, units)


def test_a_deployment_runs_no_more_tasks_than_the_settings_count_with() -> None:
    for stack in STACKS:
        (service,) = deployed(stack).recording.of_type(SERVICE)
        assert service.inputs["deploymentMaximumPercent"] <= TASKS_AT_ONCE * 100
