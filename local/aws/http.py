"""HTTP/1.1 servers on sockets of the wiring: the handler controls every byte, and a failed TLS handshake is recorded as
a cause."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from local.refusals import Refusals
from local.server import Received
from local.server import answer as plain_answer

HEAD_BYTES = 1 << 20
HANDSHAKE_SECONDS = 10
_STOP_SECONDS = 10
TURNS = 5
"""Iterations of the event loop until an aborted transport with TLS has closed its socket."""


@dataclass(frozen=True)
class Exchange:
    """One request at one listener, and the connection for its response."""

    request: Received
    source: str
    """The client's address as the socket reports it."""
    writer: asyncio.StreamWriter

    def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        """Send a complete response. A response to HEAD has no body; its length is the one in its headers, or that of
        the body."""
        if self.request.method != "HEAD":
            self.writer.write(plain_answer(status, body, *headers))
            return
        sized = any(name.lower() == "content-length" for name, _ in headers)
        stated = headers if sized else (*headers, ("content-length", str(len(body))))
        lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in stated), "", ""]
        self.writer.write("\r\n".join(lines).encode())

    def answer_json(self, status: int, content: Mapping[str, object], *headers: tuple[str, str]) -> None:
        """Send a complete response in JSON."""
        kind = () if any(name == "content-type" for name, _ in headers) else (("content-type", "application/json"),)
        self.answer(status, json.dumps(content).encode(), *kind, *headers)


Handler = Callable[[Exchange], Awaitable[bool | None]]
"""Writes the response; ``False`` closes the connection, an exception aborts it."""


@dataclass(frozen=True)
class Listener:
    """A listening socket, its certificate and its handler."""

    part: str
    """The name of the part that refuses, for the record of refusals."""
    socket: socket.socket
    handler: Handler
    tls: ssl.SSLContext | None = None


@dataclass
class Servers:
    """Serve listeners in a thread until the block ends."""

    listeners: Sequence[Listener]
    refusals: Refusals
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
        for one in self.listeners:
            one.socket.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _serve(self) -> None:
        for one in self.listeners:
            one.socket.setblocking(False)
            self._start(self._accept(one))
        await self._stopping.wait()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def _start(self, coroutine: Awaitable[None]) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: Listener) -> None:
        while True:
            connection, _ = await self._loop.sock_accept(listener.socket)
            self._start(self._connection(listener, connection))

    async def _connection(self, listener: Listener, connection: socket.socket) -> None:
        source = str(connection.getpeername()[0])
        reader = asyncio.StreamReader(HEAD_BYTES, self._loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=self._loop)
        limit = HANDSHAKE_SECONDS if listener.tls else None
        try:
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=listener.tls, ssl_handshake_timeout=limit
            )
        except ssl.SSLError as error:
            self.refusals.add(listener.part, f"TLS with {source} failed: {error.reason or error}")
            connection.close()
            return
        except OSError:  # the client went away
            connection.close()
            return
        except asyncio.CancelledError:
            connection.close()
            raise
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                while (request := await _read(reader, writer)) is not None:
                    if await listener.handler(Exchange(request, source, writer)) is False:
                        break
                    await writer.drain()
                writer.close()
        finally:
            if not writer.is_closing():
                transport.abort()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    values = dict(headers)
    if values.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
    body = bytearray()
    if "chunked" in values.get("transfer-encoding", ""):
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readline()
        while (await reader.readline()).strip():  # trailers
            pass
    else:
        body += await reader.readexactly(int(values.get("content-length", "0")))
    return Received(method, target, headers, bytes(body))


async def chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Return one chunk of a response with ``transfer-encoding: chunked``; an empty chunk ends it."""
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()
