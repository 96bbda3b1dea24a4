"""The stack's own Envoy behind the twin's load balancer: each accepts what the other one forwards."""

from __future__ import annotations

import json
import ssl
from collections.abc import Generator

import pytest
from websockets.sync.client import connect

from preflight.recording.recorder import Recording
from tests.local.edge.raw import cookies
from tests.local.edge.with_proxy import with_proxy
from tests.local.edge.world import World


@pytest.fixture(scope="module")
def running(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """The edge of a stack, and its proxy as the only target."""
    with with_proxy(recording, tmp_path_factory.mktemp("proxy")) as made:
        yield made


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
