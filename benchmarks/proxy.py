"""Measures the generated proxy configuration against the same Envoy as a bare pass-through, side by side in one run.

``python -m benchmarks.proxy [--seconds 5] [--rounds 3] [--streams 1000]``

Both Envoys run one worker with the same certificate and the same application, which is a third Envoy. Rounds
alternate, so that a busy machine disturbs both alike; medians are compared. CPU time a request is the steadiest number.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from benchmarks.proxy_bare import answerer, arguments, pass_through
from benchmarks.proxy_load import HOST, Result, generator, load, open_streams, stream_server
from components.proxy import ProxyApplication, ProxyIdentity, ProxyPeople, ProxySettings, envoy_arguments
from local import envoy
from local.certificate import self_signed
from local.claims import token

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

USERS = 50
MORE_THAN_REMEMBERED = 2000
BUSY, QUIET = 50, 2


@dataclass(frozen=True)
class Measured:
    """One run of one proxy."""

    result: Result
    cpu_microseconds: float
    """CPU time of the proxy for one request."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="of each run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each kind, of which the median counts")
    parser.add_argument("--streams", type=int, default=1000, help="open at the same time")
    options = parser.parse_args()

    certificate = self_signed(HOST)
    ports = envoy.free_ports(4)
    generated, bare = _settings(ports[0], ports[2]), _settings(ports[1], ports[2])
    _print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, load by {generator()}")
    env = envoy.environment(generated, certificate)
    with (
        Path(os.devnull).open("wb") as nowhere,
        envoy.running(arguments(answerer(ports[2])), port=ports[2], env={}, output=nowhere),
        envoy.running(envoy_arguments(generated), port=ports[0], env=env, output=nowhere) as first,
        envoy.running(arguments(pass_through(bare)), port=ports[1], env=env, output=nowhere) as second,
    ):
        processes = (first, second)
        few = [_token(generated, number) for number in range(USERS)]
        many = [_token(generated, number) for number in range(MORE_THAN_REMEMBERED)]
        for title, connections, tokens in (
            (f"{BUSY} connections, {USERS} users", BUSY, few),
            (f"{BUSY} connections, every token new", BUSY, many),
            (f"{QUIET} connections, {USERS} users", QUIET, few),
        ):
            runs = [
                [
                    _run(process, settings.port, tokens, connections, options.seconds)
                    for process, settings in zip(processes, (generated, bare), strict=True)
                ]
                for _ in range(options.rounds)
            ]
            _compare(title, [pair[0] for pair in runs], [pair[1] for pair in runs])
        _memory(options.streams, ports[3], nowhere)


def _settings(port: int, application_port: int) -> ProxySettings:
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


def _run(
    process: subprocess.Popen[bytes], port: int, tokens: Sequence[str], connections: int, seconds: int
) -> Measured:
    before = _cpu_seconds(process.pid)
    result = load(port, tokens, connections=connections, seconds=seconds)
    if result.failures:
        raise RuntimeError(f"{result.failures} of {result.requests} requests failed: the numbers would mean nothing")
    return Measured(result, (_cpu_seconds(process.pid) - before) * 1e6 / result.requests)


def _compare(title: str, generated: list[Measured], bare: list[Measured]) -> None:
    _print(f"\n{title}\n  {'':22}{'generated':>12}{'bare':>12}{'ratio':>8}{'added':>10}")
    rows: list[tuple[str, Callable[[Measured], float]]] = [
        ("requests/s", lambda m: m.result.requests_per_second),
        ("CPU µs a request", lambda m: m.cpu_microseconds),
        ("p50 ms", lambda m: m.result.p50_milliseconds),
        ("p99 ms", lambda m: m.result.p99_milliseconds),
    ]
    for name, value in rows:
        ours, theirs = statistics.median(map(value, generated)), statistics.median(map(value, bare))
        _print(f"  {name:22}{ours:12.2f}{theirs:12.2f}{ours / theirs:8.2f}{ours - theirs:10.2f}")


def _memory(streams: int, application_port: int, nowhere: IO[bytes]) -> None:
    certificate = self_signed(HOST)
    resident: list[tuple[float, float]] = []
    for bare in (False, True):
        (port,) = envoy.free_ports(1)
        settings = _settings(port, application_port)
        settings = replace(settings, limits=replace(settings.limits, idle_seconds=300))
        options = arguments(pass_through(settings)) if bare else envoy_arguments(settings)
        env = envoy.environment(settings, certificate)
        with envoy.running(options, port=port, env=env, output=nowhere) as process:
            resident.append(asyncio.run(_streams(process.pid, port, application_port, _token(settings, 1), streams)))
    (idle, ours), (bare_idle, theirs) = resident
    _print(f"\n{streams} open streams\n  {'':22}{'generated':>12}{'bare':>12}{'ratio':>8}{'added':>10}")
    for name, mine, other in (("resident MB, idle", idle, bare_idle), ("resident MB, open", ours, theirs)):
        _print(f"  {name:22}{mine:12.1f}{other:12.1f}{mine / other:8.2f}{mine - other:10.1f}")
    each, each_bare = (ours - idle) * 1024 / streams, (theirs - bare_idle) * 1024 / streams
    _print(f"  {'KB a stream':22}{each:12.1f}{each_bare:12.1f}{each / each_bare:8.2f}{each - each_bare:10.1f}")


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


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is a program that prints


if __name__ == "__main__":
    main()
