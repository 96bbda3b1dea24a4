"""The targets of the number of tasks, and what they leave for the loss of a zone."""

from __future__ import annotations

from typing import Any

import pytest

from components.service.scaling import FULL_PERCENT, full_percent, highest_target, lost_zone_shortage
from tests.components.task_fixtures import application, build, one


def test_the_number_of_tasks_follows_cpu_requests_and_streams() -> None:
    recording = build(
        "service", minimum_tasks=2, maximum_tasks=6, full_requests_per_task_per_minute=900, full_streams_per_task=300
    )
    target = one(recording, "aws:appautoscaling/target:Target").inputs
    tracked = {
        p.name.removeprefix("service-scaling-"): p.inputs["targetTrackingScalingPolicyConfiguration"]
        for p in recording.of_type("aws:appautoscaling/policy:Policy")
    }

    assert (target["minCapacity"], target["maxCapacity"]) == (2, 6)
    assert target["resourceId"] == "service/ai-interface-test/interface"
    assert {name: p["targetValue"] for name, p in tracked.items()} == {"cpu": 30, "requests": 300, "streams": 100}
    assert tracked["cpu"]["predefinedMetricSpecification"]["predefinedMetricType"] == "ECSServiceAverageCPUUtilization"
    requests = tracked["requests"]["predefinedMetricSpecification"]
    assert requests["predefinedMetricType"] == "ALBRequestCountPerTarget"
    assert requests["resourceLabel"] == "app/edge/0123456789abcdef/targetgroup/t/0123456789abcdef"


def test_streams_are_half_of_the_load_balancer_s_connections_over_the_running_tasks() -> None:
    (policy,) = [
        p for p in build("service").of_type("aws:appautoscaling/policy:Policy") if p.name == "service-scaling-streams"
    ]
    queries = policy.inputs["targetTrackingScalingPolicyConfiguration"]["customizedMetricSpecification"]["metrics"]
    metrics = {
        q["id"]: (q["metricStat"]["metric"]["metricName"], q["metricStat"]["stat"])
        for q in queries
        if "metricStat" in q
    }

    assert metrics == {"connections": ("ActiveConnectionCount", "Sum"), "tasks": ("RunningTaskCount", "Average")}
    assert [(q["id"], q["expression"]) for q in queries if q["returnData"]] == [("streams", "connections / 2 / tasks")]


@pytest.mark.parametrize(
    ("units", "processes", "full"),
    [(256, 1, 90), (1024, 1, 90), (2048, 1, 45), (4096, 1, 22), (4096, 2, 45), (4096, 4, 90), (4096, None, 90)],
)
def test_a_task_is_full_when_its_processes_are(units: int, processes: int | None, full: int) -> None:
    assert full_percent(units, processes) == full


@pytest.mark.parametrize(
    ("fewest", "most", "zones", "target", "fits"),
    [
        (1, 1, 2, 90, True),
        (2, 2, 2, 45, True),
        (2, 2, 2, 46, False),
        (3, 3, 3, 60, True),
        (3, 3, 3, 61, False),
        (4, 4, 3, 45, True),
        (4, 4, 3, 46, False),
        (6, 6, 3, 60, True),
        (2, 2, 1, 10, False),
        # On the way from 2 to 4 in two zones are 3 tasks, of which one may be left; from 4 on, 5, of which two.
        (2, 4, 2, 30, True),
        (2, 4, 2, 31, False),
        (1, 4, 2, 30, True),
        (1, 4, 2, 31, False),
        (4, 8, 2, 36, True),
        (4, 8, 2, 37, False),
        # And 4 in three zones, of which two are in one.
        (3, 9, 3, 45, True),
        (3, 9, 3, 46, False),
    ],
)
def test_what_is_left_when_a_zone_fails_carries_the_load_at_every_number_of_tasks(
    fewest: int, most: int, zones: int, target: int, fits: bool
) -> None:
    assert (lost_zone_shortage(range(fewest, most + 1), zones, target) == "") is fits


@pytest.mark.parametrize("zones", [2, 3, 4])
def test_every_range_has_a_target_and_it_is_the_highest_that_holds(zones: int) -> None:
    for fewest in range(1, 31):
        for most in range(max(2, fewest), 31):
            numbers = range(fewest, most + 1)
            target = highest_target(FULL_PERCENT, numbers, zones)
            # The load of all over those that are left when the fullest zone has gone.
            loads = [n * target / (n - -(-n // zones)) for n in numbers if n > 1]
            above = [n * (target + 1) / (n - -(-n // zones)) for n in numbers if n > 1]

            assert max(loads) <= FULL_PERCENT < max(above), (numbers, target)
            assert target >= FULL_PERCENT // 3


@pytest.mark.parametrize(
    ("changes", "cpu", "requests", "streams"),
    [
        ({"minimum_tasks": 2, "maximum_tasks": 2}, 45, 600, 450),
        ({"minimum_tasks": 2, "maximum_tasks": 4}, 30, 400, 300),
        ({"minimum_tasks": 4, "maximum_tasks": 8}, 36, 480, 360),
        ({"minimum_tasks": 3, "maximum_tasks": 9, "availability_zones": 3}, 45, 600, 450),
        ({"minimum_tasks": 2, "maximum_tasks": 4, "cpu_target_percent": 20}, 20, 400, 300),
    ],
)
def test_the_targets_leave_what_losing_a_zone_takes(
    changes: dict[str, Any], cpu: int, requests: int, streams: int
) -> None:
    policies = build("service", **changes).of_type("aws:appautoscaling/policy:Policy")
    targets = {p.name: p.inputs["targetTrackingScalingPolicyConfiguration"]["targetValue"] for p in policies}

    assert targets == {
        "service-scaling-cpu": cpu,
        "service-scaling-requests": requests,
        "service-scaling-streams": streams,
    }


def test_the_target_counts_only_the_cpu_that_the_application_uses() -> None:
    single = application().model_copy(update={"processes": 1})
    changes: dict[str, Any] = {"cpu_units": 4096, "memory_mebibytes": 8192, "application": single}
    policies = build("service", minimum_tasks=2, maximum_tasks=2, **changes).of_type("aws:appautoscaling/policy:Policy")
    (policy,) = [p for p in policies if p.name == "service-scaling-cpu"]

    assert policy.inputs["targetTrackingScalingPolicyConfiguration"]["targetValue"] == 11
    with pytest.raises(ValueError, match="would need 90 percent, more than 22; lower the CPU target to 11"):
        build("service", minimum_tasks=2, maximum_tasks=2, cpu_target_percent=45, **changes)
