"""Where the resources of a stack are: the network interfaces of each, and those that its tasks may have."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.network import Plan
from local.stack import Resource, Stack
from local.task.deployment import SUBNET
from local.task.services import SERVICE
from local.wiring import Node


@dataclass
class Pool:
    """The network interfaces that tasks may have: subnet → those that are free."""

    free: dict[str, list[Node]]
    subnets: Mapping[str, str]
    """Address → its subnet's id."""
    same_again: bool = False
    """Whether the next task gets the address that was given back last, and not one that has been free for longer."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, stack: Stack, plan: Plan, service: Resource, *, same_again: bool = False) -> Pool:
        """The interfaces that a plan has for a service."""
        subnets = _subnets(stack)
        free: dict[str, list[Node]] = {}
        of: dict[str, str] = {}
        for one in plan.of(service.recorded.urn):
            free.setdefault(subnets[one.subnet], []).append(Node(one.name, one.v4))
            of[one.v4] = subnets[one.subnet]
        return cls(free, of, same_again)

    def take(self, subnet: str) -> Node:
        """A free interface in a subnet."""
        with self._lock:
            if not self.free.get(subnet):
                raise LookupError(f"the subnet {subnet} has no free network interface for a task")
            return self.free[subnet].pop(0)

    def give(self, node: Node) -> None:
        """The interface of a task that has stopped."""
        with self._lock:
            free = self.free[self.subnets[node.address]]
            free.insert(0 if self.same_again else len(free), node)


def tasks_per_subnet(stack: Stack) -> int:
    """Enough interfaces for a deployment of any service at its largest, and for one task a subnet that is being replaced."""
    return max(map(_most_per_subnet, stack.all(SERVICE)))


def _most_per_subnet(service: Resource) -> int:
    most = int(service["desiredCount"]) * int(service.get("deploymentMaximumPercent", 200)) / 100
    return math.ceil(most / len(service["networkConfiguration"]["subnets"])) + 1


def nodes_of(stack: Stack, plan: Plan) -> dict[str, list[Node]]:
    """A resource's id → its network interfaces. A cluster has those of its instances, in their order."""
    found: dict[str, list[Node]] = {}
    for resource in stack.resources:
        if placed := [Node(one.name, one.v4) for one in plan.of(resource.recorded.urn) if one.v4]:
            found[resource.id] = placed
    return found


def by_subnet(stack: Stack, plan: Plan, type_: str) -> dict[str, Node]:
    """Id of a subnet → the interface there of the stack's only resource of a type."""
    subnets = _subnets(stack)
    return {subnets[one.subnet]: Node(one.name, one.v4) for one in plan.of(stack.one(type_).recorded.urn)}


def _subnets(stack: Stack) -> dict[str, str]:
    """URN of a subnet → its id."""
    return {one.recorded.urn: one.id for one in stack.all(SUBNET)}
