"""Compares the generated proxy configuration with the same Envoy as a bare pass-through, in one run.

``python -m benchmarks.proxy [--rounds 5] [--seconds 4] [--streams 1000]``, about three minutes; needs ``wrk``.

Both Envoys run one worker with the same certificate in front of the same application, which is a third Envoy. On Linux they
share one dedicated processor and everything else runs on the others, so that the proxy is the bottleneck.

- Throughput: maximum load on each in turn, in alternating order. The result is the median of the rounds' ratios.
- Latency: an open loop at a low constant rate, alternating by request. Under full load, queueing would be measured.
- Memory: each proxy freshly started, then with many open streams.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import platform
import shutil
import statistics
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from benchmarks.proxy_bare import answerer, pass_through
from benchmarks.proxy_load import HOST, open_streams, saturate, steady, stream_server
from components.proxy import ProxyApplication, ProxyIdentity, ProxyPeople, ProxySettings, envoy_arguments
from local import envoy
from local.certificate import self_signed
from local.claims import token
from local.ports import held_ports

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Generator, Sequence

USERS = 50
MORE_THAN_REMEMBERED = 4000
CONNECTIONS = 50
STEADY_RATE = 150
"""Requests a second to each proxy in the latency measurement: a few percent of what one worker can do."""
STEADY_CONNECTIONS = 20
BUSY_LOAD = 1.0


@dataclass(frozen=True)
class Measured:
    """One run of one proxy."""

    requests_per_second: float
    cpu_microseconds: float
    """The proxy's processor time per request."""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each kind, of which the median counts")
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument("--streams", type=int, default=1000, help="open at the same time")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        _print("wrk is not on PATH: install it (Debian: apt-get install wrk, macOS: brew install wrk) and try again")
        return 2
    load = os.getloadavg()[0]
    _print(f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()} {platform.release()}")
    _print(f"load average at the start {load:.1f}{': THE MACHINE IS BUSY' if load > BUSY_LOAD else ''}")
    certificate = self_signed(HOST)
    with contextlib.ExitStack() as stack:
        ports = stack.enter_context(held_ports(0, 0, 0, 0))
        generated, bare = settings_for(ports[0], ports[2]), settings_for(ports[1], ports[2])
        env = envoy.environment(generated, certificate)
        nowhere = stack.enter_context(Path(os.devnull).open("wb"))
        stack.enter_context(_apart_from_the_proxies())
        stack.enter_context(
            envoy.running(envoy.plain_arguments(answerer(ports[2])), port=ports[2], env={}, output=nowhere)
        )
        with _on_the_proxies_processor():
            first = stack.enter_context(
                envoy.running(envoy_arguments(generated), port=ports[0], env=env, output=nowhere)
            )
            second = stack.enter_context(
                envoy.running(envoy.plain_arguments(pass_through(bare)), port=ports[1], env=env, output=nowhere)
            )
        proxies = ((first, ports[0]), (second, ports[1]))
        few = [_token(generated, number) for number in range(USERS)]
        many = [_token(generated, number) for number in range(MORE_THAN_REMEMBERED)]
        _throughput(f"as much as it takes, {USERS} users", proxies, few, options.rounds, options.seconds)
        _throughput("as much as it takes, every token new", proxies, many, options.rounds, options.seconds)
        _latency(ports[:2], few, options.rounds, options.seconds)
        _memory(options.streams, ports[3], nowhere)
    return 0


@contextlib.contextmanager
def _apart_from_the_proxies() -> Generator[None]:
    """Reserve the first processor for the proxies."""
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) == 1:
        _print(
            "the proxies share their processor with the load generator: throughput is not comparable, processor time is"
        )
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, allowed - {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@contextlib.contextmanager
def _on_the_proxies_processor() -> Generator[None]:
    """Run processes that are started in the block on the first processor, if it is reserved for the proxies."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {0})
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


def settings_for(port: int, application_port: int) -> ProxySettings:
    """Return the settings of a proxy that is measured, in front of an application on loopback."""
    return ProxySettings(
        host_names=(HOST,),
        identity=ProxyIdentity(
            signer_arn="arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/edge/50dc6c495c0c9188",
            client_id="interface",
            issuer="https://login.example.com/tenant",
            allowed=ProxyPeople(claim_name="groups", claim_values=("ai-users",)),
            administrators=ProxyPeople(emails=("root@example.com",)),
            contact="ai-platform@example.com",
        ),
        application=ProxyApplication(
            port=application_port,
            keep_alive_seconds=60,
            upload_path_prefixes=("/api/v1/files/",),
            websocket_path_prefixes=("/ws/",),
            cacheable_path_prefixes=("/static/",),
            session_cookie_names=("token",),
        ),
        listen_address="127.0.0.1",
        port=port,
        workers=1,
    )


def _token(settings: ProxySettings, number: int) -> str:
    claims = {
        "sub": f"00u{number:012d}",
        "name": f"Person {number}",
        "given_name": "Person",
        "family_name": str(number),
        "email": f"person{number}@example.com",
        "email_verified": True,
        "groups": ["everyone", "engineering", "ai-users"],
        "iss": settings.identity.issuer,
    }
    return token(settings.identity, claims, exp=4102444800)


Proxies = tuple[tuple["subprocess.Popen[bytes]", int], tuple["subprocess.Popen[bytes]", int]]


def _throughput(title: str, proxies: Proxies, tokens: Sequence[str], rounds: int, seconds: int) -> None:
    pairs: list[tuple[Measured, Measured]] = []
    for number in range(rounds):
        ordered = proxies if number % 2 == 0 else proxies[::-1]
        runs = [_run(process, port, tokens, seconds) for process, port in ordered]
        pairs.append((runs[0], runs[1]) if number % 2 == 0 else (runs[1], runs[0]))
    rows: list[tuple[str, Callable[[Measured], float]]] = [
        ("requests/s", lambda run: run.requests_per_second),
        ("processor µs a request", lambda run: run.cpu_microseconds),
    ]
    _heading(title)
    for name, value in rows:
        ratios = sorted(value(ours) / value(theirs) for ours, theirs in pairs)
        ours, theirs = (statistics.median(value(pair[side]) for pair in pairs) for side in (0, 1))
        _row(name, ours, theirs, statistics.median(ratios), f"rounds {ratios[0]:.2f} to {ratios[-1]:.2f}")


def _run(process: subprocess.Popen[bytes], port: int, tokens: Sequence[str], seconds: int) -> Measured:
    before = _cpu_seconds(process.pid)
    result = saturate(port, tokens, connections=CONNECTIONS, seconds=seconds)
    used = _cpu_seconds(process.pid) - before
    return Measured(result.requests_per_second, used * 1e6 / result.requests)


def _latency(ports: Sequence[int], tokens: Sequence[str], rounds: int, seconds: int) -> None:
    gc.disable()  # a garbage collection here would be measured as latency of the proxy
    blocks = [
        asyncio.run(steady(ports, tokens, rate=STEADY_RATE, connections=STEADY_CONNECTIONS, seconds=2 * seconds))
        for _ in range(rounds)
    ]
    gc.enable()
    _heading(f"latency in ms at {STEADY_RATE} requests/s each, {USERS} users")
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        points = [[_quantile(latencies, share) for latencies in block] for block in blocks]
        ours, theirs = (statistics.median(side) for side in zip(*points, strict=True))
        added = sorted(mine - other for mine, other in points)
        note = f"added {statistics.median(added):.2f}, rounds {added[0]:.2f} to {added[-1]:.2f}"
        _row(name, ours, theirs, ours / theirs, note)


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


def _memory(streams: int, application_port: int, nowhere: IO[bytes]) -> None:
    certificate = self_signed(HOST)
    resident: list[tuple[float, float]] = []
    for bare in (False, True):
        with contextlib.ExitStack() as stack:
            (port,) = stack.enter_context(held_ports(0))
            settings = settings_for(port, application_port)
            settings = replace(settings, limits=replace(settings.limits, idle_seconds=300))
            options = envoy.plain_arguments(pass_through(settings)) if bare else envoy_arguments(settings)
            env = envoy.environment(settings, certificate)
            process = stack.enter_context(envoy.running(options, port=port, env=env, output=nowhere))
            resident.append(asyncio.run(_streams(process.pid, port, application_port, _token(settings, 1), streams)))
    (idle, ours), (bare_idle, theirs) = resident
    share = ProxySettings.memory_bytes / 1e6
    _heading(f"memory with {streams} open streams")
    _row("resident MB, idle", idle, bare_idle, idle / bare_idle)
    _row("resident MB, open", ours, theirs, ours / theirs, f"the container's share is {share:.0f} MB")
    each, each_bare = (ours - idle) * 1e3 / streams, (theirs - bare_idle) * 1e3 / streams
    _row("kB a stream", each, each_bare, each / each_bare)


async def _streams(pid: int, port: int, application_port: int, one_token: str, count: int) -> tuple[float, float]:
    idle = _resident_megabytes(pid)
    measured, ready = asyncio.Event(), asyncio.Event()
    async with await stream_server(application_port):
        holding = asyncio.create_task(open_streams(port, one_token, count, measured, ready))
        waiting = asyncio.create_task(ready.wait())
        done, _ = await asyncio.wait({holding, waiting}, timeout=120, return_when=asyncio.FIRST_COMPLETED)
        if waiting not in done:
            holding.cancel()
            raise RuntimeError(f"{count} streams could not be opened")
        used = _resident_megabytes(pid)
        measured.set()
        await holding
    return idle, used


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _heading(title: str) -> None:
    _print(f"\n{title}\n  {'':22}{'generated':>12}{'bare':>12}{'ratio':>8}")


def _row(name: str, ours: float, theirs: float, ratio: float, note: str = "") -> None:
    _print(f"  {name:22}{ours:12.2f}{theirs:12.2f}{ratio:8.2f}  {note}".rstrip())


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is a program that prints


if __name__ == "__main__":
    sys.exit(main())
