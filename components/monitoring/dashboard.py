"""The dashboard, read from the top: what users feel, then edge, proxy, interface, models, data and cost.

Each part has the state of its alarms, graphs of its metrics, and below them the metrics that each alarm evaluates, with its threshold.
So every alarm has a graph. A composite alarm has no metric; it is shown by its state.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.args import Args
from components.component import Component

GRID_WIDTH, GRAPH_WIDTH, GRAPH_HEIGHT = 24, 8, 6
"""Units of CloudWatch's grid, which is 24 wide
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html)."""
COLUMNS = GRID_WIDTH // GRAPH_WIDTH
STATES_OF_A_ROW = 6
ALARMS_OF_A_WIDGET = 100
"""The maximum number of alarms in one widget of type ``alarm``."""
PERIOD_SECONDS = 300


class DashboardMetricArgs(Args):
    """One line of a graph."""

    namespace: str
    """The metric's namespace in CloudWatch."""
    metric: str
    """The metric's name."""
    statistic: str = "Sum"
    """A statistic of CloudWatch, such as ``Sum`` or ``p95``."""
    dimensions: pulumi.Output[dict[str, str]]
    """Dimension → value."""


class DashboardGraphArgs(Args):
    """One graph."""

    title: str
    """The text above it."""
    metrics: list[DashboardMetricArgs]
    """Its lines."""


class DashboardPartArgs(Args):
    """One part of the stack."""

    title: str
    """The heading."""
    alarm_arns: pulumi.Output[list[str]]
    """The metric alarms' ARNs."""
    composite_arns: pulumi.Output[list[str]] | None = None
    """The composite alarms' ARNs. Omitted: none."""
    graphs: list[DashboardGraphArgs] = Field(default_factory=list[DashboardGraphArgs])
    """The graphs above those of the alarms."""


class DashboardArgs(Args):
    """Arguments of ``Dashboard``."""

    environment: str
    """Part of the dashboard's name, ``ai-interface-<environment>``."""
    region: str
    """The alarms' region."""
    parts: list[DashboardPartArgs]
    """The parts from top to bottom."""


@dataclass(frozen=True)
class Shown:
    """The content of one part."""

    alarms: Sequence[str]
    """ARNs of metric alarms."""
    composites: Sequence[str] = ()
    """ARNs of composite alarms."""
    graphs: Mapping[str, Sequence[list[Any]]] = field(default_factory=dict[str, Sequence[list[Any]]])
    """Title → lines, each in CloudWatch's form: namespace, metric, dimensions, and the statistic in an object."""


class Dashboard(Component):
    """One dashboard of the environment."""

    dashboard_name: pulumi.Output[str]
    """The dashboard's name in CloudWatch."""

    def __init__(self, name: str, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = DashboardArgs.model_validate(args)
        super().__init__("ai-interface:index:Dashboard", name, args, opts)
        titles = [part.title for part in args.parts]
        body = pulumi.Output.all(*(_shown(part) for part in args.parts)).apply(
            lambda shown: dashboard_body(args.region, dict(zip(titles, shown, strict=True)))
        )
        dashboard = aws.cloudwatch.Dashboard(
            name,
            dashboard_name=f"ai-interface-{args.environment}",
            dashboard_body=body,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.dashboard_name = dashboard.dashboard_name
        self.register_outputs({"dashboardName": self.dashboard_name})


def _shown(part: DashboardPartArgs) -> pulumi.Output[Shown]:
    lines = [line for graph in part.graphs for line in graph.metrics]
    none = pulumi.Output.from_input(list[str]())
    return pulumi.Output.all(part.alarm_arns, part.composite_arns or none, *(line.dimensions for line in lines)).apply(
        lambda known: _resolved(part, list(known[0]), list(known[1]), [dict(one) for one in known[2:]])
    )


def _resolved(
    part: DashboardPartArgs, alarms: list[str], composites: list[str], dimensions: list[dict[str, str]]
) -> Shown:
    values = iter(dimensions)
    return Shown(
        alarms,
        composites,
        {
            graph.title: [
                [
                    line.namespace,
                    line.metric,
                    *(text for pair in sorted(next(values).items()) for text in pair),
                    {"stat": line.statistic},
                ]
                for line in graph.metrics
            ]
            for graph in part.graphs
        },
    )


def dashboard_body(region: str, parts: Mapping[str, Shown]) -> str:
    """The widgets. ``parts``: heading → what the part shows."""
    widgets: list[dict[str, Any]] = []
    top = 0
    for title, shown in parts.items():
        states = [*sorted(shown.composites), *sorted(shown.alarms)]
        for start in range(0, len(states), ALARMS_OF_A_WIDGET):
            some = states[start : start + ALARMS_OF_A_WIDGET]
            height = 1 + -(-len(some) // STATES_OF_A_ROW)
            widgets.append(_widget("alarm", {"title": title, "alarms": some}, (0, top), (GRID_WIDTH, height)))
            top += height
        graphs = [
            *({"title": name, "metrics": lines, "period": PERIOD_SECONDS} for name, lines in shown.graphs.items()),
            *({"title": _role(arn), "annotations": {"alarms": [arn]}} for arn in sorted(shown.alarms)),
        ]
        for position, graph in enumerate(graphs):
            place = (position % COLUMNS * GRAPH_WIDTH, top + position // COLUMNS * GRAPH_HEIGHT)
            widgets.append(_widget("metric", {**graph, "region": region}, place, (GRAPH_WIDTH, GRAPH_HEIGHT)))
        top += -(-len(graphs) // COLUMNS) * GRAPH_HEIGHT
    return json.dumps({"widgets": widgets}, sort_keys=True)


def _widget(kind: str, properties: dict[str, Any], place: tuple[int, int], size: tuple[int, int]) -> dict[str, Any]:
    (x, y), (width, height) = place, size
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}


def _role(arn: str) -> str:
    """The last word of the alarm's name, ``ai-interface <environment> <role>``, which is the runbook's section."""
    return arn.rpartition(" ")[2]
