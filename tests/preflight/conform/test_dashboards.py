"""``conform-dashboards``: every graph of every stack shows something, and each line that shows nothing is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from preflight.conform.dashboards import DASHBOARD, findings
from tests.preflight.conform.changed_graphs import edited
from tests.preflight.conform.graphs import STACKS, VARIANTS, program

LINE = 3
"""The position of the value of the first dimension in a line."""


@pytest.mark.parametrize("case", [*STACKS, *VARIANTS])
def test_every_graph_shows_something(case: str) -> None:
    bodies = [json.loads(one.inputs["dashboardBody"]) for one in program(case).of_type(DASHBOARD)]
    assert [one for body in bodies for one in body["widgets"] if "metrics" in one["properties"]]
    assert findings(program(case)) == []


@pytest.mark.parametrize(
    ("title", "place", "value", "headline"),
    [
        ("Requests, and those that fail", 1, "Requests", "the metric is not known to exist"),
        ("Requests, and those that fail", 2, "ApiName", "the metric has no such set of dimensions"),
        ("Requests, and those that fail", LINE, "app/other/1", "LoadBalancer names no resource"),
        ("Requests, and those that fail", -1, {"stat": "p99"}, "the statistic means nothing for the metric"),
        ("Chats, and those that fail or begin late", 0, "ai-interface/gateway", "the metric is not known to exist"),
    ],
)
def test_a_line_that_shows_nothing_is_reported(title: str, place: int, value: object, headline: str) -> None:
    def edit(board: dict[str, Any]) -> None:
        body = json.loads(board["dashboardBody"])
        widget = next(one["properties"] for one in body["widgets"] if one["properties"]["title"] == title)
        widget["metrics"][0][place] = value
        board["dashboardBody"] = json.dumps(body)

    found = [one.headline for one in findings(edited(program("prod"), DASHBOARD, edit))]
    assert found == [f"dashboard.{title}: {headline}"]


def test_a_metric_that_nothing_publishes_is_reported() -> None:
    filters = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
    changed = edited(
        program("prod"), filters, lambda one: one["metricTransformation"].update(name="Other"), "proxy-log-ModelCalls"
    )
    assert [one.headline for one in findings(changed)] == [
        "dashboard.Chats, and those that fail or begin late: nothing publishes the metric"
    ]
