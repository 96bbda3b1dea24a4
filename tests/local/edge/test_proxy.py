"""The stack's own Envoy behind the twin's load balancer: each accepts what the other one forwards."""

from __future__ import annotations

import contextlib
import http
import json
import ssl
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from websockets.http11 import Request, Response
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from local import envoy
from local.certificate import self_signed
from local.ports import LOOPBACK, held_ports
from local.stack import Stack
from local.wiring import Loopback
from preflight.analysis.edge_proxy import configuration
from preflight.recording.recorder import Recording
from tests.local.edge.raw import cookies
from tests.local.edge.world import GROUP, World, task_node, world


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
        env = {"PROXY_CERTIFICATE": certificate.certificate, "PROXY_PRIVATE_KEY": certificate.key}
        arguments = envoy.plain_arguments(content)
        with (folder / "envoy.log").open("wb") as log, envoy.running(arguments, port=port, env=env, output=log):
            yield port


@pytest.fixture(scope="module")
def running(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """The edge of a stack, and its proxy as the only target."""
    stack = Stack.of(recording)
    node, zone = task_node(stack, 0)
    folder = tmp_path_factory.mktemp("proxy")
    with _proxy(stack, folder) as port, world(stack, targets=0, wiring=_leading(node.address, stack, port)) as made:
        assert made.edge.wait_healthy(made.edge.register(node.address, zone), 10), made.causes()
        yield made


def _leading(address: str, stack: Stack, port: int) -> Loopback:
    return Loopback(ports={(address, int(stack.one(GROUP)["port"])): port})


def test_the_proxy_takes_the_claims_of_whoever_is_allowed(running: World) -> None:
    """A member and an administrator arrive at the application by their trusted headers; someone else gets 403."""
    roles: dict[str, str] = {}
    for person in (running.people.member, running.people.administrator):
        response = running.browser().login(person.subject, running.url("/c/1"))
        headers = json.loads(response.body)
        assert headers["x-user-email"] == person.email
        roles[person.subject] = headers["x-user-role"]
    assert len(set(roles.values())) == 2
    assert running.browser().login(running.people.stranger.subject, running.url("/c/1")).status == 403


def test_logging_out_ends_the_session_and_leads_to_the_provider(running: World) -> None:
    """The proxy expires every shard of the cookie that the load balancer set."""
    browser = running.member()
    assert browser.cookies
    response = browser.get(running.url("/logout"), follow=False)
    assert response.headers["location"] == running.provider.registration.end_session
    assert not browser.cookies


def test_a_real_websocket_passes_both(running: World) -> None:
    """Handshake, frames and the end, by a client that checks them."""
    browser = running.member()
    plain = running.wiring.open("internet")
    plain.connect(running.wiring.target("internet", running.names[running.host][0], 443))
    context = ssl.create_default_context(cadata=running.authority.certificate)
    url = f"wss://{running.host}/ws/socket.io/"
    headers = dict([cookies(browser)])
    origin = f"https://{running.host}"
    with connect(url, sock=plain, ssl=context, additional_headers=headers, origin=origin) as socket:  # pyright: ignore[reportArgumentType]
        socket.send("hello")
        assert socket.recv(5) == "echo hello"
