"""The numbers of a recorded graph that limit how much load an environment holds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from policies.guardrails.topology.graph.documents import document
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import as_list, as_mapping
from preflight.capacity.quotas import ModelQuota, quotas
from preflight.conform.pools import KEPT_BACK, accepted, of_a_task
from preflight.conform.rates import Counted, counted, kinds
from preflight.conform.reaching.calls import containers, variables_of
from preflight.conform.reaching.model import TASK_DEFINITION
from preflight.conform.scaling import CONFIGURATION, Ceiling, ceiling
from preflight.conform.stack_file import preset_of
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording

MEBIBYTE = 1024 * 1024
INTERFACE, PROXY, UPLOADS = "interface", "proxy", "upload-too-large"


@dataclass(frozen=True, slots=True)
class Envoy:
    """The limits in one Envoy configuration."""

    connections: int
    """Connections that it accepts at once."""
    clusters: Mapping[str, int]
    """Cluster → requests at once; a request above it gets a 503."""
    heap_bytes: int
    """Above this heap it answers every request with 503; 0: no limit."""


@dataclass(frozen=True, slots=True)
class Service:
    """One ECS service with its scaling."""

    name: str
    minimum: int
    maximum: int
    zones: int
    deployment_percent: int
    cpu_units: int
    memory_mebibytes: int
    disk_gibibytes: int
    ceiling: Ceiling
    envoys: Mapping[str, Envoy]
    """Container → its configuration's limits."""
    targets: Mapping[str, float]
    """Metric → the value above which a task is added."""

    def after_a_zone(self, tasks: int) -> int:
        """The tasks that remain when the fullest of the zones fails."""
        return tasks - math.ceil(tasks / self.zones)

    @property
    def at_once(self) -> int:
        """The tasks that run during a deployment at the maximum."""
        return self.maximum * self.deployment_percent // 100


@dataclass(frozen=True, slots=True)
class Facts:
    """One environment."""

    stack: str
    interface: Service
    others: tuple[Service, ...]
    """The services that answers pass besides the interface: the gateway, the egress proxy."""
    upload_bytes: int
    session_requests: int
    """Requests of one first visit, with static files."""
    rates: tuple[Counted, ...]
    """The requests of a first visit that each rate rule of the web ACL counts."""
    connections_of_a_task: int | None
    """Database connections that the pools of one task open at most; ``None``: without a limit, or no database."""
    database_connections: int
    """Connections that the database accepts; 0: none is known."""
    quotas: tuple[ModelQuota, ...] = ()
    """The quotas of the models that the tasks may call; empty if none is Bedrock's."""


def read(recording: Recording) -> Facts:
    """The facts of one environment.

    :raises PreflightError: the graph has no service of the interface, or a number of it is unknown
    """
    graph = Graph.from_recorded(recording.resources)
    services = {service.name: service for service in _services(graph)}
    if INTERFACE not in services:
        raise PreflightError(f"{recording.stack} has no ECS service named {INTERFACE}: there is no capacity to compute")
    preset = preset_of(recording.stack)
    sent = kinds(preset)
    task = _task_of(graph, INTERFACE)
    variables = {
        name: value
        for one in containers(task) or []
        if one["name"] == INTERFACE
        for name, value in variables_of(one).items()
    }
    accepts = [
        accepted(_number(one, f"{_UNITS}.minCapacity"), _number(one, f"{_UNITS}.maxCapacity")) - KEPT_BACK
        for one in graph.of_type("rds.Cluster")
    ]
    return Facts(
        stack=recording.stack,
        interface=services.pop(INTERFACE),
        others=tuple(services[name] for name in sorted(services)),
        upload_bytes=_upload_bytes(task),
        session_requests=sum(kind.times for kind in sent),
        rates=tuple(one for acl in graph.of_type("wafv2.WebAcl") for one in counted(graph, acl, sent)),
        connections_of_a_task=of_a_task(variables, preset.connection_pools) if preset.connection_pools else None,
        database_connections=sum(accepts),
        quotas=quotas(recording),
    )


_UNITS = "serverlessv2ScalingConfiguration"


def _services(graph: Graph) -> Iterator[Service]:
    for service in graph.of_type("ecs.Service"):
        name = str(service.value("name"))
        task = _task_of(graph, name)
        desired = int(_number(service, "desiredCount", 1))
        policies = [p for p in graph.of_type("appautoscaling.Policy") if _scales(p, name)]
        targets = [t for t in graph.of_type("appautoscaling.Target") if _scales(t, name)]
        yield Service(
            name=name,
            minimum=int(_number(targets[0], "minCapacity")) if targets else desired,
            maximum=int(_number(targets[0], "maxCapacity")) if targets else desired,
            zones=len(as_list(service.value("networkConfiguration.subnets")) or [None]),
            deployment_percent=int(_number(service, "deploymentMaximumPercent", 200)),
            cpu_units=int(str(task.value("cpu"))),
            memory_mebibytes=int(str(task.value("memory"))),
            disk_gibibytes=int(_number(task, "ephemeralStorage.sizeInGib", _LEAST_DISK)),
            ceiling=ceiling(task),
            envoys={str(one["name"]): found for one in containers(task) or [] if (found := _envoy(one)) is not None},
            targets={_metric(one): _number(one, f"{CONFIGURATION}.targetValue") for one in policies},
        )


_LEAST_DISK = 20
"""GiB that a Fargate task has unless it states more."""


def _task_of(graph: Graph, service: str) -> Resource:
    """The task definition of a service."""
    return next(
        task
        for one in graph.of_type("ecs.Service")
        if one.value("name") == service
        for task in graph.referenced(one, "taskDefinition", (TASK_DEFINITION,)).resources
    )


def _scales(resource: Resource, service: str) -> bool:
    return str(resource.value("resourceId")).endswith(f"/{service}")


def _metric(policy: Resource) -> str:
    predefined = policy.value(f"{CONFIGURATION}.predefinedMetricSpecification.predefinedMetricType")
    if isinstance(predefined, str):
        return predefined
    metrics = as_list(policy.value(f"{CONFIGURATION}.customizedMetricSpecification.metrics")) or []
    return next(str(one["id"]) for item in metrics if (one := as_mapping(item) or {}).get("returnData"))


def configuration(container: Mapping[str, Any]) -> dict[str, Any] | None:
    """The Envoy configuration in a container's command, if it has one."""
    words = [str(word) for word in as_list(container.get("command")) or []]
    texts = [text for flag, text in pairwise(words) if flag == "--config-yaml"]
    return as_mapping(document(texts[0])) if texts else None


def _envoy(container: Mapping[str, Any]) -> Envoy | None:
    made = configuration(container)
    if made is None:
        return None
    monitors = {
        str(one["name"]): as_mapping(one.get("typed_config")) or {}
        for one in _all(made, "overload_manager", "resource_monitors")
    }
    connections = monitors.get("envoy.resource_monitors.global_downstream_max_connections", {})
    heap = monitors.get("envoy.resource_monitors.fixed_heap", {})
    refusing = [
        float((as_mapping(trigger.get("threshold")) or {}).get("value", 1))
        for action in _all(made, "overload_manager", "actions")
        if action["name"] == "envoy.overload_actions.stop_accepting_requests"
        for trigger in _all(action, "triggers")
    ]
    clusters = {
        str(one["name"]): min(int(threshold["max_requests"]) for threshold in thresholds)
        for one in _all(made, "static_resources", "clusters")
        if (thresholds := _all(one, "circuit_breakers", "thresholds"))
    }
    return Envoy(
        connections=int(connections.get("max_active_downstream_connections", 0)),
        clusters=clusters,
        heap_bytes=math.floor(int(heap.get("max_heap_size_bytes", 0)) * min(refusing, default=0)),
    )


def _upload_bytes(task: Resource) -> int:
    """The largest body on an upload path, as the proxy's routes state it."""
    found = [
        int((as_mapping(header["range_match"]) or {}).get("end", 1)) - 1
        for one in containers(task) or []
        if one["name"] == PROXY
        for route in _routes(configuration(one) or {})
        if route.get("name") == UPLOADS
        for header in _all(route, "match", "headers")
        if header.get("name") == "content-length" and "range_match" in header
    ]
    return max(found, default=0)


def _routes(made: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for listener in _all(made, "static_resources", "listeners"):
        for chain in _all(listener, "filter_chains"):
            for filter_ in _all(chain, "filters"):
                for host in _all(filter_, "typed_config", "route_config", "virtual_hosts"):
                    yield from _all(host, "routes")


def _all(holder: Mapping[str, Any], *path: str) -> list[dict[str, Any]]:
    """The elements of a list at a path; none if a step is absent."""
    *steps, last = path
    for step in steps:
        holder = as_mapping(holder.get(step)) or {}
    return [one for item in as_list(holder.get(last)) or [] if (one := as_mapping(item)) is not None]


def _number(resource: Resource, path: str, default: float = math.nan) -> float:
    value = resource.value(path)
    if isinstance(value, int | float):
        return float(value)
    if math.isnan(default):
        raise PreflightError(f"{resource.label}.{path} is not a known number, so there is no capacity to compute")
    return default
