"""Opens streams and uploads through the real Envoy with the configuration of a stack, and compares what is refused with the
capacity sheet.

``python -m benchmarks.load [STACK] [--streams 1400] [--uploads 92]``, under two minutes. Only loopback is used.

The configuration is the one in the recorded task definition. What has to be replaced on one machine: the ports, and the cluster of
each model server, which becomes a server on loopback without TLS and signature. Breakers, connection limit, memory limit, filters
and routes stay as they are. A small program takes the place of the application (one process, one event loop) and of the model: a
request to it opens a streamed call of the model through the proxy and relays the first event, as a chat does. Its speed is no measure
of Open WebUI's; the limits that are counted here do not depend on it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import copy
import os
import platform
import sys
from pathlib import Path
from typing import Any

from benchmarks.proxy_load import HOST, Connection, connect, head
from components.proxy import ProxyIdentity, ProxyPeople
from local import envoy
from local.certificate import self_signed
from local.claims import token
from local.ports import held_ports
from preflight.analysis.edge_proxy import configuration, facts
from preflight.capacity import facts as capacity
from preflight.capacity.limits import Limit, Load, limits
from preflight.commands import console
from preflight.recording.recorder import Recording
from preflight.sdk.wire import unwrap

MEBIBYTE = 1024 * 1024
STEPS = 8
OPENING_AT_ONCE = 40
ANSWERED_WITHIN_SECONDS = 30
SETTLING_SECONDS = 2
SENT_OF_AN_UPLOAD = MEBIBYTE
EVENT = b"data: 0\n\n"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\n" + EVENT + b"\r\n"
)
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stack", nargs="?", default="staging")
    parser.add_argument(
        "--streams", type=int, default=1400, help="open at the same time, in eight steps (at most 4000)"
    )
    parser.add_argument(
        "--uploads", type=int, default=92, help="of the largest size, held while they arrive (at most 500)"
    )
    options = parser.parse_args()
    recording = console.recorded(Path(__file__).resolve().parents[1], options.stack)
    _print(
        f"{platform.machine()}, {os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}; {options.stack}, one task"
    )
    for load in (Load.CHATS, Load.UPLOADS):
        one = _smallest(recording, load)
        _print(f"the sheet: {one.total(1):,.0f} {load.value} ({one.name}: {one.consequence})")
    asyncio.run(_measure(recording, min(options.streams, 4000), min(options.uploads, 500)))
    return 0


def _smallest(recording: Recording, load: Load) -> Limit:
    found = limits(capacity.read(recording))
    return min(
        (one for one in found if one.load is load and one.effect.name == "REFUSED"), key=lambda one: one.total(1)
    )


async def _measure(recording: Recording, streams: int, uploads: int) -> None:
    certificate = self_signed(HOST)
    with contextlib.ExitStack() as stack:
        port, models, application, model = stack.enter_context(held_ports(0, 0, 0, 0))
        made, host = _on_loopback(recording, port, models, application, model)
        servers = [await _application(application, models), await _model(model)]
        process = await asyncio.to_thread(
            stack.enter_context,
            envoy.running(
                envoy.plain_arguments(made),
                port=port,
                env={"PROXY_CERTIFICATE": certificate.certificate, "PROXY_PRIVATE_KEY": certificate.key},
                output=stack.enter_context(Path(os.devnull).open("wb")),
            ),
        )
        session = _session(recording)
        await _streams(port, host, session, streams, process.pid)
        await asyncio.sleep(SETTLING_SECONDS)
        largest = facts(configuration(recording)).upload_bytes
        await _uploads(port, host, session, uploads, (process.pid, largest))
        for server in servers:
            server.close()


def _on_loopback(
    recording: Recording, port: int, models: int, application: int, model: int
) -> tuple[dict[str, Any], str]:
    """The recorded configuration on this machine's ports, and the name under which users call it."""
    made = copy.deepcopy(configuration(recording))
    resources = made["static_resources"]
    for listener, at in (("inbound", port), ("models", models)):
        address = next(one for one in resources["listeners"] if one["name"] == listener)["address"]["socket_address"]
        address.update(address="127.0.0.1", port_value=at)
    for cluster in resources["clusters"]:
        endpoint = cluster.get("load_assignment", {}).get("endpoints", [{}])[0].get("lb_endpoints", [{}])[0]
        address = endpoint.get("endpoint", {}).get("address", {}).get("socket_address")
        if cluster["name"] == "application":
            address["port_value"] = application
        elif address is not None:
            address.update(address="127.0.0.1", port_value=model)
            cluster["type"] = "STATIC"
            for key in ("transport_socket", "dns_lookup_family"):
                cluster.pop(key, None)
            options = cluster["typed_extension_protocol_options"][
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
            ]
            options.pop("http_filters", None)
    (domain,) = {
        str(one.inputs["name"]) for one in recording.of_type("aws:route53/record:Record") if one.inputs.get("aliases")
    }
    return made, domain


def _session(recording: Recording) -> str:
    """The token of a user whom the proxy admits, as the load balancer of the stack would send it."""
    known = facts(configuration(recording))
    (balancer,) = recording.of_type("aws:lb/loadBalancer:LoadBalancer")
    actions = [
        a for rule in recording.of_type("aws:lb/listenerRule:ListenerRule") for a in unwrap(rule.inputs["actions"])
    ]
    oidc = next(action["authenticateOidc"] for action in actions if action.get("authenticateOidc"))
    identity = ProxyIdentity(
        signer_arn=str(balancer.outputs["arn"]),
        client_id=str(oidc["clientId"]),
        issuer=str(oidc["issuer"]),
        allowed=ProxyPeople(),
        administrators=ProxyPeople(),
        contact="",
    )
    claims = {"sub": "1", "email_verified": True, "iss": identity.issuer, **known.admitted_claims()}
    return token(identity, claims, exp=4102444800)


async def _application(port: int, models: int) -> asyncio.Server:
    """One process: relays the first event of a streamed call of the model, and reads uploads to their end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            request = await reader.readuntil(b"\r\n\r\n")
            if request.startswith(b"POST /api/v1/files/"):
                while await reader.read(65536):
                    pass
            else:
                inner, outer = await asyncio.open_connection("127.0.0.1", models)
                outer.write(
                    b"POST /general/v1/chat/completions HTTP/1.1\r\nhost: models\r\ncontent-length: 2\r\n\r\n{}"
                )
                answer = await inner.readuntil(b"\r\n\r\n")
                writer.write(CHUNKED if answer.startswith(b"HTTP/1.1 200") else UNAVAILABLE)
                await reader.read(1)
                outer.close()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port, backlog=1024)


async def _model(port: int) -> asyncio.Server:
    """Answers each call with one event and holds it open."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(CHUNKED)
            while await reader.read(65536):
                pass
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port, backlog=1024)


async def _streams(port: int, host: str, session: str, count: int, pid: int) -> None:
    limit = asyncio.Semaphore(OPENING_AT_ONCE)
    open_: list[asyncio.StreamWriter] = []

    async def one() -> str:
        async with limit:
            try:
                reader, writer = await connect(port)
                open_.append(writer)
                writer.write(head("/api/chat", session, host))
                answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ANSWERED_WITHIN_SECONDS)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                return "no answer"
            return answer[9:12].decode()

    idle = _megabytes(pid)
    _print(f"\nstreams   opened  answers            proxy MB (idle {idle:.0f})")
    seen: dict[str, int] = {}
    for step in range(1, STEPS + 1):
        more = count * step // STEPS - count * (step - 1) // STEPS
        for status in await asyncio.gather(*(one() for _ in range(more))):
            seen[status] = seen.get(status, 0) + 1
        answers = ", ".join(f"{number} x {status}" for status, number in sorted(seen.items()))
        held = seen.get("200", 0)
        each = (_megabytes(pid) - idle) * 1000 / max(1, held)
        _print(f"{'':8}{count * step // STEPS:8}  {answers:20} {_megabytes(pid):5.0f}  ({each:.0f} KB a stream)")
    for writer in open_:
        writer.transport.abort()


async def _uploads(port: int, host: str, session: str, count: int, process: tuple[int, int]) -> None:
    pid, size = process
    before = _megabytes(pid)
    open_: list[Connection] = []
    for _ in range(count):
        reader, writer = await connect(port)
        writer.write(head("/api/v1/files/", session, host, size))
        writer.write(b"x" * SENT_OF_AN_UPLOAD)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        open_.append((reader, writer))
    await asyncio.sleep(SETTLING_SECONDS)
    refused = 0
    for reader, _ in open_:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.01)
            refused += 1
    _print(
        f"\nuploads   {count} of {size // MEBIBYTE} MiB under way, {refused} refused; proxy {before:.0f} MB before, "
        f"{_megabytes(pid):.0f} MB then"
    )
    for _, writer in open_:
        writer.transport.abort()


def _megabytes(pid: int) -> float:
    """Anonymous memory of a process."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines())
    return int(lines["RssAnon"].split()[0]) * 1024 / 1e6


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is a program that prints


if __name__ == "__main__":
    sys.exit(main())
