"""A deployment of a service: the tasks of one task definition, and their progress."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from local.stack import Resource, Stack, items
from local.task.definition import Definition, definition
from local.task.services import REGISTRY, SERVICE, interface
from local.task.task import RUNNING, STOPPED, Task
from local.wiring import Node

TARGET_GROUP, SUBNET = "aws:lb/targetGroup:TargetGroup", "aws:ec2/subnet:Subnet"
IN_PROGRESS, COMPLETED, FAILED = "IN_PROGRESS", "COMPLETED", "FAILED"
LEAST_FAILURES, MOST_FAILURES = 3, 200
"""Bounds of the circuit breaker's threshold, which is half of the desired count
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html)."""


class InvalidServiceError(Exception):
    """A service that ECS would refuse to create or update; the message states the property and the reason."""


class Targets(Protocol):
    """The target group in which the service registers its tasks, implemented by the load balancer."""

    def register(self, address: str, zone: str, port: int | None = None) -> Any:  # noqa: ANN401 - its own handle
        """Register a target and start its health checks."""
        ...

    def deregister(self, target: Any, *, wait: bool = False) -> None:  # noqa: ANN401 - its own handle
        """Deregister a target; with ``wait``, return once it is drained or the deregistration delay has passed."""
        ...

    def states(self, target: Any) -> set[Any]:  # noqa: ANN401 - its own handle
        """Return the target's state on the load balancer's nodes: ``initial``, ``healthy``, ``unhealthy``,
        ``draining``."""
        ...


class Registries(Protocol):
    """The Cloud Map services in which the tasks of a service are found by name."""

    def register(self, registry: str, address: str) -> None:
        """Answer with this address from now on."""
        ...

    def deregister(self, registry: str, address: str) -> None:
        """Answer without it."""
        ...


class Interfaces(Protocol):
    """Network interfaces for tasks, with the service's security groups."""

    def take(self, subnet: str) -> Node:
        """Take a free interface in a subnet, by the subnet's id."""
        ...

    def give(self, node: Node) -> None:
        """Return the interface of a stopped task to the pool."""
        ...


@dataclass(frozen=True)
class Settings:
    """The properties of the service resource."""

    resource: Resource
    name: str
    cluster: str
    desired: int
    least: int
    """The number of healthy tasks that a deployment keeps."""
    most: int
    """The maximum number of tasks during a deployment."""
    subnets: tuple[str, ...]
    port: int
    registry: str
    """The ARN of the Cloud Map service in which ECS registers the tasks; empty without one."""
    grace_seconds: float
    breaker: bool
    breaker_rolls_back: bool
    alarms: tuple[str, ...]
    alarms_roll_back: bool
    least_percent: int
    most_percent: int

    def scaled(self, desired: int) -> Settings:
        """Return the settings with another desired number of tasks, and its bounds during a deployment."""
        return replace(
            self,
            desired=desired,
            least=math.ceil(desired * self.least_percent / 100),
            most=math.floor(desired * self.most_percent / 100),
        )

    @classmethod
    def of(cls, stack: Stack, one: Resource, wanted: Definition) -> Settings:
        """Read a service. Raises ``InvalidServiceError`` for one that ECS refuses."""
        if one["taskDefinition"] != wanted.arn:
            raise InvalidServiceError(f"{one.name}: taskDefinition {one['taskDefinition']} is not {wanted.arn}")
        if one["launchType"] != "FARGATE":
            raise InvalidServiceError(f"{one.name}: launchType {one['launchType']} is not supported by the twin")
        network: Mapping[str, Any] = one["networkConfiguration"]
        subnets = tuple(str(name) for name in network["subnets"])
        known = {subnet.id for subnet in stack.all(SUBNET)}
        if missing := sorted(set(subnets) - known):
            raise InvalidServiceError(
                f"{one.name}: networkConfiguration.subnets: the stack has no {', '.join(missing)}"
            )
        clusters = stack.where("aws:ecs/cluster:Cluster", arn=one["cluster"])
        if not clusters:
            raise InvalidServiceError(f"{one.name}: cluster {one['cluster']} is not in the stack")
        breaker: Mapping[str, Any] = one.get("deploymentCircuitBreaker", {})
        alarms: Mapping[str, Any] = one.get("alarms", {})
        return cls(
            resource=one,
            name=str(one["name"]),
            cluster=str(clusters[0]["name"]),
            desired=0,
            least=0,
            most=0,
            subnets=subnets,
            port=_port(stack, one, wanted),
            registry=_registry(stack, one),
            grace_seconds=float(one.get("healthCheckGracePeriodSeconds", 0)),
            breaker=bool(breaker.get("enable")),
            breaker_rolls_back=bool(breaker.get("rollback")),
            alarms=tuple(str(name) for name in alarms.get("alarmNames", [])) if alarms.get("enable") else (),
            alarms_roll_back=bool(alarms.get("rollback")),
            least_percent=int(one.get("deploymentMinimumHealthyPercent", 100)),
            most_percent=int(one.get("deploymentMaximumPercent", 200)),
        ).scaled(int(one["desiredCount"]))


def _port(stack: Stack, service: Resource, wanted: Definition) -> int:
    """The port of the only load balancer entry; 0 without one."""
    entries = list(items(service.get("loadBalancers")))
    if not entries:
        return 0
    if len(entries) > 1:
        raise InvalidServiceError(f"{service.name}: loadBalancers: the twin supports only one")
    (entry,) = entries
    name, port = str(entry["containerName"]), int(entry["containerPort"])
    container = wanted.container(name)
    if container is None:
        raise InvalidServiceError(f"{service.name}: loadBalancers: the task definition has no container {name}")
    if port not in container.ports:
        raise InvalidServiceError(
            f"{service.name}: loadBalancers: the container {name} did not have a container port {port} defined"
        )
    groups = stack.where(TARGET_GROUP, arn=entry["targetGroupArn"])
    if not groups:
        raise InvalidServiceError(
            f"{service.name}: loadBalancers: the stack has no target group {entry['targetGroupArn']}"
        )
    if groups[0].get("targetType") != "ip":
        raise InvalidServiceError(
            f"{service.name}: the target group {groups[0].name} has target type {groups[0].get('targetType')}, and awsvpc "
            "tasks need ip"
        )
    return port


def _registry(stack: Stack, service: Resource) -> str:
    """The ARN of the service's Cloud Map service; empty without one."""
    given: Mapping[str, Any] = service.get("serviceRegistries") or {}
    arn = str(given.get("registryArn") or "")
    if arn and not stack.where(REGISTRY, arn=arn):
        raise InvalidServiceError(f"{service.name}: serviceRegistries: the stack has no Cloud Map service {arn}")
    return arn


@dataclass
class Placed:
    """A task of a service, its subnet and its target."""

    task: Task
    subnet: str
    target: Any = None
    named: bool = False
    """Whether its address is in the Cloud Map service."""
    stopping: bool = False
    counted: bool = False
    """Whether its failure or success has been counted."""
    released: bool = False

    @property
    def gone(self) -> bool:
        """Whether it has stopped."""
        return self.task.status == STOPPED

    def healthy(self, targets: Targets | None) -> bool:
        """Whether it is running, with healthy containers and a target that is healthy on every node."""
        if self.stopping or self.task.status != RUNNING or self.task.health != "HEALTHY":
            return False
        return targets is None or (self.target is not None and targets.states(self.target) == {"healthy"})


@dataclass
class Deployment:
    """One deployment: the service's newest (``PRIMARY``), or one that is being replaced."""

    stack: Stack
    definition: Definition
    settings: Settings
    id: str = field(default_factory=lambda: f"ecs-svc/{uuid.uuid4().int % 10**19:019d}")
    placed: list[Placed] = field(default_factory=list[Placed])
    rollout: str = IN_PROGRESS
    reason: str = ""
    failed: int = 0
    """The number of consecutive tasks that did not start or did not become healthy."""
    causes: list[str] = field(default_factory=list[str])
    """The reason for each failure."""
    not_before: float = 0
    alarmed: frozenset[str] = frozenset()
    """The alarms that were already in ``ALARM`` at the start; they do not fail the deployment."""
    rolls_back: bool = False
    """Whether it restores an earlier deployment, in which case it is not rolled back itself."""

    @classmethod
    def of(cls, stack: Stack, name: str = "") -> Deployment:
        """Create a deployment of a service's current task definition and settings: of the interface's, or of the service
        with this logical name. Raises ``InvalidServiceError`` and ``InvalidTaskDefinitionError``."""
        service = next(iter(one for one in stack.all(SERVICE) if one.name == name), None) if name else interface(stack)
        if service is None:
            raise InvalidServiceError(f"{stack.name} has no service {name}")
        try:
            wanted = definition(stack, service)
        except LookupError as problem:
            raise InvalidServiceError(str(problem)) from None
        return cls(stack, wanted, Settings.of(stack, service, wanted))

    @property
    def threshold(self) -> int:
        """The number of consecutive failures that trips the circuit breaker."""
        return min(MOST_FAILURES, max(LEAST_FAILURES, math.ceil(self.settings.desired / 2)))

    @property
    def live(self) -> list[Placed]:
        """The tasks that have not stopped."""
        return [one for one in self.placed if not one.gone]


@dataclass(frozen=True)
class Event:
    """An event of ECS: a line in the service's event list, or an event on EventBridge."""

    at: float
    kind: str
    """``service``, ``ECS Task State Change`` or ``ECS Deployment State Change``."""
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])


def event(kind: str, text: str, **detail: object) -> Event:
    """Create an event with the current time."""
    return Event(time.time(), kind, text, detail)


InAlarm = Callable[[str], bool]
"""Whether a CloudWatch alarm is in ``ALARM``."""
