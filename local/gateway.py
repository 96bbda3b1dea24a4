"""Access from the internet to the twin for programs on this machine: an HTTP proxy (CONNECT) on loopback.

A browser or curl that uses it reaches the stack's names as a user on the internet does. It connects to no other
destination.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from local.wiring import LOOPBACK, Wiring

HEAD_BYTES = 1 << 16
CONNECT_SECONDS = 10.0
_START_SECONDS = 5


@dataclass
class Gateway:
    """Listens on 127.0.0.1 until the block ends; ``names`` raises ``LookupError`` for a name that is not public."""

    wiring: Wiring
    host: str
    """The host from which its connections originate."""
    names: Callable[[str], Sequence[str]]
    port: int = 0
    """The port; 0 selects a free one."""
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def __enter__(self) -> Self:
        """Raises ``OSError`` where the port is taken."""
        listening = socket.create_server((LOOPBACK, self.port))
        self.port = listening.getsockname()[1]
        started = threading.Event()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, args=(listening, started), name="gateway", daemon=True)
        self._thread.start()
        started.wait(_START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_START_SECONDS)

    @property
    def url(self) -> str:
        """The URL for ``--proxy``."""
        return f"http://{LOOPBACK}:{self.port}"

    def _run(self, listening: socket.socket, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(listening, started))
        self._loop.close()

    async def _serve(self, listening: socket.socket, started: threading.Event) -> None:
        server = await asyncio.start_server(self._client, sock=listening, limit=HEAD_BYTES)
        started.set()
        await self._stopping.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs has one
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._tunnel(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), CONNECT_SECONDS)
        method, _, rest = head.decode("latin-1").partition(" ")
        name, _, port = rest.partition(" ")[0].rpartition(":")
        if method != "CONNECT" or not port.isdigit():
            writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nallow: CONNECT\r\ncontent-length: 0\r\n\r\n")
            return
        try:
            there = await self._connected(name, int(port))
        except (LookupError, OSError) as error:
            text = f"{name}:{port} is not reachable from the internet: {error}\n".encode()
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: %d\r\n\r\n%s" % (len(text), text))
            return
        inner_reader, inner_writer = there
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(_relay(reader, inner_writer), _relay(inner_reader, writer))
        finally:
            inner_writer.close()

    async def _connected(self, name: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        made = self.wiring.open(self.host)
        made.setblocking(False)
        try:
            target = self.wiring.target(self.host, self.names(name)[0], port)
            await asyncio.wait_for(self._loop.sock_connect(made, target), CONNECT_SECONDS)
        except BaseException:
            made.close()
            raise
        return await asyncio.open_connection(sock=made)


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(HEAD_BYTES):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
