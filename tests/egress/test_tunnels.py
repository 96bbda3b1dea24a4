"""What gets through the egress proxy, what it refuses, and who sees what."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from components.egress.settings import CLIENT_NAME, NOT_PUBLIC
from local.certificate import Certificate, self_signed
from local.server import Server
from tests.egress.world import (
    ALPHA,
    ALPHA_KEY,
    BETA,
    BETA_KEY,
    INSIDE,
    LOOPBACK,
    NOWHERE,
    PRIVATE,
    Identities,
    World,
    chat,
    egress,
    external,
    proxy,
    resolver,
    tunnel,
    world,
)
from tests.proxy import client
from tests.proxy.application import application
from tests.proxy.models import model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.egress.world import Egress
    from tests.proxy.models import Model


@pytest.fixture(scope="module")
def interface() -> Iterator[tuple[int, Certificate]]:
    """The application's port and the certificate of the interface's proxy."""
    with Server(application) as server:
        yield server.port, self_signed(client.HOST)


@pytest.fixture(scope="module")
def running(interface: tuple[int, Certificate], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both proxies and all servers."""
    with world(interface, tmp_path_factory.mktemp("egress")) as made:
        yield made


@pytest.fixture
def way(running: World) -> Iterator[World]:
    """The same, with healthy servers that have received nothing; nothing is ejected after the test."""
    for server in running.servers:
        server.behaviour = 200
        server.received.clear()
    yield running
    for server in running.servers:
        server.behaviour = 200
    deadline = time.monotonic() + 30
    while (running.chat("two"), running.chat("alone")) != ((200, b"alpha"), (200, b"alpha")):
        assert time.monotonic() < deadline, "a server is still ejected"
        time.sleep(0.2)


def entries(way: World, authority: str, count: int = 1) -> list[dict[str, object]]:
    """The log's lines about an authority; an entry is written when its tunnel ends."""
    deadline = time.monotonic() + 10
    while len(found := [line for line in way.egress.logged() if line["authority"] == authority]) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def authority(host: str, server: Model) -> str:
    return f"{host}:{server.server.port}"


def test_a_declared_provider_gets_the_prompt_its_path_and_its_own_key(way: World) -> None:
    assert way.chat("alone") == (200, b"alpha")
    (request,) = way.alpha.received
    assert (request.method, request.target) == ("POST", "/api/v1/chat/completions")
    assert request.value("host") == authority(ALPHA, way.alpha)
    assert request.values("authorization") == [f"Bearer {ALPHA_KEY}"]
    assert request.values("cookie") == []


@pytest.mark.parametrize("behaviour", [429, 500, 503, "reset-before", "silent"])
def test_the_next_provider_takes_over_with_its_own_key(way: World, behaviour: int | str) -> None:
    way.alpha.behaviour = behaviour
    assert way.chat("two") == (200, b"beta")
    assert [one.values("authorization") for one in way.beta.received] == [[f"Bearer {BETA_KEY}"]]
    assert {value for one in way.alpha.received for value in one.values("authorization")} == {f"Bearer {ALPHA_KEY}"}


def test_a_server_inside_the_network_takes_over_without_a_key(way: World) -> None:
    way.alpha.behaviour = 503
    assert way.chat("inside-next") == (200, b"private")
    assert [one.values("authorization") for one in way.private.received] == [[]]


def test_an_answer_that_the_provider_breaks_off_is_not_reported_as_complete(way: World) -> None:
    way.alpha.behaviour = "reset-in-answer"
    with pytest.raises(http.client.IncompleteRead) as cut:
        way.chat("alone")
    assert cut.value.partial == b"data: 1\n"


def test_a_provider_with_a_certificate_for_another_name_gets_nothing(way: World) -> None:
    assert way.chat("pretended")[0] == 503
    assert way.pretender.received == []


def test_an_undeclared_destination_of_the_interfaces_proxy_gets_nothing_and_is_logged(way: World) -> None:
    assert way.chat("undeclared")[0] == 503
    assert way.private.received == []
    lines = entries(way, authority(PRIVATE, way.private))
    assert {(line["route"], line["status"]) for line in lines} == {("undeclared", 403)}


@pytest.mark.parametrize(
    "wanted",
    [
        "undeclared.example:443",
        "127.0.0.1:443",
        "169.254.170.2:80",
        f"{ALPHA}:443",
        f"{ALPHA}:80",
        f"{ALPHA}.:443",
        f"x.{ALPHA}:443",
        f"{ALPHA}.undeclared.example:443",
    ],
)
def test_another_authority_is_refused_and_logged(way: World, wanted: str) -> None:
    assert " 403 " in way.egress.connect(wanted)
    (line, *_) = entries(way, wanted)
    assert (line["route"], line["status"], line["method"]) == ("undeclared", 403, "CONNECT")
    assert line["upstream"] is None


@pytest.mark.parametrize("wanted", [ALPHA, f"user@{ALPHA}:443", f"https://{ALPHA}:443/", "/"])
def test_what_is_not_an_authority_is_refused(way: World, wanted: str) -> None:
    assert " 400 " in way.egress.connect(wanted)


def test_the_host_header_does_not_decide(way: World) -> None:
    declared = authority(ALPHA, way.alpha)
    refused = way.egress.ask(f"CONNECT undeclared.example:443 HTTP/1.1\nhost: {declared}")
    assert " 200 " not in refused
    assert entries(way, "undeclared.example:443")[-1]["status"] in {400, 403}


@pytest.mark.parametrize(
    "head",
    [
        "GET / HTTP/1.1\nhost: {0}",
        "GET http://{0}/ HTTP/1.1\nhost: {0}",
        "POST http://undeclared.example/ HTTP/1.1\nhost: undeclared.example\ncontent-length: 0",
        "GET / HTTP/1.1\nhost: {0}\nconnection: upgrade\nupgrade: websocket",
    ],
)
def test_a_request_that_is_not_connect_is_refused(way: World, head: str) -> None:
    answer = way.egress.ask(head.format(authority(ALPHA, way.alpha)))
    assert answer.split(" ")[1] in {"403", "405"}
    assert way.alpha.received == []


def test_a_declared_name_with_a_private_address_is_refused(way: World) -> None:
    """Also when the address is in the cache, as at the second time."""
    for _ in range(2):
        assert " 403 " in way.egress.connect(f"{INSIDE}:443")
    for line in entries(way, f"{INSIDE}:443", 2):
        assert (line["route"], line["upstream"]) == ("tunnel", None)
        assert "rbac" in str(line["detail"])


def test_a_declared_name_that_does_not_resolve_is_unavailable(way: World) -> None:
    assert " 503 " in way.egress.connect(f"{NOWHERE}:443")


@pytest.mark.parametrize("name", [None, "someone.ai-interface.internal", CLIENT_NAME])
def test_only_the_interfaces_proxy_may_ask(way: World, name: str | None) -> None:
    """The last one has the right name, and a certificate that another authority signed."""
    stranger = self_signed(name) if name else None
    # In TLS 1.3 a client learns only with the first answer that its certificate is refused.
    with way.egress.connection(stranger) as connected:
        try:
            answer = tunnel(connected, authority(ALPHA, way.alpha))
        except (ssl.SSLError, ConnectionError):
            answer = ""
    assert answer == ""


def test_no_log_of_either_proxy_has_a_key_a_prompt_or_a_path_of_a_provider(way: World) -> None:
    way.alpha.behaviour = 503
    way.chat("two")
    inside, outside = (log.read_text(encoding="utf-8") for log in (way.proxy.log, way.egress.log))
    for secret in (ALPHA_KEY, BETA_KEY, "Bearer", "messages"):
        assert secret not in inside + outside
    assert "/api/v1" not in outside


def test_the_log_has_destination_bytes_and_duration(way: World) -> None:
    wanted = authority(BETA, way.beta)
    before = len(entries(way, wanted, 0))
    with way.egress.connection(way.egress.identities.client) as connected:
        assert " 200 " in tunnel(connected, wanted)
    line = entries(way, wanted, before + 1)[-1]
    assert line["upstream"] == f"127.0.0.1:{way.beta.server.port}"
    assert {"request_bytes", "response_bytes", "duration_ms", "authority", "time"} <= line.keys()


def test_loopback_is_refused_too(tmp_path: Path) -> None:
    """The other tests allow it, because their providers are there."""
    assert LOOPBACK in NOT_PUBLIC
    declared, identities = f"{ALPHA}:443", Identities()
    with (
        resolver() as name_server,
        egress((declared,), tmp_path, identities, name_server, refused_networks=NOT_PUBLIC) as alone,
    ):
        assert " 403 " in alone.connect(declared)


@pytest.mark.parametrize("limit", ["idle_seconds", "tunnel_seconds"])
def test_a_tunnel_ends(way: World, tmp_path: Path, limit: str) -> None:
    declared, identities = authority(ALPHA, way.alpha), Identities()
    with resolver() as name_server:
        changes: dict[str, int] = {limit: 1}
        with egress((declared,), tmp_path, identities, name_server, **changes) as short:
            begun = time.monotonic()
            with short.connection(identities.client) as connected:
                assert " 200 " in tunnel(connected, declared)
                assert ended(connected, every=0.3 if limit == "tunnel_seconds" else 0)
            assert time.monotonic() - begun < 5


def ended(connected: ssl.SSLSocket, every: float) -> bool:
    """Whether the other side ends the connection; ``every``: the seconds between bytes that keep it busy."""
    try:
        for _ in range(20 if every else 0):
            connected.sendall(b"\x16")
            time.sleep(every)
        return connected.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def test_more_tunnels_than_the_limit_are_refused(way: World, tmp_path: Path) -> None:
    declared, identities = authority(ALPHA, way.alpha), Identities()
    with (
        resolver() as name_server,
        egress((declared,), tmp_path, identities, name_server, maximum_tunnels=1) as narrow,
    ):
        admitted(narrow, declared)
        with narrow.connection(identities.client) as first:
            assert " 200 " in tunnel(first, declared)
            with pytest.raises((ssl.SSLError, ConnectionError)), narrow.connection(identities.client):
                pass
        admitted(narrow, declared)


def admitted(proxy: Egress, declared: str) -> None:
    """Wait until the one tunnel is free: Envoy notices a moment later that its client has gone."""
    deadline = time.monotonic() + 10
    while True:
        try:
            assert " 200 " in proxy.connect(declared)
        except (ssl.SSLError, ConnectionError):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            time.sleep(0.2)
            return


def test_without_the_egress_proxy_the_next_upstream_inside_takes_over(
    interface: tuple[int, Certificate], tmp_path: Path
) -> None:
    trusted = self_signed(ALPHA, BETA)
    with model("private", trusted) as private:
        inside = replace(
            external("next", BETA, private.server.port, trusted, "KEY_BETA"), through_egress=False, address="127.0.0.1"
        )
        groups = {
            "alone": (external("alone", ALPHA, 443, trusted, "KEY_ALPHA"),),
            "next": (external("next", ALPHA, 443, trusted, "KEY_ALPHA"), inside),
        }
        with Server(application) as closed:
            port = closed.port
        with proxy(groups, port, Identities(), interface, tmp_path) as alone:
            assert chat(alone, "next") == (200, b"private")
            status, body = chat(alone, "alone")
            assert (status, json.loads(body)["error"]["code"]) == (503, "upstream_unavailable")
