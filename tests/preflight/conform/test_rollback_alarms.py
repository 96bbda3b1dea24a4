"""A healthy deployment raises no alarm that rolls it back, in any environment and with both update modes."""

from __future__ import annotations

from typing import Any

import pytest

from preflight.conform.documented.services import SERVICE
from preflight.conform.rollback_alarms import ALARM, TARGETS, deployment, findings
from preflight.recording.recorder import Recording
from tests.assembly.topologies import SHAPES, recorded
from tests.preflight.conform.changed_graphs import STACKS, edited, stack

UNHEALTHY = "edge-alarms-unhealthy-targets"
RESTART = {
    "deploymentMinimumHealthyPercent": 0,
    "deploymentMaximumPercent": 100,
    "availabilityZoneRebalancing": "DISABLED",
}


@pytest.mark.parametrize("name", STACKS)
def test_no_alarm_of_a_deployment_fires_on_a_good_one(name: str) -> None:
    assert findings(stack(name)) == []
    assert findings(recorded(SHAPES[0])) == []


def test_nor_while_every_task_stops_before_the_new_ones_start() -> None:
    assert findings(edited(stack("prod"), SERVICE, lambda service: service.update(RESTART))) == []


def test_an_alarm_after_three_minutes_is_found_because_a_start_may_take_longer() -> None:
    recording = edited(
        stack("prod"), ALARM, lambda alarm: alarm.update(datapointsToAlarm=3, evaluationPeriods=5), UNHEALTHY
    )
    (found,) = findings(recording)
    start = deployment(recording, recording.of_type(SERVICE)[0]).start

    assert found.headline.startswith(f"{UNHEALTHY}.datapointsToAlarm")
    assert (
        found.found == f"fires after 3 periods of 60 s; UnHealthyHostCount is degraded while tasks start for {start} s"
    )


@pytest.mark.parametrize(
    ("type_", "changes"),
    [
        (SERVICE, {"healthCheckGracePeriodSeconds": 300}),
        (TARGETS, {"slowStart": 120}),
        (TARGETS, {"healthCheck": {"interval": 30, "healthyThreshold": 5}}),
    ],
)
def test_a_start_that_may_take_longer_needs_an_alarm_that_waits_for_longer(type_: str, changes: dict[str, Any]) -> None:
    assert len(findings(edited(stack("prod"), type_, lambda inputs: inputs.update(changes)))) == 1


def _also(name: str, **service: object) -> Recording:
    """Prod with another alarm that rolls back its deployments."""

    def edit(inputs: dict[str, Any]) -> None:
        inputs.update(service)
        inputs["alarms"]["alarmNames"].append(f"ai-interface prod {name}")

    return edited(stack("prod"), SERVICE, edit)


@pytest.mark.parametrize(
    ("alarm", "service", "count"),
    [
        ("tasks-missing", {}, 0),
        ("tasks-missing", RESTART, 1),
        ("edge-errors", {}, 0),
        ("edge-errors", RESTART, 1),
        ("cpu", {}, 0),
        ("database-cpu", {}, 1),
    ],
)
def test_other_alarms_are_held_against_what_a_deployment_does_to_their_metric(
    alarm: str, service: dict[str, Any], count: int
) -> None:
    found = findings(_also(alarm, **service))

    assert len(found) == count
    assert all(one.headline.partition(".")[0].endswith(alarm) for one in found)


def test_without_deployment_alarms_nothing_is_asked() -> None:
    recording = edited(stack("prod"), ALARM, lambda alarm: alarm.update(datapointsToAlarm=1), UNHEALTHY)

    assert findings(edited(recording, SERVICE, lambda service: service["alarms"].update(enable=False))) == []
