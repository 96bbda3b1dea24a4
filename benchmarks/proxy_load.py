"""The load: ``wrk`` for maximum throughput, a constant rate for latency, and many open streams.

The client with the constant rate is an open loop: it sends at fixed times even if earlier responses are missing, so a late
response neither delays nor hides other requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.claims import HEADER

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST = "chat.example.com"
TARGET = "/api/chats?page=1"
COOKIE = "AWSELBAuthSessionCookie-0=" + "a" * 1500 + "; token=" + "b" * 200
_HEADERS = {
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-proto": "https",
    "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate, br, zstd",
    "cookie": COOKIE,
}
"""The headers that a browser and the load balancer send."""
_SCRIPT = """
local tokens, headers, at = %s, %s, 0
request = function()
  at = at %% #tokens + 1
  headers["%s"] = tokens[at]
  return wrk.format("GET", "%s", headers)
end
"""
_OPENING_AT_ONCE = 50
_ANSWERED_WITHIN_SECONDS = 10


@dataclass(frozen=True)
class Saturated:
    """The result of one run with maximum load."""

    requests_per_second: float
    requests: int


def saturate(port: int, tokens: Sequence[str], *, connections: int, seconds: int) -> Saturated:
    """Send requests over persistent connections, the next as soon as the response has arrived."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "load.lua")
        headers = _lua_table({"Host": HOST, **_HEADERS})  # with another spelling wrk adds a second Host header
        script.write_text(_SCRIPT % (_lua_list(tokens), headers, HEADER, TARGET), encoding="utf-8")
        command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
        command += ["--script", str(script), f"https://127.0.0.1:{port}"]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    total = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if total is None or rate is None or "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"requests failed, so the numbers would mean nothing:\n{text}")
    return Saturated(float(rate[1]), int(total[1]))


def _lua_list(texts: Sequence[str]) -> str:
    return "{" + ",".join(json.dumps(text) for text in texts) + "}"


def _lua_table(values: dict[str, str]) -> str:
    return "{" + ",".join(f"[{json.dumps(key)}]={json.dumps(value)}" for key, value in values.items()) + "}"


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def connect(port: int) -> Connection:
    """Open a TLS connection to a proxy on loopback."""
    return await asyncio.open_connection("127.0.0.1", port, ssl=_context())


def head(target: str, token: str, host: str = HOST, body_bytes: int = 0) -> bytes:
    """The head of a request as a browser and the load balancer send it: a GET, or a POST with a body of this size."""
    headers = {"host": host, HEADER: token, **_HEADERS}
    if body_bytes:
        headers |= {"content-type": "application/octet-stream", "content-length": str(body_bytes)}
    lines = [
        f"{'POST' if body_bytes else 'GET'} {target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


async def steady(
    ports: Sequence[int], tokens: Sequence[str], *, rate: int, connections: int, seconds: int
) -> list[list[float]]:
    """Send ``rate`` requests a second to each port, in turn at fixed times; each port's latencies in milliseconds.

    The ports alternate by request, so other load on the machine affects all of them equally.
    """
    context = _context()
    idle: list[asyncio.Queue[Connection]] = [asyncio.Queue() for _ in ports]
    for port, queue in zip(ports, idle, strict=True):
        for _ in range(connections):
            queue.put_nowait(await asyncio.open_connection("127.0.0.1", port, ssl=context))
    heads = [head(TARGET, token) for token in tokens]
    latencies: list[list[float]] = [[] for _ in ports]
    sending: set[asyncio.Task[None]] = set()
    started = time.perf_counter()
    for number in range(rate * len(ports) * seconds):
        await asyncio.sleep(started + number / (rate * len(ports)) - time.perf_counter())
        which = number % len(ports)
        task = asyncio.create_task(_once(idle[which], heads[number % len(heads)], latencies[which]))
        sending.add(task)
        task.add_done_callback(sending.discard)
    await asyncio.wait_for(asyncio.gather(*sending), _ANSWERED_WITHIN_SECONDS)
    for queue in idle:
        while not queue.empty():
            queue.get_nowait()[1].transport.abort()
    return latencies


async def _once(idle: asyncio.Queue[Connection], head: bytes, latencies: list[float]) -> None:
    due = time.perf_counter()  # waiting for a connection counts, because then earlier responses are late
    reader, writer = connection = await idle.get()
    writer.write(head)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", answer)
    if length is None or not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"an answer is not the expected one: {answer!r}")
    await reader.readexactly(int(length[1]))
    latencies.append((time.perf_counter() - due) * 1000)
    idle.put_nowait(connection)


async def open_streams(port: int, token: str, count: int, measured: asyncio.Event, ready: asyncio.Event) -> None:
    """Hold many streams open, each with its first event received, until the measurement is done."""
    context = _context()
    limit = asyncio.Semaphore(_OPENING_AT_ONCE)

    async def one() -> asyncio.StreamWriter:
        async with limit:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.write(head("/stream", token))
            await reader.readuntil(b"data: 0")
            return writer

    writers = await asyncio.gather(*(one() for _ in range(count)))
    ready.set()
    await measured.wait()
    for writer in writers:
        with contextlib.suppress(OSError):
            writer.transport.abort()


async def stream_server(port: int) -> asyncio.Server:
    """Serve streams that stay open after their first event."""

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            writer.write(b"9\r\ndata: 0\n\n\r\n")
            await reader.read(1)
        writer.close()

    return await asyncio.start_server(stream, "127.0.0.1", port, backlog=1024)
