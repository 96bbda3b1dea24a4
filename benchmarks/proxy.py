"""Compares the generated proxy configuration with the same Envoy as a bare pass-through, in one run.

``python -m benchmarks.proxy [--rounds 5] [--seconds 4] [--streams 1000] [--before CHECKOUT]``, about four minutes; needs ``wrk``.
``python -m benchmarks.proxy --instructions [--before CHECKOUT]``, about three minutes; needs ``valgrind``.

Both Envoys run one worker with the same certificate in front of the same application, which is a third Envoy. On Linux they
share one dedicated processor and everything else runs on the others, so that the proxy is the bottleneck.

- Throughput: maximum load on each in turn, in alternating order. The result is the median of the rounds' ratios.
- Latency: an open loop at a low constant rate, alternating by request. Under full load, queueing would be measured.
- Memory: each proxy freshly started, then with many open streams.
- Instructions of a request, instead of all that: they do not depend on other work of the machine (``benchmarks.proxy_instructions``).

``--before`` also measures the configuration that another checkout of this project generates, with the same Envoy in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from benchmarks.proxy_bare import answerer, pass_through
from benchmarks.proxy_instructions import NEEDED, instructions
from benchmarks.proxy_load import HOST, TARGET, head, open_streams, saturate, steady, stream_server
from components.proxy import ProxyApplication, ProxyIdentity, ProxyPeople, ProxySettings, envoy_arguments
from local import envoy
from local.certificate import self_signed
from local.claims import token
from local.ports import held_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from local.certificate import Certificate

USERS = 50
MORE_TOKENS_THAN_REMEMBERED = 4000
"""The proxy reads each token again, but knows the addresses in them."""
MORE_ADDRESSES_THAN_REMEMBERED = 12_000
COUNTED = 2000
"""Requests whose instructions are counted: enough for collections of Lua's heap to be among them."""
_OTHER_CHECKOUT = """
import json, sys
from benchmarks.proxy import settings_for
from components.proxy import envoy_arguments
print(json.dumps(envoy_arguments(settings_for(int(sys.argv[1]), int(sys.argv[2])))))
"""
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


@dataclass(frozen=True)
class Running:
    """A proxy that is measured."""

    name: str
    process: subprocess.Popen[bytes]
    port: int


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each kind, of which the median counts")
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument(
        "--streams", type=int, default=1000, help="open at the same time; 0: without memory and latency"
    )
    parser.add_argument(
        "--instructions", action="store_true", help="count instructions with valgrind, and nothing else"
    )
    parser.add_argument("--before", type=Path, help="another checkout, whose configuration is measured too")
    options = parser.parse_args()
    for program in NEEDED if options.instructions else ("wrk",):
        if shutil.which(program) is None:
            package = NEEDED[0] if options.instructions else program
            _print(f"{program} is not on PATH: install it (Debian: apt-get install {package}) and try again")
            return 2
    load = os.getloadavg()[0]
    _print(f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()} {platform.release()}")
    _print(f"load average at the start {load:.1f}{': THE MACHINE IS BUSY' if load > BUSY_LOAD else ''}")
    certificate = self_signed(HOST)
    with contextlib.ExitStack() as stack:
        application_port, streams_port, *ports = stack.enter_context(held_ports(0, 0, 0, 0, 0))
        nowhere = stack.enter_context(Path(os.devnull).open("wb"))
        stack.enter_context(_apart_from_the_proxies())
        answering = envoy.plain_arguments(answerer(application_port))
        stack.enter_context(envoy.running(answering, port=application_port, env={}, output=nowhere))
        arguments = _arguments(ports, application_port, options.before)
        settings = settings_for(ports[0], application_port)
        env = envoy.environment(settings, certificate)
        if options.instructions:
            _instructions(arguments, env, settings)
            return 0
        with _on_the_proxies_processor():
            proxies = [
                Running(name, stack.enter_context(envoy.running(given, port=port, env=env, output=nowhere)), port)
                for name, port, given in arguments
            ]
        tokens = [_token(settings, number) for number in range(MORE_ADDRESSES_THAN_REMEMBERED)]
        few = tokens[:USERS]
        for title, used in (
            (f"as much as it takes, {USERS} users", few),
            ("as much as it takes, every token new", tokens[:MORE_TOKENS_THAN_REMEMBERED]),
            ("as much as it takes, every token and every person new", tokens),
        ):
            _throughput(title, proxies, used, options.rounds, options.seconds)
        if options.streams:
            _latency([proxies[0].port, proxies[-1].port], few, options.rounds, options.seconds)
            _memory(options.streams, streams_port, certificate, nowhere)
    return 0


def _arguments(ports: Sequence[int], application_port: int, before: Path | None) -> list[tuple[str, int, list[str]]]:
    """Each proxy's name, port and arguments; the last is the pass-through."""
    found = [("generated", ports[0], envoy_arguments(settings_for(ports[0], application_port)))]
    if before is not None:
        code = [sys.executable, "-c", _OTHER_CHECKOUT, str(ports[1]), str(application_port)]
        env = {**os.environ, "PYTHONPATH": str(before)}
        # With a path that is not a checkout, Python would import this one's modules.
        if not (before / "components" / "proxy").is_dir():
            raise SystemExit(f"{before} is no checkout of this project: it has no components/proxy")
        text = subprocess.run(code, cwd=before, env=env, check=True, capture_output=True, text=True).stdout  # noqa: S603
        found.append(("before", ports[1], json.loads(text)))
    bare = pass_through(settings_for(ports[2], application_port))
    return [*found, ("bare", ports[2], envoy.plain_arguments(bare))]


def _instructions(
    arguments: Sequence[tuple[str, int, list[str]]], env: Mapping[str, str], settings: ProxySettings
) -> None:
    heads = [head(TARGET, _token(settings, number)) for number in range(USERS + COUNTED)]
    known, new = heads[:USERS], heads[USERS:]
    for title, counted in (
        (f"{USERS} users", [known[number % USERS] for number in range(COUNTED)]),
        ("every token and every person new", new),
    ):
        counts = {name: instructions(given, port, env, known, counted) for name, port, given in arguments}
        _print(f"\ninstructions of a request, {title}")
        for name, count in counts.items():
            _print(f"  {name:22}{count:12,.0f}{count / counts['bare']:8.3f}")


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


def _throughput(title: str, proxies: Sequence[Running], tokens: Sequence[str], rounds: int, seconds: int) -> None:
    runs: list[dict[str, Measured]] = []
    for number in range(rounds):
        ordered = proxies if number % 2 == 0 else proxies[::-1]
        runs.append({one.name: _run(one.process, one.port, tokens, seconds) for one in ordered})
    values: list[tuple[str, Callable[[Measured], float]]] = [
        ("requests/s", lambda run: run.requests_per_second),
        ("processor µs a request", lambda run: run.cpu_microseconds),
    ]
    for one in proxies[:-1]:
        _heading(title, one.name)
        for name, value in values:
            ratios = sorted(value(run[one.name]) / value(run["bare"]) for run in runs)
            ours, theirs = (statistics.median(value(run[who]) for run in runs) for who in (one.name, "bare"))
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


def _memory(streams: int, application_port: int, certificate: Certificate, nowhere: IO[bytes]) -> None:
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


def _heading(title: str, measured: str = "generated") -> None:
    _print(f"\n{title}\n  {'':22}{measured:>12}{'bare':>12}{'ratio':>8}")


def _row(name: str, ours: float, theirs: float, ratio: float, note: str = "") -> None:
    _print(f"  {name:22}{ours:12.2f}{theirs:12.2f}{ratio:8.2f}  {note}".rstrip())


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is a program that prints


if __name__ == "__main__":
    sys.exit(main())
