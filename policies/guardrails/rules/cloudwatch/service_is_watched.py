"""Load balancers, target groups, web ACLs, services, databases and caches have alarms.

Without alarms, users are the first to notice a fault. Which alarms to set is the team's decision, so this is advisory.

The policy looks for a metric name with the resource in the alarm's dimensions; thresholds are for review.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import listed
from ...joins import referring
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, violated

_METRICS = {
    "ecs.Service": (("AWS/ECS", "CPUUtilization"), ("AWS/ECS", "MemoryUtilization"), ("", "RunningTaskCount")),
    "elasticache.ReplicationGroup": tuple(
        ("AWS/ElastiCache", name)
        for name in (
            "CurrConnections",
            "DatabaseMemoryUsagePercentage",
            "EngineCPUUtilization",
            "Evictions",
            "ReplicationLag",
        )
    ),
    "lb.LoadBalancer": (("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"),),
    "lb.TargetGroup": (
        ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"),
        ("AWS/ApplicationELB", "UnHealthyHostCount"),
    ),
    "rds.Cluster": tuple(
        ("AWS/RDS", name)
        for name in (
            "AuroraReplicaLagMaximum",
            "CPUUtilization",
            "DatabaseConnections",
            "FreeableMemory",
            "VolumeBytesUsed",
        )
    ),
    "rds.Cluster serverless": (("AWS/RDS", "ACUUtilization"),),
    "rds.Instance": tuple(
        ("AWS/RDS", name) for name in ("CPUUtilization", "DatabaseConnections", "FreeStorageSpace", "FreeableMemory")
    ),
    "wafv2.WebAcl": (("AWS/WAFV2", "BlockedRequests"),),
}
"""The metrics that show a fault, with their namespaces; a metric found in several namespaces has none here."""
_OF_SERVICES = ("AWS/ApplicationELB", "AWS/ECS", "AWS/NetworkELB", "ECS/ContainerInsights")
_FIX = "add aws.cloudwatch.MetricAlarm on the metric, with a destination"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each load balancer, target group, web ACL, service, database and cache."""
    watched: set[tuple[str, str]] = set()
    for alarm in graph.of_type("cloudwatch.MetricAlarm"):
        for namespace, metric in _metrics(alarm):
            watched |= {(namespace, metric), ("", metric)}
    for service in graph.of_type("ecs.Service"):
        yield from _rolled_back_by(graph, service)
    for resource in graph.of_type(*_METRICS):
        if _is_application(resource):
            scaled = resource.value("serverlessv2ScalingConfiguration") is not None
            for namespace, metric in (
                *_METRICS[resource.kind],
                *(_METRICS["rds.Cluster serverless"] if scaled else ()),
            ):
                if (namespace, metric) not in watched and not _is_alone(graph, resource, metric):
                    yield violated(resource, "", f"no alarm on {metric}", f"an alarm on {metric}", _FIX)


def _rolled_back_by(graph: Graph, service: Resource) -> Iterator[Finding]:
    """The alarms that roll back a deployment are about the service or its load balancer."""
    names = {str(name) for name in listed(service.value("alarms.alarmNames"))}
    for alarm in graph.of_type("cloudwatch.MetricAlarm") if names else ():
        if str(alarm.value("name")) in names and not any(map(_is_about_services, _metrics(alarm))):
            wanted, fix = (
                "an alarm on the service or its load balancer",
                "name alarms that a faulty release would trigger",
            )
            what = "rolls back on an alarm that is not about the service"
            yield violated(service, "alarms.alarmNames", alarm.name, wanted, fix, what=what)


def _is_about_services(metric: tuple[str, str]) -> bool:
    """Whether a metric is of ECS or a load balancer, or is one that applications publish themselves."""
    namespace, name = metric
    return namespace in _OF_SERVICES or (name != "None" and not namespace.startswith(("AWS/", "None")))


def _metrics(alarm: Resource) -> Iterator[tuple[str, str]]:
    """Namespace and name of each metric that an alarm uses, directly or in a formula."""
    yield str(alarm.value("namespace")), str(alarm.value("metricName"))
    for query in listed(alarm.value("metricQueries")):
        metric = as_mapping((as_mapping(query) or {}).get("metric")) or {}
        yield str(metric.get("namespace")), str(metric.get("metricName"))


def _is_alone(graph: Graph, resource: Resource, metric: str) -> bool:
    """Whether a cache or a cluster has no replica, and so no replication lag."""
    if metric == "AuroraReplicaLagMaximum":
        keys = ("clusterIdentifier", "id")
        return len(referring(graph, resource, "clusterIdentifier", "rds.ClusterInstance", keys=keys)) == 1
    return metric == "ReplicationLag" and resource.value("numCacheClusters") in (None, 1)


def _is_application(resource: Resource) -> bool:
    return resource.kind != "lb.LoadBalancer" or resource.value("loadBalancerType") not in ("network", "gateway")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=tuple(sorted(kind for kind in _METRICS if " " not in kind)),
    level=Level.ADVISORY,
)
