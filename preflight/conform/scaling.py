"""Every scaling target, and every alarm on the CPU of a service, can be reached.

ECS divides the CPU in use by all of the task's. A server that runs as one Python or Node.js process uses one vCPU at most, so
on two vCPU it saturates at 50 percent: a target of 60 never adds a task, and an alarm at 90 never fires. The number of
processes is read from the container's command (``--workers``) and Envoy's (``--concurrency``). A target in connections must be
lower than what the proxy accepts, and a metric of a target must be one of this load balancer and this service, which the
cluster publishes.

Sources: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cloudwatch-metrics.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import as_list, as_mapping
from preflight.conform.located import violated
from preflight.conform.reaching.calls import containers
from preflight.conform.reaching.model import TASK_DEFINITION
from preflight.findings import Finding
from preflight.recording.recorder import Recording

RULE = "conform-scaling"
UNITS_OF_A_VCPU = 1024
CONFIGURATION = "targetTrackingScalingPolicyConfiguration"
PREDEFINED_CPU = ("ECSServiceAverageCPUUtilization", "ECSServiceAverageCPUUtilizationHighResolution")
_SERVERS = re.compile(r"(?:^|[\s'\"/])(uvicorn|gunicorn|hypercorn|litellm|node)(?=$|[\s'\"])")
"""Servers of which each process runs one event loop or interpreter."""
_WORKERS = re.compile(r"(?:--workers|--num_workers|-w|--concurrency)[=\s'\",]+(\d+)")


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The CPU that a task can use while it serves requests, and the container that limits it."""

    percent: float
    container: str
    processes: int


def processes(container: Mapping[str, Any]) -> int | None:
    """How many processes or threads of a container serve requests; ``None`` if its command does not show it."""
    words = _words(container, "entryPoint", "command")
    line = " ".join(word for word in words if not word.startswith("{"))  # without Envoy's configuration
    given = _WORKERS.search(line)
    if "--disable-hot-restart" in words:
        return int(given[1]) if given else None
    return (int(given[1]) if given else 1) if _SERVERS.search(line) else None


def ceiling(task: Resource) -> Ceiling:
    """The highest CPU utilization that a task reaches: that of the container with the fewest processes, because every request
    passes through all of them."""
    units = _number(task.value("cpu"), UNITS_OF_A_VCPU)
    known = [
        (found, str(one["name"]))
        for one in containers(task) or []
        if one.get("essential") and (found := processes(one)) is not None
    ]
    fewest, name = min(known, default=(0, ""))
    return Ceiling(min(100.0, 100 * fewest * UNITS_OF_A_VCPU / units) if known else 100.0, name, fewest)


def findings(recording: Recording) -> list[Finding]:
    """Each target and each alarm that can never be reached, sorted; none for a stack without services."""
    evaluation = _Evaluation(recording.stack, Graph.from_recorded(recording.resources))
    return sorted(evaluation.findings(), key=lambda one: (one.urn, one.headline))


@dataclass(frozen=True)
class _Evaluation:
    stack: str
    graph: Graph

    def findings(self) -> Iterator[Finding]:
        for service in self.graph.of_type("ecs.Service"):
            tasks = self.graph.referenced(service, "taskDefinition", (TASK_DEFINITION,)).resources
            for task in tasks:
                yield from self._policies(service, task)
                yield from self._alarms(service, task)

    def _policies(self, service: Resource, task: Resource) -> Iterator[Finding]:
        for policy in self.graph.of_type("appautoscaling.Policy"):
            if str(policy.value("resourceId")) != f"service/{self._cluster(service)}/{service.value('name')}":
                continue
            target = _number(policy.value(f"{CONFIGURATION}.targetValue"), math.nan)
            if policy.value(f"{CONFIGURATION}.predefinedMetricSpecification.predefinedMetricType") in PREDEFINED_CPU:
                yield from self._percent(policy, f"{CONFIGURATION}.targetValue", target, task, "no task is added")
            metrics = as_list(policy.value(f"{CONFIGURATION}.customizedMetricSpecification.metrics")) or []
            for query in metrics:
                yield from self._published(policy, service, as_mapping(query) or {})
            if "ActiveConnectionCount" in json.dumps(metrics) and target > (most := self._connections(task)):
                yield self._finding(
                    policy,
                    f"{CONFIGURATION}.targetValue: no task is added, because a task never has so many connections",
                    f"{target:g}, and the task's proxy refuses connections above {most:g}",
                    f"{most:g} or less",
                    "derive the target from the proxy's limit",
                )

    def _alarms(self, service: Resource, task: Resource) -> Iterator[Finding]:
        for alarm in self.graph.of_type("cloudwatch.MetricAlarm"):
            dimensions = as_mapping(alarm.value("dimensions")) or {}
            if (alarm.value("namespace"), alarm.value("metricName")) != ("AWS/ECS", "CPUUtilization"):
                continue
            if (dimensions.get("ClusterName"), dimensions.get("ServiceName")) == (
                self._cluster(service),
                service.value("name"),
            ):
                threshold = _number(alarm.value("threshold"), math.nan)
                yield from self._percent(alarm, "threshold", threshold, task, "the alarm never fires")

    def _percent(self, holder: Resource, place: str, value: float, task: Resource, so: str) -> Iterator[Finding]:
        limit = ceiling(task)
        if value < limit.percent:
            return
        found = f"{value:g} percent of {task.value('cpu')} CPU units"
        if limit.container:
            found += f", and the container {limit.container} runs {limit.processes} process(es) of one vCPU each"
        yield self._finding(
            holder,
            f"{place}: {so}, because the service never uses so much CPU",
            found,
            f"less than {limit.percent:g} percent",
            "derive it from the CPU that the processes can use, or give the task no more CPU than they use",
        )

    def _published(self, policy: Resource, service: Resource, query: Mapping[str, Any]) -> Iterator[Finding]:
        """A metric that nothing publishes leaves the policy without data for good."""
        stat = as_mapping(query.get("metricStat"))
        if stat is None:
            return
        metric = as_mapping(stat.get("metric")) or {}
        given = {
            str((as_mapping(one) or {}).get("name")): (as_mapping(one) or {}).get("value")
            for one in as_list(metric.get("dimensions")) or []
        }
        known = {
            "ClusterName": {self._cluster(service)},
            "ServiceName": {service.value("name")},
            "LoadBalancer": {one.value("arnSuffix") for one in self.graph.of_type("lb.LoadBalancer")},
            "TargetGroup": {one.value("arnSuffix") for one in self.graph.of_type("lb.TargetGroup")},
        }
        name = f"{metric.get('namespace')} {metric.get('metricName')}"
        for dimension, value in sorted(given.items()):
            if value not in known.get(dimension, set()):
                yield self._finding(
                    policy,
                    f"{CONFIGURATION}: no task is added, because {name} has no data",
                    f"the dimension {dimension} is {value}",
                    f"{dimension} of this service or its load balancer",
                    "take the dimension from the resource",
                )
        if metric.get("namespace") == "ECS/ContainerInsights" and not self._observed(service):
            yield self._finding(
                policy,
                f"{CONFIGURATION}: no task is added, because {name} is not published",
                "a cluster without Container Insights",
                "the cluster setting containerInsights: enhanced or enabled",
                "turn Container Insights on, or divide by another metric",
            )

    def _observed(self, service: Resource) -> bool:
        return any(
            (as_mapping(one) or {}).get("name") == "containerInsights"
            and (as_mapping(one) or {}).get("value") in ("enabled", "enhanced")
            for cluster in self.graph.referenced(service, "cluster", ("ecs.Cluster",)).resources
            for one in as_list(cluster.value("settings")) or []
        )

    def _cluster(self, service: Resource) -> str:
        clusters = self.graph.referenced(service, "cluster", ("ecs.Cluster",)).resources
        return str(clusters[0].value("name")) if clusters else ""

    @staticmethod
    def _connections(task: Resource) -> float:
        """The connections that the narrowest Envoy of a task accepts; infinite if none has a limit."""
        found = re.findall(
            r"max_active_downstream_connections'?\"?:\s*'?\"?(\d+)",
            " ".join(word for one in containers(task) or [] for word in _words(one, "command")),
        )
        return min(map(float, found), default=math.inf)

    def _finding(self, resource: Resource, headline: str, found: str, wanted: str, fix: str) -> Finding:
        return violated(self.stack, RULE, resource, headline, found=found, wanted=wanted, fix=fix)


def _words(container: Mapping[str, Any], *keys: str) -> list[str]:
    return [str(word) for key in keys for word in as_list(container.get(key)) or []]


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float | str) and str(value).replace(".", "").isdigit() else default
