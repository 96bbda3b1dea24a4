"""Load balancers, targets, web ACLs, services, databases, caches, event rules and dead-letter queues have alarms.

Without alarms, users are the first to notice a fault. Which alarms to set is the team's decision, so this is advisory.

The policy looks for the metric's name in an alarm whose dimensions name the resource, or no single one; thresholds are for review.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...checks import listed
from ...joins import dead_letter_queues, referring
from ...metrics import Metric, metrics_of
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, violated

_METRICS = {
    "cloudwatch.EventRule": (("AWS/Events", "FailedInvocations|InvocationsFailedToBeSentToDlq|InvocationsSentToDlq"),),
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
    "sqs.Queue": (("AWS/SQS", "ApproximateNumberOfMessagesVisible|ApproximateAgeOfOldestMessage"),),
    "wafv2.WebAcl": (("AWS/WAFV2", "BlockedRequests"),),
}
"""The metrics that show a fault, with their namespaces; a metric found in several namespaces has none here. Of names joined by
``|``, one is enough."""
_DIMENSIONS = {
    "cloudwatch.EventRule": ("RuleName", "name"),
    "ecs.Service": ("ServiceName", "name"),
    "lb.LoadBalancer": ("LoadBalancer", "arnSuffix"),
    "lb.TargetGroup": ("TargetGroup", "arnSuffix"),
    "rds.Cluster": ("DBClusterIdentifier", "clusterIdentifier"),
    "rds.Instance": ("DBInstanceIdentifier", "identifier"),
    "sqs.Queue": ("QueueName", "name"),
}
"""Type → the dimension that names a resource of it, and the property with the name."""
_Watch = tuple[Resource, Metric]
_OF_SERVICES = ("AWS/ApplicationELB", "AWS/ECS", "AWS/NetworkELB", "ECS/ContainerInsights")
_FIX = "add aws.cloudwatch.MetricAlarm on the metric, with a destination"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each load balancer, target group, web ACL, service, database, cache, event rule and dead-letter queue."""
    watches = _ByMetric(graph)
    for service in graph.of_type("ecs.Service"):
        yield from _rolled_back_by(graph, service)
    dead_letters = dead_letter_queues(graph)
    for resource in graph.of_type(*_METRICS):
        if not _is_application(graph, resource, dead_letters):
            continue
        scaled = resource.value("serverlessv2ScalingConfiguration") is not None
        for namespace, names in (*_METRICS[resource.kind], *(_METRICS["rds.Cluster serverless"] if scaled else ())):
            wanted = names.split("|")
            found = (watch for name in wanted for watch in watches.that_may_be_about(resource, name))
            if not any(_watches(graph, watch, resource, namespace) for watch in found) and not _is_alone(
                graph, resource, names
            ):
                metric = " or ".join(wanted)
                yield violated(resource, "", f"no alarm on {metric}", f"an alarm on {metric}", _FIX)


class _ByMetric:
    """The metrics of the alarms by name, and by the value of a dimension."""

    def __init__(self, graph: Graph) -> None:
        self._by_name: dict[str, list[_Watch]] = {}
        self._by_value: dict[tuple[str, str], dict[str | None, list[_Watch]]] = {}
        for alarm in graph.of_type("cloudwatch.MetricAlarm"):
            for metric in metrics_of(alarm):
                self._by_name.setdefault(str(metric.name), []).append((alarm, metric))

    def that_may_be_about(self, resource: Resource, name: str) -> Sequence[_Watch]:
        """The alarms on the metric, except where the dimension names another resource."""
        dimension, key = _DIMENSIONS.get(resource.kind, ("", ""))
        every, own = self._by_name.get(name, []), resource.value(key)
        if not isinstance(own, str):
            return every
        if (name, dimension) not in self._by_value:
            found = self._by_value[name, dimension] = {}
            for watch in every:
                named = watch[1].dimension(dimension)
                found.setdefault(named if isinstance(named, str) else None, []).append(watch)
        by_value = self._by_value[name, dimension]
        return [*by_value.get(own, ()), *by_value.get(None, ())]


def _watches(graph: Graph, watch: _Watch, resource: Resource, namespace: str) -> bool:
    """Whether an alarm's metric is in the namespace, and about the resource or about no single one."""
    alarm, metric = watch
    if namespace and str(metric.namespace) != namespace:
        return False
    dimension, key = _DIMENSIONS.get(resource.kind, ("", ""))
    named, own = metric.dimension(dimension), resource.value(key)
    if isinstance(named, Unknown) or (named is not None and not isinstance(own, str)):
        top = "metricQueries" if metric.path.startswith("metricQueries") else "dimensions"
        others = [urn for urn in alarm.property_dependencies.get(top, ()) if _is_of(graph, urn, resource.kind)]
        return not others or resource.urn in others
    return named is None or named == own


def _is_of(graph: Graph, urn: str, kind: str) -> bool:
    return urn in graph.by_urn and graph.by_urn[urn].kind == kind


def _rolled_back_by(graph: Graph, service: Resource) -> Iterator[Finding]:
    """The alarms that roll back a deployment are about the service or its load balancer."""
    names = {str(name) for name in listed(service.value("alarms.alarmNames"))}
    for alarm in graph.of_type("cloudwatch.MetricAlarm") if names else ():
        if str(alarm.value("name")) in names and not any(map(_is_about_services, metrics_of(alarm))):
            wanted, fix = (
                "an alarm on the service or its load balancer",
                "name alarms that a faulty release would trigger",
            )
            what = "rolls back on an alarm that is not about the service"
            yield violated(service, "alarms.alarmNames", alarm.name, wanted, fix, what=what)


def _is_about_services(metric: Metric) -> bool:
    """Whether a metric is of ECS or a load balancer, or is one that applications publish themselves."""
    namespace, name = str(metric.namespace), str(metric.name)
    return namespace in _OF_SERVICES or (name != "None" and not namespace.startswith(("AWS/", "None")))


def _is_alone(graph: Graph, resource: Resource, metric: str) -> bool:
    """Whether a cache or a cluster has no replica, and so no replication lag."""
    if metric == "AuroraReplicaLagMaximum":
        keys = ("clusterIdentifier", "id")
        return len(referring(graph, resource, "clusterIdentifier", "rds.ClusterInstance", keys=keys)) == 1
    return metric == "ReplicationLag" and resource.value("numCacheClusters") in (None, 1)


def _is_application(graph: Graph, resource: Resource, dead_letters: frozenset[str]) -> bool:
    """Whether the metrics of its type show a fault of this resource."""
    if resource.kind == "sqs.Queue":
        return resource.urn in dead_letters
    if resource.kind == "cloudwatch.EventRule":
        return bool(referring(graph, resource, "rule", "cloudwatch.EventTarget", keys=("id", "name")))
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
