"""The load: ``wrk`` where it is installed, otherwise a bounded client of our own; and many open streams."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
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
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
_LUA = """
local tokens, at = {%s}, 0
request = function()
  at = at %% #tokens + 1
  wrk.headers["%s"] = tokens[at]
  return wrk.format("GET", "/api/chats?page=1")
end
wrk.headers["Host"] = "%s"
wrk.headers["x-forwarded-for"] = "203.0.113.9"
wrk.headers["x-forwarded-proto"] = "https"
wrk.headers["x-amzn-trace-id"] = "Root=1-67891233-abcdef012345678912345678"
wrk.headers["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
wrk.headers["accept"] = "application/json"
wrk.headers["accept-encoding"] = "gzip, deflate, br, zstd"
wrk.headers["cookie"] = "%s"
"""
COOKIE = "AWSELBAuthSessionCookie-0=" + "a" * 1500 + "; token=" + "b" * 200


@dataclass(frozen=True)
class Result:
    """What one run measured."""

    requests_per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    failures: int
    requests: int


def load(port: int, tokens: Sequence[str], *, connections: int, seconds: int) -> Result:
    """Send requests over kept connections for some seconds."""
    wrk = shutil.which("wrk")
    if wrk:
        return _wrk(wrk, port, tokens, connections, seconds)
    return asyncio.run(_client(port, tokens, connections, seconds))


def generator() -> str:
    """Name the load generator in use."""
    return (
        "wrk" if shutil.which("wrk") else "the built-in client (install wrk for numbers that it does not limit itself)"
    )


def _wrk(wrk: str, port: int, tokens: Sequence[str], connections: int, seconds: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "load.lua")
        script.write_text(_LUA % (",".join(json.dumps(t) for t in tokens), HEADER, HOST, COOKIE), encoding="utf-8")
        command = [wrk, "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--latency"]
        command += ["--script", str(script), f"https://127.0.0.1:{port}"]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    failures = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    total = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if total is None or rate is None:
        raise RuntimeError(f"wrk printed something else than expected:\n{text}")
    return Result(
        requests_per_second=float(rate[1]),
        p50_milliseconds=_percentile(text, "50%"),
        p99_milliseconds=_percentile(text, "99%"),
        failures=int(failures[1]) if failures else 0,
        requests=int(total[1]),
    )


def _percentile(text: str, name: str) -> float:
    match = re.search(rf"\s{re.escape(name)}\s+([\d.]+)(us|ms|s)", text)
    if match is None:
        raise RuntimeError(f"wrk printed no {name} latency:\n{text}")
    return float(match[1]) * _UNITS[match[2]]


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _client(port: int, tokens: Sequence[str], connections: int, seconds: int) -> Result:
    context, until = _context(), time.monotonic() + seconds
    latencies: list[float] = []
    failures = 0

    async def one(number: int) -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        at = number
        while time.monotonic() < until:
            at += connections
            started = time.perf_counter()
            writer.write(_head("/api/chats?page=1", tokens[at % len(tokens)]))
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head.lower())
            await reader.readexactly(int(length[1]) if length else 0)
            latencies.append((time.perf_counter() - started) * 1000)
            failures += not head.startswith(b"HTTP/1.1 2")
        writer.close()

    await asyncio.gather(*(one(number) for number in range(connections)))
    latencies.sort()
    return Result(
        requests_per_second=len(latencies) / seconds,
        p50_milliseconds=latencies[len(latencies) // 2],
        p99_milliseconds=latencies[len(latencies) * 99 // 100],
        failures=failures,
        requests=len(latencies),
    )


def _head(target: str, token: str) -> bytes:
    lines = [f"GET {target} HTTP/1.1", f"host: {HOST}", f"{HEADER}: {token}", f"cookie: {COOKIE}", "", ""]
    return "\r\n".join(lines).encode()


async def open_streams(port: int, token: str, count: int, measured: asyncio.Event, ready: asyncio.Event) -> None:
    """Hold many streams open, each with its first event received, until the measurement is done."""
    context = _context()
    limit = asyncio.Semaphore(50)

    async def one() -> asyncio.StreamWriter:
        async with limit:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.write(_head("/stream", token))
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
