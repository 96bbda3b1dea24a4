"""The context that all parts of the load balancer share: graph, sockets, names, clock and metrics."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from local.edge.journal import Journal
from local.refusals import Refusals
from local.signals import Metrics
from local.stack import Stack
from local.wiring import Node, Wiring

Names = Callable[[str], Sequence[str]]
"""Resolves a host name as the load balancer's resolver does. Raises ``LookupError`` if it has no address."""
CONNECT_SECONDS = 10.0
"""The load balancer's timeout for a connection to a target, and for its TLS handshake (ELB user guide, HTTP 502 and
504)."""


@dataclass(frozen=True)
class BalancerNode:
    """The load balancer's node in one subnet: its address for listening and sending, and its Availability Zone."""

    node: Node
    zone: str


@dataclass
class Signals:
    """Emits metrics as ``AWS/ApplicationELB`` publishes them: once for each documented combination of dimensions."""

    metrics: Metrics
    balancer: str
    """The final part of the load balancer's ARN."""
    clock: Callable[[], float]

    def of_balancer(self, name: str, zone: str, value: float = 1) -> None:
        """Emit a metric of the load balancer."""
        for dimensions in ({}, {"AvailabilityZone": zone}):
            self._put(name, value, dimensions)

    def of_group(self, name: str, group: str, zone: str, value: float = 1) -> None:
        """Emit a metric that is published for the target group only."""
        for dimensions in ({}, {"AvailabilityZone": zone}):
            self._put(name, value, {**dimensions, "TargetGroup": group})

    def of_both(self, name: str, group: str, zone: str, value: float = 1) -> None:
        """Emit a metric that is published for the target group and for the load balancer as a whole."""
        self.of_balancer(name, zone, value)
        self.of_group(name, group, zone, value)

    def _put(self, name: str, value: float, dimensions: dict[str, str]) -> None:
        everything = {"LoadBalancer": self.balancer, **dimensions}
        self.metrics.put("AWS/ApplicationELB", name, value, self.clock(), everything)


@dataclass
class EdgeSurroundings:
    """The context of one load balancer."""

    stack: Stack
    wiring: Wiring
    names: Names
    trusted: ssl.SSLContext
    """The TLS context for the identity provider, with the authorities that replace the public ones."""
    signals: Signals
    journal: Journal
    clock: Callable[[], float] = time.time
    provider_seconds: float = CONNECT_SECONDS
    """How long the load balancer waits for the identity provider."""
    refusals: Refusals = field(default_factory=Refusals)
    _known: set[str] = field(default_factory=set[str])

    def refuse(self, cause: str) -> None:
        """Record a cause once."""
        if cause not in self._known:
            self._known.add(cause)
            self.refusals.add("edge", cause)

    def forget(self) -> None:
        """Record each cause again, even if it was recorded before."""
        self._known.clear()

    async def connect(
        self, place: BalancerNode, address: str, port: int, context: ssl.SSLContext | None, name: str = ""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection from a node. Raises ``OSError`` or ``TimeoutError`` if it fails, ``ssl.SSLError`` if TLS
        fails."""
        plain = self.wiring.open(place.node.host)
        plain.setblocking(False)
        # Otherwise a body would wait for the acknowledgement of its head.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            target = self.wiring.target(place.node.host, address, port)
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(plain, target), CONNECT_SECONDS)
        except BaseException:
            plain.close()
            raise
        try:
            return await asyncio.wait_for(
                asyncio.open_connection(
                    sock=plain, ssl=context, server_hostname=name if context is not None else None, limit=1 << 17
                ),
                CONNECT_SECONDS,
            )
        except TimeoutError as error:
            raise ssl.SSLError(f"no TLS handshake within {CONNECT_SECONDS} s") from error
        except ssl.SSLError:
            raise
        except OSError as error:
            raise ssl.SSLError(f"the TLS handshake failed: {error}") from error
