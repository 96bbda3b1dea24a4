"""The stand-in application that the tests put behind the proxy: it tells what reached it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from local.server import answer

if TYPE_CHECKING:
    from local.server import Received

_WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def pattern(size: int) -> bytes:
    """Return the same incompressible bytes for the same size."""
    return random.Random(size).randbytes(size)  # noqa: S311 - reproducible, not secret


async def application(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool | None:
    """Answer by path: ``/stream``, ``/ws/…``, ``/bytes``, ``/silent``, ``/status``, and failures; echo the rest."""
    url = urlsplit(request.target)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    if url.path == "/stream":
        return await _stream(writer, float(query.get("pause", "0")), int(query.get("events", "3")))
    if url.path.startswith("/ws/"):
        return await _websocket(request, reader, writer)
    if url.path == "/silent":
        await asyncio.sleep(float(query["seconds"]))
    if url.path in {"/hangs-up", "/breaks-off"}:
        return await _fails(writer, in_the_answer=url.path == "/breaks-off")
    if url.path == "/bytes":
        headers = [("content-type", query["type"]), ("etag", '"x"'), ("cache-control", "public, max-age=60")]
        writer.write(answer(200, pattern(int(query["size"])), *headers))
    elif url.path == "/status":
        writer.write(answer(int(query["code"]), b"of the application", ("retry-after", "7")))
    else:
        _echo(request, writer)
    return None


def _echo(request: Received, writer: asyncio.StreamWriter) -> None:
    seen = {
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body_sha256": hashlib.sha256(request.body).hexdigest(),
        "body_bytes": len(request.body),
    }
    writer.write(answer(200, json.dumps(seen).encode(), ("content-type", "application/json"), ("server", "stand-in")))


async def _fails(writer: asyncio.StreamWriter, *, in_the_answer: bool) -> bool:
    if in_the_answer:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)
    writer.transport.abort()
    return False


async def _stream(writer: asyncio.StreamWriter, pause: float, events: int) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    for index in range(events):
        data = f"data: {index} {time.monotonic_ns()}\n\n".encode()
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await writer.drain()
        await asyncio.sleep(pause)
    writer.write(b"0\r\n\r\n")
    return True


async def _websocket(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    key = request.value("sec-websocket-key")
    if key is None:
        writer.write(answer(400))
        return True
    accept = base64.b64encode(hashlib.sha1((key + _WEBSOCKET_GUID).encode(), usedforsecurity=False).digest()).decode()
    head = [
        "HTTP/1.1 101 Switching Protocols",
        "upgrade: websocket",
        "connection: Upgrade",
        f"sec-websocket-accept: {accept}",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode())
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    return False
