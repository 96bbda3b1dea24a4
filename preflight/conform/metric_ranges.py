"""The highest value that a metric can have in a recorded graph, where the graph decides it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from preflight.conform.documented.model import Json, listed, mapping
from preflight.conform.documented.services import SERVICE, TASK, containers
from preflight.conform.metrics import Metric, documented
from preflight.conform.pools import connections_of_a_task
from preflight.conform.stack_file import preset_of
from preflight.recording.recorder import RecordedResource, Recording

UNITS_OF_A_PROCESSOR = 1024
"""CPU units of one vCPU."""
MEMORY_OF_A_UNIT = 2 * 1024**3
"""Bytes of one Aurora capacity unit."""
CLUSTER = "aws:rds/cluster:Cluster"
INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
ECS_CLUSTER = "aws:ecs/cluster:Cluster"
SCALING = "aws:appautoscaling/target:Target"
APPLICATION = "interface"
"""The container of the preset's application."""
SEVERAL = 2
"""Nodes or instances without which nothing lags behind."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The values that a metric can have while a service runs ``tasks`` tasks."""

    recording: Recording
    tasks: Mapping[str, int]
    """Service name → the number of its tasks."""

    def highest(self, metric: Metric) -> float:
        """The highest value; zero for a metric that this stack never has."""
        word = documented()[metric.namespace, metric.name].highest
        if word == "-":
            return math.inf
        return _BY_WORD[word](self, metric) if word in _BY_WORD else float(word)

    def service(self, metric: Metric) -> RecordedResource | None:
        """The service that a metric is about: by name, or behind its target group."""
        named, group = metric.of.get("ServiceName"), metric.of.get("TargetGroup")
        for service in self.recording.of_type(SERVICE):
            arns = [str(mapping(one).get("targetGroupArn")) for one in listed(service.inputs.get("loadBalancers"))]
            if named == service.outputs.get("name") or (group and any(arn.endswith(group) for arn in arns)):
                return service
        return None

    def running(self, metric: Metric) -> float:
        """The number of tasks of the metric's service."""
        service = self.service(metric)
        return self.tasks.get(str(service.outputs.get("name")), 0) if service else 0

    def cpu(self, metric: Metric) -> float:
        """Percent of the task's CPU that its program can use."""
        if (task := self._task(metric)) is None:
            return 0
        used = max((_processors(one, self.recording.stack) for one in _programs(task)), default=0.0)
        return min(100.0, 100 * used * UNITS_OF_A_PROCESSOR / float(task.inputs["cpu"]))

    def memory(self, metric: Metric) -> float:
        """Percent of the task's memory that its containers get; all of it, if one has no separate limit."""
        if (task := self._task(metric)) is None:
            return 0
        limits = [one.get("memory") for one in containers(task) if one.get("essential", True)]
        if not all(limits):
            return 100
        return min(100.0, 100 * sum(float(one or 0) for one in limits) / float(task.inputs["memory"]))

    def connections(self, _metric: Metric) -> float:
        """The connections that the pools of all tasks can open."""
        total = 0.0
        for service in self.recording.of_type(SERVICE):
            each = connections_of_a_task(self.recording, service)
            total += (math.inf if each is None else each) * self.tasks.get(str(service.outputs.get("name")), 0)
        return total

    def database_memory(self, _metric: Metric) -> float:
        """The memory of the largest size."""
        scaling = [
            mapping(one.inputs.get("serverlessv2ScalingConfiguration")) for one in self.recording.of_type(CLUSTER)
        ]
        return max((float(one.get("maxCapacity") or 0) * MEMORY_OF_A_UNIT for one in scaling), default=0)

    def reader_lag(self, _metric: Metric) -> float:
        """Without a reader nothing lags."""
        return math.inf if len(self.recording.of_type(INSTANCE)) >= SEVERAL else 0

    def cache_lag(self, _metric: Metric) -> float:
        """Without a replica nothing lags."""
        nodes = [int(one.inputs.get("numCacheClusters") or 1) for one in self.recording.of_type(CACHE)]
        return math.inf if max(nodes, default=0) >= SEVERAL else 0

    def disk(self, metric: Metric) -> float:
        """Only clusters with enhanced Container Insights publish it."""
        clusters = [
            one for one in self.recording.of_type(ECS_CLUSTER) if one.outputs.get("name") == metric.of["ClusterName"]
        ]
        return 100 if any(insights(one) == "enhanced" for one in clusters) else 0

    def _task(self, metric: Metric) -> RecordedResource | None:
        service = self.service(metric)
        arn = service.inputs.get("taskDefinition") if service else None
        return next((one for one in self.recording.of_type(TASK) if one.outputs.get("arn") == arn), None)


_BY_WORD: Mapping[str, Callable[[Reach, Metric], float]] = {
    "cache-lag": Reach.cache_lag,
    "connections": Reach.connections,
    "cpu": Reach.cpu,
    "database-memory": Reach.database_memory,
    "disk": Reach.disk,
    "memory": Reach.memory,
    "reader-lag": Reach.reader_lag,
    "tasks": Reach.running,
}


def worlds(recording: Recording) -> list[Reach]:
    """The graph with each service at its lowest and at its highest number of tasks: an alarm has to fire in both."""
    least: dict[str, int] = {}
    most: dict[str, int] = {}
    for service in recording.of_type(SERVICE):
        name = str(service.outputs.get("name"))
        least[name] = most[name] = int(service.inputs.get("desiredCount") or 1)
        for target in recording.of_type(SCALING):
            if str(target.inputs.get("resourceId")).endswith(f"/{name}"):
                least[name], most[name] = int(target.inputs["minCapacity"]), int(target.inputs["maxCapacity"])
    return [Reach(recording, least), Reach(recording, most)]


def insights(cluster: RecordedResource) -> str:
    """The cluster's setting of Container Insights."""
    settings = [mapping(one) for one in listed(cluster.inputs.get("settings"))]
    return next((str(one.get("value")) for one in settings if one.get("name") == "containerInsights"), "")


def _programs(task: RecordedResource) -> list[dict[str, Json]]:
    """The containers that do a task's work: Envoy only where it is alone, because in other tasks it forwards to the program."""
    essential = [one for one in containers(task) if one.get("essential", True)]
    programs = [one for one in essential if _threads(one) is None]
    return programs or essential


def _processors(container: Mapping[str, Json], stack: str) -> float:
    """How many vCPUs a container can use: Envoy's threads, the processes of the preset's application, or one."""
    threads = _threads(container)
    if threads is not None:
        return threads
    return (preset_of(stack).processes or math.inf) if container.get("name") == APPLICATION else 1


def _threads(container: Mapping[str, Json]) -> int | None:
    command = [str(one) for one in (*listed(container.get("entryPoint")), *listed(container.get("command")))]
    place = command.index("--concurrency") if "--concurrency" in command else -1
    return int(command[place + 1]) if 0 <= place < len(command) - 1 else None
