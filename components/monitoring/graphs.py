"""The graphs of the dashboard's parts."""

from collections.abc import Sequence

import pulumi

from components.edge.component import Edge
from components.monitoring.dashboard import DashboardGraphArgs, DashboardMetricArgs
from components.monitoring.models import NAMESPACE as BEDROCK
from components.monitoring.proxy_log import (
    CALLS,
    ENVIRONMENT,
    FAILURES,
    FIRST_BYTE,
    FORBIDDEN,
    METRICS_NAMESPACE,
    REQUESTS,
    RETRIES,
    SLOW,
    THROTTLED,
    TOO_LARGE,
    UNAUTHENTICATED,
    UNREACHABLE,
)
from components.synthetic.settings import FAILURES as SYNTHETIC_FAILURES
from components.synthetic.settings import FIRST_TOKEN, RUNS
from components.synthetic.settings import METRICS_NAMESPACE as SYNTHETIC
from components.waf.component import Firewall

BALANCER = "AWS/ApplicationELB"
ORDER = (
    "Users",
    "Edge",
    "Proxy",
    "Interface",
    "Models",
    "Synthetic chat",
    "Gateway to models",
    "Egress proxy",
    "Data",
    "Changes",
    "Logs",
    "Cost",
)
"""The headings, from top to bottom. A stack without a part leaves it out."""


def dashboard_graphs(
    *, environment: str, region: str, models: Sequence[str], edge: Edge, firewall: Firewall
) -> dict[str, list[DashboardGraphArgs]]:
    """Heading → graphs. ``models``: the ids whose tokens Bedrock counts in this region.

    The part ``Cost`` has no graph without models: nothing else that is graphed there exists.
    """
    balancer = pulumi.Output.all(LoadBalancer=edge.load_balancer_arn_suffix)
    targets = pulumi.Output.all(LoadBalancer=edge.load_balancer_arn_suffix, TargetGroup=edge.target_group_arn_suffix)
    blocked = pulumi.Output.all(WebACL=firewall.web_acl_name, Region=region, Rule="ALL")

    def lines(
        namespace: str, dimensions: pulumi.Output[dict[str, str]], *metrics: str, statistic: str = "Sum"
    ) -> list[DashboardMetricArgs]:
        return [
            DashboardMetricArgs(namespace=namespace, metric=one, statistic=statistic, dimensions=dimensions)
            for one in metrics
        ]

    of_environment = pulumi.Output.all(**{ENVIRONMENT: environment})

    def proxy(*metrics: str, statistic: str = "Sum") -> list[DashboardMetricArgs]:
        return lines(METRICS_NAMESPACE, of_environment, *metrics, statistic=statistic)

    errors = lines(BALANCER, targets, "HTTPCode_Target_5XX_Count")
    tokens = [
        line
        for model in models
        for line in lines(BEDROCK, pulumi.Output.all(ModelId=model), "InputTokenCount", "OutputTokenCount")
    ]
    return {
        "Users": [
            DashboardGraphArgs(
                title="Requests, and those that fail",
                metrics=[*lines(BALANCER, balancer, "RequestCount", "HTTPCode_ELB_5XX_Count"), *errors],
            ),
            DashboardGraphArgs(title="Chats, and those that fail or begin late", metrics=proxy(CALLS, FAILURES, SLOW)),
            DashboardGraphArgs(
                title="Milliseconds to the first byte of an answer",
                metrics=[*proxy(FIRST_BYTE, statistic="p50"), *proxy(FIRST_BYTE, statistic="p95")],
            ),
        ],
        "Edge": [
            DashboardGraphArgs(
                title="Healthy and unhealthy tasks",
                metrics=lines(BALANCER, targets, "HealthyHostCount", "UnHealthyHostCount", statistic="Maximum"),
            ),
            DashboardGraphArgs(title="Failed logins", metrics=lines(BALANCER, balancer, "ELBAuthError")),
            DashboardGraphArgs(title="Blocked requests", metrics=lines("AWS/WAFV2", blocked, "BlockedRequests")),
        ],
        "Proxy": [
            DashboardGraphArgs(
                title="Requests, and those refused with 401, 403 and 413",
                metrics=proxy(REQUESTS, UNAUTHENTICATED, FORBIDDEN, TOO_LARGE),
            ),
            DashboardGraphArgs(
                title="Chats without a server, throttled, and repeated", metrics=proxy(UNREACHABLE, THROTTLED, RETRIES)
            ),
        ],
        "Synthetic chat": [
            DashboardGraphArgs(
                title="Runs, and those without an answer",
                metrics=lines(SYNTHETIC, of_environment, RUNS, SYNTHETIC_FAILURES),
            ),
            DashboardGraphArgs(
                title="Milliseconds to the first token of the slowest group",
                metrics=lines(SYNTHETIC, of_environment, FIRST_TOKEN, statistic="Maximum"),
            ),
        ],
        "Cost": [DashboardGraphArgs(title="Tokens of each model", metrics=tokens)] if tokens else [],
    }
