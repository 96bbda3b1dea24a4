"""Stand-ins for model servers: they speak TLS, remember every request and fail as they are told."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from local.server import Received, Server, answer

if TYPE_CHECKING:
    from collections.abc import Generator

    from local.certificate import Certificate

SLOW, RESET_BEFORE, RESET_IN_ANSWER, SILENT, ENDLESS = "slow", "reset-before", "reset-in-answer", "silent", "endless"
MOVED = "moved"
"""Redirects into the task, and sets a cookie."""
STALLS = "stalls"
"""Begins a stream and says no more."""
PAUSES, PAUSE_SECONDS = "pauses", 3
"""Begins a stream, pauses, and ends it."""


@dataclass
class Model:
    """A model server and how it behaves now: a status, one of the failures above, or the parts of a stream."""

    name: str
    behaviour: int | str | list[bytes] = 200
    server: Server = field(init=False)

    async def answer(
        self, request: Received, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool | None:
        """Answer as told."""
        del request
        match self.behaviour:
            case "reset-before":
                writer.transport.abort()
                return False
            case "reset-in-answer":
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n"
                )
                await writer.drain()
                await asyncio.sleep(0.05)
                writer.transport.abort()
                return False
            case "endless":
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                )
                for _ in range(100):
                    writer.write(b"8\r\ndata: 1\n\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.3)
            case "stalls":
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n"
                )
                await writer.drain()
                await asyncio.sleep(30)
            case "pauses":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\ndata: 1\n")
                await writer.drain()
                await asyncio.sleep(PAUSE_SECONDS)
                writer.write(b"data: 2\n")
            case "silent":
                await asyncio.sleep(30)
            case "moved":
                target = "http://127.0.0.1:8080/api/v1/auths/"
                headers = (("location", target), ("uri", target), ("refresh", f"0;url={target}"), ("set-cookie", "a=b"))
                writer.write(answer(307, b"", *headers))
            case "slow":
                await asyncio.sleep(0.5)
                writer.write(answer(200, self.name.encode()))
            case int() | list() as given:
                await self._say(given, writer)
            case other:
                raise AssertionError(other)
        return None

    async def _say(self, given: int | list[bytes], writer: asyncio.StreamWriter) -> None:
        if isinstance(given, int):
            writer.write(answer(given, self.name.encode()))
            return
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for part in given:
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(b"0\r\n\r\n")

    @property
    def received(self) -> list[Received]:
        """What reached this server so far."""
        return self.server.received


@contextlib.contextmanager
def model(name: str, certificate: Certificate) -> Generator[Model]:
    """Run a model server that has this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*certificate.write(Path(folder)))
    one = Model(name)
    one.server = Server(one.answer, tls=context)
    with one.server:
        yield one
