"""A secret that a client sends, wherever it puts it, is in nothing that the proxy writes."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from components.proxy import ProxyModelGroup, ProxyUpstream
from local.claims import HEADER
from local.ports import held_ports
from tests.proxy import client
from tests.proxy.gateway import MEMBER, PROMPT_BYTES, SETTINGS, Gateway, gateway, user_id

if TYPE_CHECKING:
    from collections.abc import Generator

    from local.certificate import Certificate
    from local.server import Server

CANARY = "canary7f3a9c"


@pytest.fixture
def fresh(server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """A proxy of its own, so that its log is complete; its model server refuses connections."""
    with held_ports(0) as (closed,):
        upstream = ProxyUpstream(
            name="gone",
            host_name="llm.example.internal",
            address="127.0.0.1",
            port=closed,
            ca_certificate=certificate.certificate,
        )
        group = ProxyModelGroup(name="general", models=("m",), upstreams=(upstream,))
        settings = replace(SETTINGS, model_groups=(group,))
        with gateway(settings, server.port, certificate, tmp_path_factory.mktemp("logs")) as running:
            yield running


def provoke(proxy: Gateway) -> int:
    """Send the canary everywhere, in requests that end in every way; return how many were sent."""
    everywhere = [
        ("cookie", f"token={CANARY}; AWSELBAuthSessionCookie-0={CANARY}"),
        ("authorization", f"Bearer {CANARY}"),
        ("x-anything", CANARY),
        ("user-agent", CANARY),
        ("referer", f"https://chat.example.com/?q={CANARY}"),
        ("x-request-id", CANARY),
        ("x-user-email", f"{CANARY}@example.com"),
        ("x-amzn-oidc-accesstoken", CANARY),
        ("x-amzn-oidc-identity", CANARY),
        ("x-amzn-trace-id", f"Self=1-67891234-12456789abcdef0123456789;Root=1-67891233-abcdef;{CANARY}={CANARY}"),
    ]
    body = CANARY.encode() * 3
    somebody = {**MEMBER, "email": f"{CANARY}@example.com", "name": CANARY}
    stranger = {"email": f"{CANARY}@outside.test"}
    query = f"/api/chat?q={CANARY}"
    statuses = [
        proxy.send("POST", query, everywhere, body, claims=somebody).status,
        proxy.send("GET", query, everywhere, claims=None).status,
        proxy.send("GET", query, everywhere, claims=stranger).status,
        proxy.send("GET", query, everywhere, claims=CANARY.encode()).status,
        proxy.send("GET", query, [*everywhere, (HEADER, f"{CANARY}.{CANARY}.{CANARY}")], claims=None).status,
        proxy.send("POST", query, [*everywhere, ("content-length", str(PROMPT_BYTES + 1))], body).status,
        proxy.send("POST", query, [*everywhere, ("transfer-encoding", "chunked")], b"0\r\n\r\n").status,
        proxy.send("GET", query, [*everywhere, ("x_bad", CANARY)]).status,
        proxy.send("GET", f"/logout?{CANARY}", everywhere).status,
        proxy.send("GET", f"/?{CANARY}", everywhere, host=f"{CANARY}.example.com").status,
        proxy.send("GET", query, [(f"x-{n}", CANARY * 50) for n in range(80)]).status,
        proxy.send("GET", query, [("bad header", CANARY)]).status,
        proxy.model("POST", f"/general/v1/chat/completions?q={CANARY}", everywhere, body).status,
        proxy.model("POST", f"/other?q={CANARY}", everywhere, body).status,
        proxy.model("POST", f"/general/v1/chat/completions?q={CANARY}", everywhere).status,
    ]
    assert statuses == [200, 401, 403, 401, 401, 413, 411, 400, 302, 404, 431, 400, 503, 403, 411]
    return len(statuses)


def test_a_canary_sent_everywhere_is_nowhere_in_what_is_written(fresh: Gateway, certificate: Certificate) -> None:
    sent = provoke(fresh)
    deadline = time.monotonic() + 10
    while len(fresh.logged()) < sent:
        assert time.monotonic() < deadline, fresh.logged()
        time.sleep(0.1)
    written = fresh.log.read_text(encoding="utf-8")
    assert CANARY not in written
    assert "example.com" not in written
    assert certificate.key.splitlines()[1] not in written


def test_a_line_has_what_troubleshooting_needs_and_nothing_more(fresh: Gateway) -> None:
    trace = "Root=1-67891233-abcdef012345678912345678"
    fresh.send("POST", "/api/chat", [("x-amzn-trace-id", trace)], b"hello")
    deadline = time.monotonic() + 10
    while not fresh.logged():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (line,) = fresh.logged()
    assert line.pop("time").startswith("20")
    assert line.pop("duration_ms") >= line.pop("first_byte_ms") >= 0
    assert line.pop("response_bytes") > 0
    assert line.pop("connection") > 0
    assert line == {
        "side": "inbound",
        "environment": fresh.settings.environment,
        "request_id": trace,
        "user": user_id(MEMBER["email"]),
        "method": "POST",
        "route": "request",
        "status": 200,
        "flags": "-",
        "detail": "via_upstream",
        "refused": None,
        "request_bytes": 5,
    }


def test_a_line_on_a_models_request_says_which_upstream_was_tried_and_how_often(fresh: Gateway) -> None:
    assert fresh.model("POST", "/general/v1/chat/completions", [], b"{}").status == 503
    deadline = time.monotonic() + 10
    while not fresh.logged():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (line,) = fresh.logged()
    assert {key: line[key] for key in ("side", "route", "path", "upstream", "attempts", "status", "flags")} == {
        "side": "models",
        "route": "general",
        "path": "/general/v1/chat/completions",
        "upstream": "envoy://upstream-gone/",
        "attempts": 2,
        "status": 503,
        "flags": "URX",
    }


def test_the_key_is_not_in_the_arguments_that_other_processes_see(fresh: Gateway, certificate: Certificate) -> None:
    from components.proxy.configuration import envoy_arguments  # noqa: PLC0415 - only this test reads the arguments

    arguments = json.dumps(envoy_arguments(fresh.settings))
    assert "PRIVATE KEY" not in arguments
    assert certificate.key.splitlines()[1] not in arguments


def test_an_oversized_host_or_path_is_refused_without_a_trace_of_it(fresh: Gateway) -> None:
    assert client.send(fresh.settings.port, "GET", "/" + CANARY * 4000).status == 431
    time.sleep(1.2)
    assert CANARY not in fresh.log.read_text(encoding="utf-8")
