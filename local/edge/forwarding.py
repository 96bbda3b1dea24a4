"""A request that is forwarded to a target: the bytes of both directions are passed on as they arrive."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Coroutine
from typing import Any

from local.edge.answers import Answer
from local.edge.exchange import Forwarded, RequestExchange
from local.edge.messages import PIECE, Body, Head, Malformed, read_head, response_head, written
from local.edge.targets import Connection, RegisteredTarget, TargetGroup, TargetState, View

MOST_RESPONSE_HEAD = 32 * 1024
"""The maximum size of a target's response headers; more get a 502."""
SWITCHING, LEAST_FINAL = 101, 200
MOST_IDLE = 100
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection"}
_WATCH_SECONDS = 0.05


class Broken(Exception):  # noqa: N818 - a state of the target
    """A target that did not respond: the status for the client, the metric, and the cause."""

    def __init__(self, status: int, cause: str, metric: str = "") -> None:
        super().__init__(cause)
        self.status = status
        self.cause = cause
        self.metric = metric


async def forward(exchange: RequestExchange, wanted: Forwarded) -> bool:
    """Forward a request to a target and the response to the client. Returns whether the client's connection stays
    open."""
    edge, place = exchange.edge, exchange.client.place
    group = edge.groups(wanted.group)
    exchange.entry.group = group.arn
    if group.version != "HTTP1":
        edge.around.refuse(
            f"target group {group.resource.name} protocolVersion {group.version}: received HTTP/1.1: 464"
        )
        return await exchange.respond(Answer(464))
    target = group.choose(place)
    if target is None:
        states = sorted({str(one.state(place)) for one in group.targets}) or ["none is registered"]
        edge.around.refuse(f"target group {group.resource.name} has no target in use ({', '.join(states)}): 503")
        return await exchange.respond(Answer(503))
    view = target.views[place]
    view.outstanding += 1
    _requested(exchange, group)
    relay = Relay(exchange, group, target, view, wanted)
    try:
        return await _watched(exchange, relay.run())
    except Broken as error:
        if error.metric:
            edge.around.signals.of_both(error.metric, group.suffix, exchange.zone)
        edge.around.refuse(f"target group {group.resource.name}, target {target.name}: {error.cause}: {error.status}")
        if exchange.started:
            return False
        exchange.keep = False
        return await exchange.respond(Answer(error.status))
    finally:
        view.outstanding -= 1
        relay.close()


def _requested(exchange: RequestExchange, group: TargetGroup) -> None:
    signals, now = exchange.edge.around.signals, exchange.edge.around.clock()
    signals.of_both("RequestCount", group.suffix, exchange.zone)
    share = 1 / len(group.targets)
    for more in ({}, {"LoadBalancer": signals.balancer}):
        dimensions = {"TargetGroup": group.suffix, **more}
        signals.metrics.put("AWS/ApplicationELB", "RequestCountPerTarget", share, now, dimensions)


async def _watched(exchange: RequestExchange, work: Coroutine[Any, Any, bool]) -> bool:
    """Run until done, or until the client has gone: then the target's connection is closed immediately."""
    running = asyncio.ensure_future(work)
    try:
        while not running.done():
            await asyncio.wait([running], timeout=_WATCH_SECONDS)
            # A client that resets the connection leaves an exception, not an end.
            reader = exchange.client.reader
            if not running.done() and (reader.at_eof() or reader.exception() is not None):
                if not exchange.started:
                    exchange.entry.status = 460
                    exchange.count(460)
                return False
    finally:
        if not running.done():
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    return running.result()


class Relay:
    """One request and its response between a client and a target."""

    def __init__(
        self, exchange: RequestExchange, group: TargetGroup, target: RegisteredTarget, view: View, wanted: Forwarded
    ) -> None:
        self.exchange = exchange
        self.group = group
        self.target = target
        self.view = view
        self.wanted = wanted
        self.connection: Connection | None = None
        self.upgrade = exchange.head.has("connection", "upgrade") and bool(exchange.head.value("upgrade"))

    async def run(self) -> bool:
        """Forward everything. Raises ``Broken`` if the target does not respond."""
        exchange = self.exchange
        reader, writer = self.connection = await self._connect()
        self.target.streams.add(writer)
        upload = asyncio.ensure_future(self._upload(writer))
        try:
            return await self._answer(reader, writer, upload)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Broken(502, "the connection was closed during the response") from error
        except TimeoutError as error:
            raise Broken(504, f"no byte for {exchange.idle.seconds} s (idleTimeout)") from error
        finally:
            upload.cancel()
            await asyncio.gather(upload, return_exceptions=True)

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upload: asyncio.Future[None]
    ) -> bool:
        exchange, sent = self.exchange, time.monotonic()
        head = await self._response(reader, upload)
        self._answered(head, time.monotonic() - sent)
        if head.status == SWITCHING:
            return await self._switched(head, reader, writer)
        body = Body.of_response(head, exchange.head.method, reader, exchange.idle)
        # A client of HTTP/1.0 does not know chunks: it gets what they carry, and the end of the connection.
        framed = exchange.head.version == "HTTP/1.1" or not body.chunked
        delimited = framed and not body.until_close
        exchange.keep = exchange.keep and exchange.head.persistent and delimited and upload.done()
        exchange.started = True
        await exchange.send(self._head(head, framed=framed))
        async for piece in body.pieces(framed=framed):
            await exchange.send(piece)
        exchange.keep = exchange.keep and upload.done()
        if upload.done() and not upload.exception() and head.persistent and not body.until_close:
            self._return()
        return exchange.keep

    def close(self) -> None:
        """Close the connection, unless it was returned to the pool."""
        if self.connection is not None:
            self.target.streams.discard(self.connection[1])
            self.connection[1].transport.abort()

    def _return(self) -> None:
        if self.connection is None or self.target.state(self.exchange.client.place) is TargetState.DRAINING:
            return
        if len(self.view.idle) < MOST_IDLE:
            self.target.streams.discard(self.connection[1])
            self.view.idle.append(self.connection)
            self.connection = None

    async def _connect(self) -> Connection:
        while self.view.idle and not self.upgrade:
            reader, writer = self.view.idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.transport.abort()
        target, around = self.target, self.exchange.edge.around
        try:
            return await around.connect(self.exchange.client.place, target.address, target.port, self.group.context)
        except ssl.SSLError as error:
            raise Broken(502, f"TLS failed: {error}", "TargetTLSNegotiationErrorCount") from error
        except TimeoutError as error:
            raise Broken(504, "no connection in time", "TargetConnectionErrorCount") from error
        except OSError as error:
            raise Broken(502, f"no connection: {error.strerror or error}", "TargetConnectionErrorCount") from error

    async def _upload(self, writer: asyncio.StreamWriter) -> None:
        exchange, client = self.exchange, self.exchange.client
        settings, head = exchange.edge.settings, exchange.head
        if settings.drops_invalid_headers and settings.invalid(head):
            exchange.signal("DroppedInvalidHeaderRequestCount")
        added = list(self.wanted.headers)
        if settings.forwards_tls and client.listener.scheme == "https":
            added += [("X-Amzn-Tls-Version", client.protocol), ("X-Amzn-Tls-Cipher-Suite", client.cipher)]
        headers = settings.forwarded(
            head,
            client.listener.scheme,
            client.listener.port,
            client.address,
            added,
            upgrade=self.upgrade,
        )
        exchange.entry.trace = next(value for name, value in headers if name == "X-Amzn-Trace-Id")
        exchange.entry.request_seconds = max(0.0, exchange.edge.around.clock() - exchange.entry.created)
        exchange.entry.target = self.target.name
        writer.write(written(f"{head.method} {head.target} HTTP/1.1", headers))
        async for piece in exchange.body.pieces():
            exchange.entry.received += len(piece)
            writer.write(piece)
            await writer.drain()
        await writer.drain()

    async def _response(self, reader: asyncio.StreamReader, upload: asyncio.Future[None]) -> Head:
        """The final response's head; an interim one is not passed on."""
        while True:
            raw = await self._raw_head(reader, upload)
            try:
                head = response_head(raw)
            except Malformed as error:
                raise Broken(502, error.reason) from error
            if head.size > MOST_RESPONSE_HEAD:
                raise Broken(502, f"{head.size} bytes of headers, more than {MOST_RESPONSE_HEAD}")
            if head.status >= LEAST_FINAL or (head.status == SWITCHING and self.upgrade):
                return head

    async def _raw_head(self, reader: asyncio.StreamReader, upload: asyncio.Future[None]) -> bytes:
        """The bytes of a head. What the client does wrong with its body in the meantime ends the wait."""
        answer = asyncio.ensure_future(self.exchange.idle.within(read_head(reader)))
        try:
            await asyncio.wait([answer, upload], return_when=asyncio.FIRST_COMPLETED)
            if not answer.done() and isinstance(problem := upload.exception(), Malformed):
                raise problem
            raw = await self._in_time(answer, upload)
        finally:
            answer.cancel()
        if not raw:
            raise Broken(502, "the connection was closed before a response")
        return raw

    @staticmethod
    async def _in_time(answer: asyncio.Future[bytes], upload: asyncio.Future[None]) -> bytes:
        """The awaited head; where the time is over, it is the client's fault if its body was not complete."""
        try:
            return await answer
        except Malformed as error:
            raise Broken(502, error.reason) from error
        except TimeoutError as error:
            if upload.done() and upload.exception() is None:
                raise
            raise Malformed(408, "the body did not arrive in time") from error

    def _answered(self, head: Head, took: float) -> None:
        exchange, signals = self.exchange, self.exchange.edge.around.signals
        exchange.entry.target_seconds, exchange.entry.response_seconds = took, 0
        exchange.entry.status = exchange.entry.target_status = head.status
        signals.of_both("TargetResponseTime", self.group.suffix, exchange.zone, took)
        if head.status >= LEAST_FINAL:
            signals.of_both(f"HTTPCode_Target_{head.status // 100}XX_Count", self.group.suffix, exchange.zone)

    def _head(self, head: Head, *, framed: bool = True) -> bytes:
        listener, exchange = self.exchange.client.listener, self.exchange
        set_here = {name for name, _ in listener.headers}
        dropped = set_here | (_HOP_BY_HOP if head.status != SWITCHING else set[str]())
        dropped |= set[str]() if framed else {"transfer-encoding"}
        headers = [
            (name, value)
            for name, value in head.headers
            if name.lower() not in dropped and (listener.shows_server or name.lower() != "server")
        ]
        if head.status != SWITCHING:
            headers.append(("Connection", "keep-alive" if exchange.keep else "close"))
        headers += [("Set-Cookie", value) for value in self.wanted.cookies]
        return written(f"HTTP/1.1 {head.status} {head.first[2]}".rstrip(), [*headers, *listener.headers])

    async def _switched(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """A WebSocket: bytes both ways until one side closes, or nothing passes for the idle timeout."""
        exchange, client = self.exchange, self.exchange.client
        exchange.entry.kind = {"http": "ws", "https": "wss"}[client.listener.scheme]
        exchange.started = True
        await exchange.send(self._head(head))

        async def outward() -> None:
            while data := await exchange.idle.within(client.reader.read(PIECE)):
                exchange.entry.received += len(data)
                writer.write(data)
                await writer.drain()

        async def inward() -> None:
            while data := await exchange.idle.within(reader.read(PIECE)):
                await exchange.send(data)

        both = [asyncio.ensure_future(outward()), asyncio.ensure_future(inward())]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            with contextlib.suppress(OSError):
                await writer.drain()
        return False
