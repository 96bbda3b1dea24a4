"""A target that tests steer: it tells what it received, streams on request, and takes upgrades."""

from __future__ import annotations

import asyncio
import json
import ssl
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local.authority import Authority
from local.server import Received, Server, answer
from local.wiring import Node, Wiring

STREAM, UPGRADE, SLOW, BROKEN = "/api/stream", "/ws/socket", "/api/slow", "/api/broken"


@dataclass
class Target:
    """One task, as far as the load balancer sees it."""

    declared_path: str
    health: int = 200
    answer_headers: tuple[tuple[str, str], ...] = ()
    tokens: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue[bytes])
    """What the stream sends next; an empty one ends it."""
    gone: list[str] = field(default_factory=list[str])
    """Paths whose connection ended before the response did."""
    server: Server | None = None
    health_path: str = ""

    def __post_init__(self) -> None:
        self.health_path = self.declared_path

    @property
    def requests(self) -> list[Received]:
        """What came, health checks aside."""
        assert self.server is not None
        return [one for one in self.server.received if one.target != self.health_path]

    def reset(self) -> None:
        """As it was at its start."""
        assert self.server is not None
        self.health_path, self.health, self.answer_headers = self.declared_path, 200, ()
        self.server.received.clear()
        self.gone.clear()

    def send(self, *tokens: bytes) -> None:
        """Let the stream continue."""
        assert self.server is not None
        for token in tokens:
            self.server._loop.call_soon_threadsafe(self.tokens.put_nowait, token)  # pyright: ignore[reportPrivateUsage]

    async def handle(
        self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool | None:
        """Answer one request."""
        path = request.target.partition("?")[0]
        if path == self.health_path:
            writer.write(answer(self.health))
        elif path == STREAM:
            await self._stream(reader, writer)
        elif path == UPGRADE and request.value("upgrade"):
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n")
            while data := await reader.read(4096):
                writer.write(b"echo " + data)
            self.gone.append(path)
            return False
        elif path == SLOW:
            await reader.read(1)
            return False
        elif path == BROKEN:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nnot all")
            await writer.drain()
            return False
        else:
            told = {"method": request.method, "target": request.target, "headers": request.headers}
            body = json.dumps(told | {"bytes": len(request.body)}).encode()
            writer.write(answer(200, body, ("content-type", "application/json"), *self.answer_headers))
        return None

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        closed = asyncio.ensure_future(reader.read(1))
        while True:
            token = asyncio.ensure_future(self.tokens.get())
            await asyncio.wait([token, closed], return_when=asyncio.FIRST_COMPLETED)
            if not token.done():
                token.cancel()
                self.gone.append(STREAM)
                return
            text = token.result()
            writer.write(b"%x\r\n%s\r\n" % (len(text), text))
            if not text:
                closed.cancel()
                return
            await writer.drain()


@contextmanager
def serving(target: Target, wiring: Wiring, node: Node, port: int, authority: Authority) -> Generator[Target]:
    """The target on a host, with a certificate for another name: a load balancer does not verify it."""
    with tempfile.TemporaryDirectory() as folder:
        context: ssl.SSLContext = authority.issue("another-name.internal").server_context(Path(folder))
    target.server = Server(target.handle, tls=context, listening=wiring.listen(node.host, node.address, port))
    with target.server:
        yield target
