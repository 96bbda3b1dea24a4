"""A small HTTP/1.1 server on loopback in a separate thread; the handler controls every byte of the response."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import socket
    import ssl


_START_SECONDS = 5


@dataclass(frozen=True)
class Received:
    """A received request; header names are in lower case and in order, including duplicates."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key == name]

    def value(self, name: str) -> str | None:
        """Return the only value of a header, or an empty string."""
        values = self.values(name)
        if len(values) > 1:
            raise ValueError(f"{name} arrived {len(values)} times")
        return values[0] if values else None


Handler = Callable[[Received, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool | None]]
"""Writes the response; returns ``False`` to close the connection."""


def answer(status: int = 200, body: bytes = b"", *headers: tuple[str, str]) -> bytes:
    """Return a complete response with its length."""
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in headers), f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Server:
    """Serves one handler on loopback until closed, and records the received requests."""

    handler: Handler
    tls: ssl.SSLContext | None = None
    port: int = 0
    listening: socket.socket | None = None
    """A socket that is already listening, instead of a new one on ``port``."""
    received: list[Received] = field(default_factory=list[Received])
    connections: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    def __enter__(self) -> Self:
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        if not started.wait(_START_SECONDS):
            raise RuntimeError(f"port {self.port} on loopback could not be served: another program may use it")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(started))
        self._loop.close()

    async def _serve(self, started: threading.Event) -> None:
        self._stop = asyncio.Event()
        if self.listening is not None:
            server = await asyncio.start_server(self._connection, sock=self.listening, ssl=self.tls, limit=1 << 20)
        else:
            server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, ssl=self.tls, limit=1 << 20)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while (request := await _read(reader)) is not None:
                self.received.append(request)
                if await self.handler(request, reader, writer) is False:
                    break
                await writer.drain()
        self._writers.discard(writer)
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    values = dict(headers)
    body = b""
    if "chunked" in values.get("transfer-encoding", ""):
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = await reader.readexactly(int(values.get("content-length", "0")))
    return Received(method, target, headers, body)
