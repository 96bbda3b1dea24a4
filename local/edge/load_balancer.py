"""A stack's load balancer: its listeners on every node, its target groups, its web ACL."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError
from typing import Any, Self, TypeVar

from local.authority import Authority
from local.edge.answers import Answer
from local.edge.balancer_settings import BalancerSettings
from local.edge.claims import Signer
from local.edge.exchange import ClientConnection, Edge, Forwarded, RequestExchange
from local.edge.firewall import EdgeFirewall
from local.edge.forwarding import forward
from local.edge.journal import Destination, Journal, Put, stamp
from local.edge.listener import EdgeListener
from local.edge.messages import Idle, Malformed, read_head, request_head
from local.edge.sessions import Vault
from local.edge.surroundings import BalancerNode, EdgeSurroundings, Names, Signals
from local.edge.targets import RegisteredTarget, TargetGroup, TargetState
from local.edge.tokens import Tokens
from local.refusals import Refusals
from local.signals import Metrics
from local.stack import Resource, Stack
from local.wiring import Node, Wiring
from policies.guardrails.topology.graph.resources import Graph

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"
LOGS = {"accessLogs": "access", "connectionLogs": "connection", "healthCheckLogs": "health-check"}
READ_LIMIT = 1 << 17
TLS_HANDSHAKE = b"\x16"
"""The first byte of a TLS connection (RFC 8446, ContentType)."""
START_SECONDS = 10.0
CLOSE_SECONDS = 1.0
_POLL_SECONDS = 0.01
T = TypeVar("T")


class LoadBalancer:
    """Serves from a separate thread while the ``with`` block runs.

    ``nodes``: subnet id → the node in the subnet. ``names``: host name → addresses, for the load balancer's own
    requests. ``authority`` issues the listeners' ACM certificates, and is trusted for the identity provider. ``clock``
    returns seconds since the epoch; sessions, rates and the deregistration delay use it.
    """

    def __init__(
        self,
        stack: Stack,
        wiring: Wiring,
        nodes: Mapping[str, Node],
        *,
        authority: Authority,
        names: Names,
        metrics: Metrics,
        refusals: Refusals | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.resource = stack.one(BALANCER)
        if (kind := self.resource.get("loadBalancerType", "application")) != "application":
            raise NotImplementedError(f"load balancer {self.resource.name} loadBalancerType {kind}: no ALB")
        graph = stack.graph
        suffix = str(self.resource["arnSuffix"])
        trusted = ssl.create_default_context(cadata=authority.certificate)
        journal = Journal(stack.account, stack.region, suffix, tuple(_destinations(self.resource)))
        signals = Signals(metrics, suffix, clock)
        self.around = EdgeSurroundings(
            stack, wiring, names, trusted, signals, journal, clock, refusals=refusals or Refusals()
        )
        self.settings = BalancerSettings.of(self.resource)
        self.places = [
            BalancerNode(nodes[one], str(stack.by_arn(one)["availabilityZone"])) for one in self.resource["subnets"]
        ]
        vault = Vault()
        self.signer = Signer(str(self.resource["arn"]))
        mine = stack.where(LISTENER, loadBalancerArn=self.resource["arn"])
        self.listeners = [EdgeListener(one, graph, self.around, vault) for one in mine]
        self._contexts = {one: one.encryption(authority) for one in self.listeners}
        self.groups = {str(one["arn"]): self._group(one) for one in stack.all(TARGET_GROUP)}
        self.firewall = self._firewall(graph)
        self.resource.get("desyncMitigationMode")  # the topology's evaluator reads it
        declared = graph.by_urn[self.resource.recorded.urn]
        self._edge = Edge(
            self.around, declared, self.settings, self.firewall, self._group_of, self.signer, Tokens(self.around)
        )
        self._loop = asyncio.new_event_loop()
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        started = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), name="edge", daemon=True)
        try:
            for listener in self.listeners:
                for place in self.places:
                    made = self.around.wiring.listen(place.node.host, place.node.address, listener.port)
                    made.setblocking(False)
                    self._sockets.append(made)
        except OSError:
            for made in self._sockets:
                made.close()
            raise
        self._thread.start()
        if not started.wait(START_SECONDS):
            raise RuntimeError("the load balancer did not start")
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_SECONDS)
        for made in self._sockets:
            made.close()

    @property
    def not_emulated(self) -> list[str]:
        """The declared features that the load balancer does not implement, in addition to properties that no part
        reads."""
        return self.firewall.not_emulated if self.firewall is not None else []

    @property
    def group(self) -> TargetGroup:
        """The only target group."""
        (found,) = self.groups.values()
        return found

    def register(self, address: str, zone: str, port: int | None = None, group: str = "") -> RegisteredTarget:
        """Register a target with the container's port, as a service does with a started task.

        ``group`` is a target group's ARN, which may be omitted if there is only one. Raises ``KeyError`` if the graph
        has no target group with this ARN.
        """
        wanted = self.groups[group] if group else self.group

        async def register() -> RegisteredTarget:
            return wanted.register(address, zone, port)

        return self._call(register())

    def deregister(self, target: RegisteredTarget, *, wait: bool = False) -> None:
        """Deregister a target; with ``wait``, return once it is drained or the deregistration delay has passed."""
        if self._loop.is_closed():
            return
        running = asyncio.run_coroutine_threadsafe(target.group.deregister(target), self._loop)
        # The load balancer may be stopped while a target drains: then there is nothing left to drain.
        with contextlib.suppress(CancelledError):
            if wait:
                running.result()
            else:
                self._call(asyncio.sleep(0))

    def states(self, target: RegisteredTarget) -> set[TargetState]:
        """Return the target's state on each node."""
        return {target.state(place) for place in self.places}

    def check(self, target: RegisteredTarget) -> set[TargetState]:
        """Check a target from every node immediately, and return its state on each."""

        async def check() -> None:
            await asyncio.gather(*(target.group.check_once(target, place) for place in self.places))

        self._call(check())
        return self.states(target)

    def wait_healthy(self, target: RegisteredTarget, seconds: float, every: float = 0.2) -> bool:
        """Wait until all nodes consider a target healthy, with more frequent checks than declared. Returns ``False`` on
        a timeout."""
        ends = checked = time.monotonic()
        ends += seconds
        while self.states(target) != {TargetState.HEALTHY}:
            if time.monotonic() > ends:
                return False
            if time.monotonic() > checked + every:
                self.check(target)
                checked = time.monotonic()
            time.sleep(_POLL_SECONDS)
        return True

    def deliver_logs(self, put: Put) -> None:
        """Write the pending log lines to the buckets that the load balancer declares."""
        self.around.journal.deliver(put, self.around.clock(), self.places[0].node.address)

    def _call(self, wanted: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(wanted, self._loop).result()

    def _group(self, resource: Resource) -> TargetGroup:
        return TargetGroup(resource, self.around, self.places, cross_zone=self.settings.cross_zone)

    def _group_of(self, arn: str) -> TargetGroup:
        return self.groups[arn]

    def _firewall(self, graph: Graph) -> EdgeFirewall | None:
        stack = self.around.stack
        found = stack.where(ASSOCIATION, resourceArn=self.resource["arn"])
        return EdgeFirewall(stack.by_arn(str(found[0]["webAclArn"])), graph, self.around) if found else None

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(started))
        self._loop.close()

    async def _serve(self, started: threading.Event) -> None:
        sockets = iter(self._sockets)
        accepting = [
            asyncio.ensure_future(self._accept(next(sockets), listener, place))
            for listener in self.listeners
            for place in self.places
        ]
        started.set()
        await self._stop.wait()
        for group in self.groups.values():
            await group.close()
        remaining = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in [*accepting, *remaining]:
            task.cancel()
        await asyncio.gather(*accepting, *remaining, return_exceptions=True)
        await asyncio.sleep(_POLL_SECONDS)  # what was aborted is closed in the loop's next turn

    async def _accept(self, listening: socket.socket, listener: EdgeListener, place: BalancerNode) -> None:
        while True:
            try:
                accepted, address = await self._loop.sock_accept(listening)
            except OSError as error:
                self.around.refuse(f"listener {listener.resource.name} on {place.node.host}: {error}")
                await asyncio.sleep(1)
                continue
            task = self._loop.create_task(self._connection(accepted, (address[0], address[1]), listener, place))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connection(
        self, accepted: socket.socket, address: tuple[str, int], listener: EdgeListener, place: BalancerNode
    ) -> None:
        """One client's connection, from TLS to its end."""
        context, began = self._contexts[listener], time.monotonic()
        if (first := await _first_byte(self._loop, accepted, self.settings.idle_seconds)) is None:
            return
        if (first == TLS_HANDSHAKE) != (context is not None):
            # The other protocol than the listener's: answered without TLS, as far as the client understands it.
            context, confused = None, True
        else:
            confused = False
        signals, trace = self.around.signals, f"TID_{secrets.token_hex(8)}"
        signals.of_balancer("NewConnectionCount", place.zone)
        reader = asyncio.StreamReader(READ_LIMIT)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport, _ = await self._loop.connect_accepted_socket(lambda: protocol, accepted, ssl=context)
        except OSError as error:
            accepted.close()
            signals.of_balancer("ClientTLSNegotiationErrorCount", place.zone)
            self._log(address, listener, "- - -", f"Failed:{type(error).__name__}", trace)
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        client = ClientConnection(reader, writer, address, listener, place, trace)
        if (found := writer.get_extra_info("cipher")) is not None:
            client.cipher, client.protocol = found[0], found[1]
            client.domain = listener.asked.pop(writer.get_extra_info("ssl_object"), None) or "-"
            took = (time.monotonic() - began) * 1000
            self._log(address, listener, f"{found[1]} {found[0]} {took:.3f}", "-", trace)
        else:
            self._log(address, listener, "- - -", "-", trace)
        try:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                if confused:
                    problem = Malformed(400, f"the client does not speak {listener.scheme} on port {listener.port}")
                    await RequestExchange(self._edge, client, UNREADABLE, Idle(self.settings.idle_seconds)).problem(
                        problem
                    )
                else:
                    await self._requests(client)
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), CLOSE_SECONDS)
            writer.transport.abort()  # a client that does not answer the end of TLS

    def _log(self, address: tuple[str, int], listener: EdgeListener, secured: str, status: str, trace: str) -> None:
        line = (
            f"{stamp(self.around.clock())} {address[0]} {address[1]} {listener.port} {secured} - - - {status} {trace}"
        )
        self.around.journal.add("connection", line)

    async def _requests(self, client: ClientConnection) -> None:
        """One request after the other, until one side ends the connection or the keep-alive duration is over."""
        ends, keep = self.around.clock() + self.settings.keep_alive_seconds, True
        while keep:
            idle = Idle(self.settings.idle_seconds)
            try:
                raw = await idle.within(read_head(client.reader))
                if not raw:
                    return
                exchange = RequestExchange(self._edge, client, request_head(raw), idle)
            except TimeoutError:
                return
            except Malformed as error:
                await RequestExchange(self._edge, client, UNREADABLE, idle).problem(error)
                return
            # The one request after the keep-alive duration is still answered, and its response closes the connection.
            exchange.keep = self.around.clock() < ends
            keep = await self._one(exchange)

    async def _one(self, exchange: RequestExchange) -> bool:
        try:
            decided = await exchange.decide()
            if isinstance(decided, Forwarded):
                return await forward(exchange, decided)
            return await exchange.respond(decided)
        except Malformed as error:
            return await exchange.problem(error)
        except TimeoutError:
            exchange.keep = False
            return await exchange.problem(Malformed(408, "the request did not arrive in time"))
        except (asyncio.IncompleteReadError, ConnectionError):
            return False
        except Exception as error:
            # Something in the graph that the twin does not emulate, or a defect here: either way the twin must report it.
            self.around.refuse(f"{exchange.entry.request.partition('?')[0]} failed in the load balancer: {error!r}")
            exchange.keep = False
            return False if exchange.started else await exchange.respond(Answer(500))
        finally:
            exchange.signal("ProcessedBytes", exchange.entry.received + exchange.entry.sent)
            line = exchange.entry.line(self.around.journal.balancer, self.around.clock())
            self.around.journal.add("access", line)


async def _first_byte(loop: asyncio.AbstractEventLoop, accepted: socket.socket, seconds: float) -> bytes | None:
    """The first byte that a client sends, which stays to be read; where it sends none in time, it is cut off."""
    ready = asyncio.Event()
    accepted.setblocking(False)
    loop.add_reader(accepted, ready.set)
    found = b""
    try:
        await asyncio.wait_for(ready.wait(), seconds)
        found = accepted.recv(1, socket.MSG_PEEK)
    except OSError:  # a timeout is one
        return None
    finally:
        loop.remove_reader(accepted)
        if not found:
            accepted.close()
    return found or None


UNREADABLE = request_head(b"- / HTTP/1.0\r\n\r\n")


def _destinations(resource: Resource) -> list[Destination]:
    found: list[Destination] = []
    for key, kind in LOGS.items():
        options: dict[str, Any] = resource.get(key, {})
        if options.get("enabled"):
            found.append(Destination(kind, str(options["bucket"]), str(options.get("prefix") or "")))
    return found
