"""The edge of a recorded stack with the stack's own Envoy as its only target."""

from __future__ import annotations

import contextlib
import http
import json
import threading
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from local import envoy
from local.certificate import self_signed
from local.identity import People
from local.ports import LOOPBACK, held_ports
from local.stack import Stack
from local.wiring import Loopback
from preflight.analysis.edge_proxy import configuration
from preflight.recording.recorder import Recording
from tests.local.edge.world import GROUP, World, task_node, world

LOG = "envoy.log"


@contextlib.contextmanager
def with_proxy(
    recording: Recording,
    folder: Path,
    *,
    sections: Mapping[str, Any] | None = None,
    people: People | None = None,
) -> Generator[World]:
    """The edge and its proxy, which is healthy; what Envoy prints goes to ``LOG`` in the folder."""
    stack = Stack.of(recording)
    node, zone = task_node(stack, 0)
    with (
        _proxy(stack, folder) as port,
        world(stack, targets=0, wiring=_leading(node.address, stack, port), sections=sections, people=people) as made,
    ):
        assert made.edge.wait_healthy(made.edge.register(node.address, zone), 10), made.causes()
        yield made


def _told(connection: ServerConnection, request: Request) -> Response | None:
    """Every request without an upgrade is answered with its headers."""
    if request.headers.get("upgrade"):
        return None
    return connection.respond(http.HTTPStatus.OK, json.dumps(dict(request.headers.raw_items())))


def _echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(f"echo {message}")


@contextlib.contextmanager
def _application() -> Generator[int]:
    """An application with real WebSockets, on a free port."""
    with serve(_echo, LOOPBACK, 0, process_request=_told) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def _proxy(stack: Stack, folder: Path) -> Generator[int]:
    """The real Envoy with the task definition's configuration, on free ports; yields the one for the load balancer."""
    with _application() as served, held_ports(0, 0) as (port, models):
        content: dict[str, Any] = json.loads(json.dumps(configuration(stack.recording)))
        group: int = stack.one(GROUP)["port"]
        resources = content["static_resources"]
        places = [one["address"]["socket_address"] for one in resources["listeners"] if one.get("address")]
        for place in places:
            place["address"], place["port_value"] = LOOPBACK, port if place["port_value"] == group else models
        (cluster,) = [one for one in resources["clusters"] if one["name"] == "application"]
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        endpoint["address"]["socket_address"]["port_value"] = served
        certificate = self_signed("another-name.internal")
        env = {
            "PROXY_CERTIFICATE": certificate.certificate,
            "PROXY_PRIVATE_KEY": certificate.key,
            "PROXY_USER_KEY": envoy.USER_KEY,
        }
        arguments = [*envoy.plain_arguments(content), "--file-flush-interval-msec", "50"]
        with (folder / LOG).open("wb") as log, envoy.running(arguments, port=port, env=env, output=log):
            yield port


def _leading(address: str, stack: Stack, port: int) -> Loopback:
    return Loopback(ports={(address, int(stack.one(GROUP)["port"])): port})
