"""A target group: its targets, their health on each node of the load balancer, and the selection of the next one."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from local.edge.journal import stamp
from local.edge.messages import Malformed, read_head, response_head, written
from local.edge.surroundings import BalancerNode, EdgeSurroundings
from local.stack import Resource

USER_AGENT = "ELB-HealthChecker/2.0"
DEFAULTS = {
    "healthyThreshold": 5,
    "unhealthyThreshold": 2,
    "interval": 30,
    "timeout": 5,
    "path": "/",
    "matcher": "200",
    "port": "traffic-port",
}
"""The default health check settings (ELB user guide, health checks)."""
DEREGISTRATION_DELAY = 300
"""The default deregistration delay, in seconds."""
_DRAIN_SECONDS = 0.02
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class TargetState(StrEnum):
    """The health states of a target, in AWS's terms."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"


@dataclass
class View:
    """The state of a target on one node."""

    state: TargetState = TargetState.INITIAL
    passed: int = 0
    failed: int = 0
    outstanding: int = 0
    healthy_since: float = 0
    idle: deque[Connection] = field(default_factory=deque[Connection])
    """Idle connections that later requests may reuse."""


@dataclass(eq=False)
class RegisteredTarget:
    """One registered address and port."""

    address: str
    port: int
    zone: str
    group: TargetGroup
    views: dict[BalancerNode, View] = field(default_factory=dict[BalancerNode, View])
    draining: bool = False
    streams: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    """Connections with a request in progress."""

    @property
    def name(self) -> str:
        """The target in the access log's format."""
        return f"{self.address}:{self.port}"

    def state(self, place: BalancerNode) -> TargetState:
        """The target's state on a node."""
        return TargetState.DRAINING if self.draining else self.views[place].state


def encryption() -> ssl.SSLContext:
    """Return the TLS context for a target: the load balancer encrypts but does not verify (ELB user guide, target
    groups)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TargetGroup:
    """The targets of one target group. All methods run in the load balancer's event loop."""

    def __init__(
        self, resource: Resource, around: EdgeSurroundings, places: list[BalancerNode], *, cross_zone: bool
    ) -> None:
        self.resource = resource
        self.around = around
        self.places = places
        self.cross_zone = cross_zone
        self.arn: str = resource["arn"]
        self.name: str = resource["name"]
        self.suffix: str = resource["arnSuffix"]
        if (kind := resource.get("targetType", "instance")) != "ip":
            raise NotImplementedError(f"target group {resource.name} targetType {kind}: the twin supports only ip")
        self.port: int = resource["port"]
        self.context = encryption() if resource["protocol"] == "HTTPS" else None
        self.version: str = resource.get("protocolVersion", "HTTP1")
        self.algorithm: str = resource.get("loadBalancingAlgorithmType", "round_robin")
        self.delay: float = resource.get("deregistrationDelay", DEREGISTRATION_DELAY)
        self.slow_start: float = resource.get("slowStart", 0)
        declared: dict[str, Any] = resource.get("healthCheck", {})
        self.check: dict[str, Any] = DEFAULTS | {"protocol": resource["protocol"]} | declared
        self.targets: list[RegisteredTarget] = []
        self._turn = dict.fromkeys(places, 0)
        self._tasks: dict[RegisteredTarget, list[asyncio.Task[None]]] = {}

    def register(self, address: str, zone: str, port: int | None = None) -> RegisteredTarget:
        """Add a target; its first check starts immediately."""
        target = RegisteredTarget(address, port or self.port, zone, self, {place: View() for place in self.places})
        self.targets.append(target)
        self._tasks[target] = [
            asyncio.get_running_loop().create_task(self._checks(target, place)) for place in self.places
        ]
        return target

    async def deregister(self, target: RegisteredTarget) -> None:
        """Drain a target for the deregistration delay, then close its open connections; a second call waits for the
        first one."""
        if target.draining:
            while target in self.targets:
                await asyncio.sleep(_DRAIN_SECONDS)
            return
        target.draining = True
        for task in self._tasks.pop(target, []):
            task.cancel()
        self._count()
        for view in target.views.values():
            while view.idle:
                view.idle.popleft()[1].close()
        ends = self.around.clock() + self.delay
        while target.streams and self.around.clock() < ends:
            await asyncio.sleep(_DRAIN_SECONDS)
        for writer in list(target.streams):
            self.around.refuse(
                f"target group {self.resource.name} deregistrationDelay {self.delay} s: a request to {target.name} "
                "was still open and was cut off"
            )
            writer.transport.abort()
        self.targets.remove(target)

    async def close(self) -> None:
        """Stop the checks and close idle connections."""
        tasks = [task for tasks in self._tasks.values() for task in tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for target in self.targets:
            for view in target.views.values():
                while view.idle:
                    view.idle.popleft()[1].close()

    def choose(self, place: BalancerNode) -> RegisteredTarget | None:
        """Return the target for a node's next request; ``None`` if no target is in use.

        If no target is healthy, every unhealthy one gets requests (fail open). A target that has not yet passed a check
        gets none.
        """
        usable = [one for one in self.targets if self.cross_zone or one.zone == place.zone]
        healthy = [one for one in usable if one.state(place) is TargetState.HEALTHY]
        candidates = healthy or [one for one in usable if one.state(place) is TargetState.UNHEALTHY]
        if not candidates:
            return None
        self._turn[place] += 1
        start = self._turn[place] % len(candidates)
        ordered = [*candidates[start:], *candidates[:start]]
        if self.algorithm == "least_outstanding_requests":
            return min(ordered, key=lambda one: one.views[place].outstanding)
        if self.algorithm == "weighted_random":
            return random.choice(ordered)  # noqa: S311 - which target, not a secret
        return next((one for one in ordered if self._warm(one, place)), ordered[0])

    def _warm(self, target: RegisteredTarget, place: BalancerNode) -> bool:
        """Whether a target in slow start takes this turn: linearly more of them until the duration is over."""
        since = self.around.clock() - target.views[place].healthy_since
        return since >= self.slow_start or random.random() < since / self.slow_start  # noqa: S311

    async def _checks(self, target: RegisteredTarget, place: BalancerNode) -> None:
        while True:
            await self.check_once(target, place)
            await asyncio.sleep(self.check["interval"])

    async def check_once(self, target: RegisteredTarget, place: BalancerNode) -> None:
        """Run one health check from one node, and apply its result."""
        if not self.check.get("enabled", True):
            self._passed(target.views[place])
            return
        started = self.around.clock()
        status, problem, code = 0, "", "-"
        try:
            status = await asyncio.wait_for(self._ask(target, place), self.check["timeout"])
        except TimeoutError:
            problem, code = f"no answer within {self.check['timeout']} s", "RequestTimedOut"
        except (OSError, Malformed, asyncio.IncompleteReadError) as error:
            problem, code = str(error) or type(error).__name__, "ConnectionReset"
        else:
            if not fits(status, str(self.check["matcher"])):
                problem, code = f"status {status}, wanted {self.check['matcher']}", "ResponseCodeMismatch"
        where = f"{target.address}:{self._port(target)}"
        if problem:
            self._failed(target.views[place])
            self.around.refuse(
                f"target group {self.resource.name} healthCheck: {self.check['protocol']} {self.check['path']} on "
                f"{where} from {place.node.host}: {problem}"
            )
        else:
            self._passed(target.views[place])
        took, result = self.around.clock() - started, "FAIL" if problem else "PASS"
        line = f"{self.check['protocol'].lower()} {stamp(started)} {took:.9f} {where} {self.name} {result} {status or '-'} {code}"
        self.around.journal.add("health-check", line)
        self._count()

    def _passed(self, view: View) -> None:
        view.passed, view.failed = view.passed + 1, 0
        wanted = 1 if view.state is TargetState.INITIAL else self.check["healthyThreshold"]
        if view.state is not TargetState.HEALTHY and view.passed >= wanted:
            view.state, view.healthy_since = TargetState.HEALTHY, self.around.clock()

    def _failed(self, view: View) -> None:
        view.passed, view.failed = 0, view.failed + 1
        if view.failed >= self.check["unhealthyThreshold"]:
            view.state = TargetState.UNHEALTHY

    def _count(self) -> None:
        """Emit how many targets each node considers healthy, and how many not; one that drains is neither."""
        for place in self.places:
            states = [target.state(place) for target in self.targets]
            for name, wanted in (
                ("HealthyHostCount", TargetState.HEALTHY),
                ("UnHealthyHostCount", TargetState.UNHEALTHY),
            ):
                self.around.signals.of_group(name, self.suffix, place.zone, states.count(wanted))

    def _port(self, target: RegisteredTarget) -> int:
        port = self.check["port"]
        return target.port if port == "traffic-port" else int(port)

    async def _ask(self, target: RegisteredTarget, place: BalancerNode) -> int:
        context = encryption() if self.check["protocol"] == "HTTPS" else None
        reader, writer = await self.around.connect(place, target.address, self._port(target), context)
        try:
            host = f"{target.address}:{self._port(target)}"
            headers = (("Host", host), ("Connection", "close"), ("User-Agent", USER_AGENT), ("Accept-Encoding", "gzip"))
            writer.write(written(f"GET {self.check['path']} HTTP/1.1", headers))
            await writer.drain()
            raw = await read_head(reader)
            if not raw:
                raise ConnectionError("the connection was closed without an answer")
            return response_head(raw).status
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await asyncio.wait_for(writer.wait_closed(), 1)


def fits(status: int, matcher: str) -> bool:
    """Whether a status is in a matcher such as ``200,202`` or ``200-299``."""
    for part in matcher.split(","):
        first, _, last = part.strip().partition("-")
        if int(first) <= status <= int(last or first):
            return True
    return False


Groups = Callable[[str], TargetGroup]
"""Return the target group with this ARN."""
