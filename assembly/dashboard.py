"""The dashboard's parts, from what users feel down to what it costs."""

from collections.abc import Mapping

import pulumi

from components.edge import Edge
from components.monitoring import DashboardArgs, ObjectiveAlarms, Pages
from components.monitoring.dashboard import DashboardPartArgs
from components.monitoring.graphs import ORDER, dashboard_graphs
from components.waf import Firewall
from settings import StackSettings
from settings.upstreams import model_region


def dashboard(
    settings: StackSettings,
    *,
    edge: Edge,
    firewall: Firewall,
    objectives: ObjectiveAlarms,
    pages: Pages,
    alarms: Mapping[str, pulumi.Output[list[str]]],
) -> DashboardArgs:
    """The dashboard. ``alarms``: heading → ARNs of the alarms below it."""
    known = {"Users": objectives.alarm_arns, "Cost": pulumi.Output.from_input(list[str]()), **alarms}
    composites = {
        "Users": pulumi.Output.all(pages.composite_arns, objectives.composite_arns).apply(
            lambda both: sorted(str(arn) for arns in both for arn in arns)
        )
    }
    graphs = dashboard_graphs(
        environment=settings.environment,
        region=settings.region,
        models=_counted_models(settings),
        edge=edge,
        firewall=firewall,
    )
    return DashboardArgs(
        environment=settings.environment,
        region=settings.region,
        parts=[
            DashboardPartArgs(
                title=title,
                alarm_arns=known[title],
                composite_arns=composites.get(title),
                graphs=graphs.get(title, []),
            )
            for title in ORDER
            if title in known and (title != "Cost" or graphs["Cost"])
        ],
    )


def _counted_models(settings: StackSettings) -> list[str]:
    """The models that this region's ``bedrock-runtime`` serves."""
    return sorted(
        {
            model
            for group in settings.models.groups
            if any(
                model_region(upstream) == settings.region and upstream.kind != "bedrockMantle"
                for upstream in group.upstreams
            )
            for model in group.models
        }
    )
