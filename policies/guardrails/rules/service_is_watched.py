"""What carries users has alarms: load balancers, target groups, firewalls and services.

Users find what nobody watches. Which alarms a team needs is its own decision, so this advises.

It looks for a metric's name and the resource in its dimensions; thresholds are for review.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..rule import Level, Rule, Settings, Severity, stack_rule
from ..topology.resources import Graph, Resource
from ..topology.verdicts import Finding, violated

_METRICS = {
    "ecs.Service": ("CPUUtilization", "MemoryUtilization", "RunningTaskCount"),
    "lb.LoadBalancer": ("HTTPCode_ELB_5XX_Count",),
    "lb.TargetGroup": ("HTTPCode_Target_5XX_Count", "UnHealthyHostCount"),
    "wafv2.WebAcl": ("BlockedRequests",),
}
_FIX = "add aws.cloudwatch.MetricAlarm on the metric, with a destination"


def judge(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each load balancer, target group, firewall and service."""
    watched = {str(alarm.value("metricName")) for alarm in graph.of_type("cloudwatch.MetricAlarm")}
    for resource in graph.of_type(*_METRICS):
        if _is_application(resource):
            for metric in _METRICS[resource.kind]:
                if metric not in watched:
                    yield violated(resource, "", f"no alarm on {metric}", f"an alarm on {metric}", _FIX)


def _is_application(resource: Resource) -> bool:
    return resource.kind != "lb.LoadBalancer" or resource.value("loadBalancerType") not in ("network", "gateway")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    judge,
    severity=Severity.LOW,
    remediation=_FIX,
    types=tuple(sorted(_METRICS)),
    level=Level.ADVISORY,
)
