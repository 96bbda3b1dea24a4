"""The cost of the Lua filter on answers of models, compared with the same Envoy without it, in one run.

``python -m benchmarks.model_calls [--rounds 5] [--streams 60]``, about a minute.

The filter (``components.proxy.model_calls``) reads the end of each part of an answer, to count tokens. Both Envoys run one worker in
front of the same server, which streams each answer in small parts, as a model does, or sends it in one piece. The result is the median
of the ratios of their processor time, in alternating order: unlike throughput, it hardly depends on other work of the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.proxy.model_calls import calls_filter
from local import envoy
from local.ports import held_ports

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

PART = (
    b'data: {"choices":[{"index":0,"delta":{"content":" word"}}],"created":1767225600,"id":"chatcmpl-0123456789"}\n\n'
)
LAST = b'data: {"choices":[],"usage":{"prompt_tokens":2000,"completion_tokens":500}}\n\ndata: [DONE]\n\n'
STREAMED, WHOLE = "/streamed", "/whole"
PARTS = {STREAMED: 500, WHOLE: 1}
"""Path → the number of parts in which the same answer is sent: one for each token, or one in all."""
TOKENS = 500
ANSWERS_AT_ONCE = 50
PAUSE_SECONDS = 0.002
"""Between two parts, so that each arrives by itself."""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each kind, of which the median counts")
    parser.add_argument("--streams", type=int, default=60, help="answers in each run")
    options = parser.parse_args()
    _print(f"{os.cpu_count()} processors, load average at the start {os.getloadavg()[0]:.1f}")
    asyncio.run(_measure(options.rounds, options.streams))
    return 0


async def _measure(rounds: int, streams: int) -> None:
    with contextlib.ExitStack() as stack:
        ports = stack.enter_context(held_ports(0, 0, 0))
        nowhere = stack.enter_context(Path(os.devnull).open("wb"))
        async with await asyncio.start_server(_answer, "127.0.0.1", ports[2]):
            proxies: list[tuple[subprocess.Popen[bytes], int]] = []
            for port, filters in ((ports[0], [calls_filter()]), (ports[1], [])):
                arguments = envoy.plain_arguments(configuration(port, ports[2], filters))
                running = envoy.running(arguments, port=port, env={}, output=nowhere)
                process = await asyncio.to_thread(stack.enter_context, running)
                proxies.append((process, port))
            for path, parts in PARTS.items():
                pairs = [await _pair(proxies, path, streams, reverse=bool(number % 2)) for number in range(rounds)]
                _report(f"answers of {TOKENS} tokens in {parts} part{'s' if parts > 1 else ''}", pairs)


async def _pair(
    proxies: Sequence[tuple[subprocess.Popen[bytes], int]], path: str, streams: int, *, reverse: bool
) -> tuple[float, float]:
    """Processor time of an answer, in microseconds, with the filter and without it."""
    used = {port: await _run(process, port, path, streams) for process, port in (proxies[::-1] if reverse else proxies)}
    return used[proxies[0][1]], used[proxies[1][1]]


async def _run(process: subprocess.Popen[bytes], port: int, path: str, streams: int) -> float:
    before = _cpu_seconds(process.pid)
    free = asyncio.Semaphore(ANSWERS_AT_ONCE)

    async def ask() -> None:
        async with free:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nhost: models\r\nconnection: close\r\n\r\n".encode())
            answer = await reader.read(-1)
            if b"[DONE]" not in answer:
                raise RuntimeError(f"an answer ended early, so the numbers would mean nothing: {answer[:200]!r}")
            writer.close()

    # A whole answer needs so little time that more are needed for the clock's resolution.
    count = streams * (20 if path == WHOLE else 1)
    await asyncio.gather(*(ask() for _ in range(count)))
    return (_cpu_seconds(process.pid) - before) * 1e6 / count


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split(b" ")[1].decode()
            parts = [PART * (TOKENS // PARTS[path])] * PARTS[path]
            length = sum(map(len, parts)) + len(LAST)
            writer.write(
                f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {length}\r\n\r\n".encode()
            )
            for part in [*parts, LAST]:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(PAUSE_SECONDS)
    writer.close()


def configuration(port: int, server: int, filters: list[dict[str, Any]]) -> dict[str, Any]:
    """An Envoy that passes everything to the server, with these HTTP filters before the router."""
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }
    manager = {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "models",
            "http_filters": [*filters, router],
            "route_config": {
                "virtual_hosts": [
                    {
                        "name": "models",
                        "domains": ["*"],
                        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "models", "timeout": "0s"}}],
                    }
                ]
            },
        },
    }
    endpoint = {"endpoint": {"address": _address(server)}}
    return {
        "static_resources": {
            "listeners": [{"name": "models", "address": _address(port), "filter_chains": [{"filters": [manager]}]}],
            "clusters": [
                {
                    "name": "models",
                    "type": "STATIC",
                    "load_assignment": {"cluster_name": "models", "endpoints": [{"lb_endpoints": [endpoint]}]},
                }
            ],
        }
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _report(title: str, pairs: Sequence[tuple[float, float]]) -> None:
    ratios = sorted(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    _print(
        f"{title}: {ours:.0f} µs of processor time with the filter, {theirs:.0f} without; ratio {statistics.median(ratios):.2f}, "
        f"rounds {ratios[0]:.2f} to {ratios[-1]:.2f}"
    )


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is a program that prints


if __name__ == "__main__":
    sys.exit(main())
