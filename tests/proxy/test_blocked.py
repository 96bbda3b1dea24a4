"""``identity.blocked``: one person is refused whom every rule admits, whatever the session at the edge says."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from components.proxy import ProxyPeople
from tests.proxy.gateway import ADMINISTRATOR, IDENTITY, MEMBER, SETTINGS, Gateway, gateway, user_id

if TYPE_CHECKING:
    from collections.abc import Generator

    from local.certificate import Certificate
    from local.server import Server

BY_ID, BY_ADDRESS, BY_DOMAIN = "mallory@example.com", "trudy@example.com", "eve@left.test"
BLOCKED = [
    {"email": BY_ID},
    {"email": BY_ID.upper(), "name": "Someone Else"},
    {"email": BY_ADDRESS},
    {"email": BY_ADDRESS.title()},
    {"email": BY_DOMAIN, "groups": ["ai-users"]},
    {**MEMBER, "left": "yes"},
    {**MEMBER, "left": ["no", "yes"]},
    {**ADMINISTRATOR, "left": "yes"},
]
ADMITTED: list[dict[str, Any]] = [
    MEMBER,
    ADMINISTRATOR,
    {**MEMBER, "left": "no"},
    {"email": f"x{BY_ID}"},
    {"email": f"x{BY_ADDRESS}"},
    {"email": "eve@not.left.test", "groups": ["ai-users"]},
]


@pytest.fixture(scope="module")
def proxy(server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    people = ProxyPeople(
        claim_name="left", claim_values=("yes",), email_domains=("left.test",), emails=(BY_ADDRESS.upper(),)
    )
    settings = replace(SETTINGS, identity=replace(IDENTITY, blocked=people, blocked_users=(user_id(BY_ID),)))
    with gateway(settings, server.port, certificate, tmp_path_factory.mktemp("blocked")) as running:
        yield running


@pytest.mark.parametrize("claims", BLOCKED, ids=str)
def test_a_blocked_person_is_refused_and_the_line_names_the_reason_and_the_id(
    proxy: Gateway, claims: dict[str, Any]
) -> None:
    before = len(proxy.logged())
    answer = proxy.send("POST", "/api/chat", [], b"hello", claims=claims)
    assert (answer.status, b"state the reason: blocked" in answer.body) == (403, True)
    deadline = time.monotonic() + 10
    while not (lines := [one for one in proxy.logged()[before:] if one["refused"] == "blocked"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [one["user"] for one in lines] == [user_id(claims["email"])]


@pytest.mark.parametrize("claims", ADMITTED, ids=str)
def test_everyone_else_is_admitted_as_before(proxy: Gateway, claims: dict[str, Any]) -> None:
    assert proxy.send("GET", "/", claims=claims).status == 200


def test_only_the_id_blocks_if_nothing_else_is_set(
    server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = replace(SETTINGS, identity=replace(IDENTITY, blocked_users=(user_id(BY_ID),)))
    with gateway(settings, server.port, certificate, tmp_path_factory.mktemp("by-id")) as running:
        statuses = [running.send("GET", "/", claims={"email": email}).status for email in (BY_ID, BY_ADDRESS)]
    assert statuses == [403, 200]


def test_a_websocket_of_a_blocked_person_is_refused(proxy: Gateway) -> None:
    upgrade = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")]
    assert proxy.send("GET", "/ws/", upgrade, claims={"email": BY_ID}).status == 403


def test_a_blocked_person_can_sign_out(proxy: Gateway) -> None:
    assert proxy.send("GET", "/logout", claims={"email": BY_ID}).status == 302
