"""The dashboard shows every alarm of a stack once by its state and once by its metrics, and nothing overlaps."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from components.monitoring.dashboard import ALARMS_OF_A_WIDGET, Shown, dashboard_body
from preflight.conform.alarm_rules import COMPOSITE
from preflight.conform.documented.observation import ALARM
from tests.preflight.conform.graphs import STACKS, VARIANTS, program

DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
MOST_WIDGETS = 500
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"""


def widgets(body: str) -> list[dict[str, Any]]:
    return json.loads(body)["widgets"]


@pytest.mark.parametrize("case", [*STACKS, *VARIANTS])
def test_every_alarm_is_shown_by_state_and_by_metrics(case: str) -> None:
    (dashboard,) = program(case).of_type(DASHBOARD)
    shown = widgets(dashboard.inputs["dashboardBody"])
    alarms = sorted(alarm.outputs["arn"] for alarm in program(case).of_type(ALARM))
    # One that only holds back others is no state of anything.
    composites = [
        alarm.outputs["arn"]
        for alarm in program(case).of_type(COMPOSITE)
        if " explains-" not in alarm.inputs["alarmName"]
    ]

    states = [arn for one in shown if one["type"] == "alarm" for arn in one["properties"]["alarms"]]
    assert sorted(states) == sorted([*alarms, *composites])
    graphs = [one["properties"] for one in shown if one["type"] == "metric" and "metrics" not in one["properties"]]
    assert sorted(one["annotations"]["alarms"][0] for one in graphs) == alarms
    assert all(one["annotations"]["alarms"][0].endswith(f" {one['title']}") for one in graphs)
    assert len(shown) <= MOST_WIDGETS


@pytest.mark.parametrize("count", [1, 3, 4, 7, ALARMS_OF_A_WIDGET + 1])
def test_widgets_do_not_overlap_and_fit_into_the_grid(count: int) -> None:
    arns = [f"arn:aws:cloudwatch:eu-west-1:1:alarm:ai-interface x role-{number}" for number in range(count)]
    lines = {"Errors": [["AWS/ApplicationELB", "RequestCount", "LoadBalancer", "x", {"stat": "Sum"}]]}
    parts = {"One": Shown(arns, arns[:1], lines), "Two": Shown(arns[:2])}
    shown = widgets(dashboard_body("eu-west-1", parts))
    covered = Counter(
        (one["x"] + right, one["y"] + down)
        for one in shown
        for right in range(one["width"])
        for down in range(one["height"])
    )

    assert max(covered.values()) == 1
    assert max(x for x, _ in covered) < 24
    assert max(len(one["properties"].get("alarms", [])) for one in shown) <= ALARMS_OF_A_WIDGET


@pytest.mark.parametrize("case", [*STACKS, *VARIANTS])
def test_it_is_read_from_what_users_feel_down_to_what_it_costs(case: str) -> None:
    (dashboard,) = program(case).of_type(DASHBOARD)
    shown = widgets(dashboard.inputs["dashboardBody"])
    titles = [one["properties"]["title"] for one in shown if one["type"] == "alarm"]
    first = [title for title in ("Users", "Edge", "Proxy", "Interface", "Models", "Data") if title in titles]
    assert len(first) == 6
    assert [title for title in titles if title in first] == first
    users = next(one for one in shown if one["properties"]["title"] == "Users")
    pages = [arn for arn in users["properties"]["alarms"] if arn.endswith((" requests-failing", " chats-failing"))]
    assert len(pages) == 2
