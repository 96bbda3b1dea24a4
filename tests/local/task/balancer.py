"""Network interfaces and a target group for the tests of the service: the target group's own health check, no edge."""

from __future__ import annotations

import http.client
import ipaddress
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from local.stack import Resource, Stack
from local.wiring import Node, Wiring
from tests.local.people import unverified

CHECK_SECONDS = 0.3
"""Between two checks, where the graph has its own interval."""


@dataclass
class Pool:
    """Interfaces in the subnets that their addresses lie in."""

    stack: Stack
    free: list[Node]

    def take(self, subnet: str) -> Node:
        """A free one. Raises ``LookupError``."""
        block = ipaddress.ip_network(str(self.stack.by_arn(subnet)["cidrBlock"]))
        for node in self.free:
            if ipaddress.ip_address(node.address) in block:
                self.free.remove(node)
                return node
        raise LookupError(f"no interface is left in {subnet}")

    def give(self, node: Node) -> None:
        """It is free again."""
        self.free.append(node)


@dataclass(eq=False)
class Target:
    """One registered address."""

    address: str
    port: int
    zone: str
    state: str = "initial"
    passed: int = 0
    failed: int = 0
    gone: threading.Event = field(default_factory=threading.Event)


@dataclass
class Group:
    """The targets of the stack's target group, checked from one node."""

    stack: Stack
    wiring: Wiring
    node: Node
    targets: list[Target] = field(default_factory=list[Target])
    drained: list[Target] = field(default_factory=list[Target])
    least: int = 10**6
    """The fewest healthy targets since ``watch``."""

    @property
    def resource(self) -> Resource:
        """The target group."""
        return self.stack.one("aws:lb/targetGroup:TargetGroup")

    def register(self, address: str, zone: str, port: int | None = None) -> Target:
        """See ``Targets``."""
        target = Target(address, port or int(self.resource["port"]), zone)
        self.targets.append(target)
        threading.Thread(target=self._check, args=(target,), daemon=True).start()
        return target

    def deregister(self, target: Target, *, wait: bool = False) -> None:
        """See ``Targets``: nothing is open, so nothing is waited for."""
        target.gone.set()
        target.state = "draining"
        self.targets.remove(target)
        if wait:
            self.drained.append(target)
        self.least = min(self.least, len(self.healthy))

    def states(self, target: Target) -> set[str]:
        """See ``Targets``."""
        return {target.state}

    @property
    def healthy(self) -> Sequence[Target]:
        """Those that get requests."""
        return [one for one in self.targets if one.state == "healthy"]

    def watch(self) -> None:
        """Remember from now on how few were healthy."""
        self.least = len(self.healthy)

    def _check(self, target: Target) -> None:
        check: dict[str, Any] = self.resource["healthCheck"]
        while not target.gone.wait(CHECK_SECONDS):
            if self._answers(target, check):
                target.passed, target.failed = target.passed + 1, 0
            else:
                target.passed, target.failed = 0, target.failed + 1
            if target.gone.is_set():
                return
            if target.passed >= check["healthyThreshold"]:
                target.state = "healthy"
            if target.failed >= check["unhealthyThreshold"]:
                target.state = "unhealthy"

    def _answers(self, target: Target, check: dict[str, Any]) -> bool:
        client = http.client.HTTPConnection(target.address, timeout=check["timeout"])
        try:
            with self.wiring.open(self.node.host) as plain:
                plain.settimeout(check["timeout"])
                plain.connect(self.wiring.target(self.node.host, target.address, target.port))
                with unverified().wrap_socket(plain) as client.sock:
                    client.request("GET", check["path"])
                    return str(client.getresponse().status) == check["matcher"]
        except OSError:
            return False
        finally:
            client.close()
