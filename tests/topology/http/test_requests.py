"""A request has the headers that clients send, and the proxy lets in exactly whom it is told to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.guardrails.topology.http.requests import Identity, ProxyFacts, Request, Result
from policies.guardrails.topology.trace.request_path import trace
from tests.topology.builders import compliant

FACTS = ProxyFacts(
    prompt_bytes=1000,
    upload_bytes=5000,
    header_bytes=2000,
    upload_path_prefixes=("/files/",),
    allowed_claim="groups",
    allowed_values=("users",),
    allowed_email_domains=("example.com",),
    allowed_emails=("guest@other.test",),
    logout_path="/logout",
    websocket_path_prefixes=("/ws",),
)
PEOPLE: dict[str, tuple[dict[str, object], bool]] = {
    "a value in a list": ({"groups": ["others", "users"]}, True),
    "a single value": ({"groups": "users"}, True),
    "another value": ({"groups": ["administrators"]}, False),
    "part of a value": ({"groups": ["user"]}, False),
    "a domain in any case": ({"email": "Someone@Example.COM"}, True),
    "a domain below": ({"email": "someone@sub.example.com"}, False),
    "a domain that ends alike": ({"email": "someone@notexample.com"}, False),
    "a named address": ({"email": "guest@other.test"}, True),
    "another address there": ({"email": "host@other.test"}, False),
    "no address": ({"email": ""}, False),
    "nothing at all": ({}, False),
}


@pytest.mark.parametrize("name", PEOPLE)
def test_the_proxy_lets_in_whom_it_is_told_to(name: str) -> None:
    claims, expected = PEOPLE[name]
    assert FACTS.admits(Identity(claims)) is expected
    assert not FACTS.admits(None)


def test_a_proxy_that_is_told_nobody_lets_in_nobody() -> None:
    nobody = ProxyFacts(prompt_bytes=1, upload_bytes=1, header_bytes=1)
    assert not nobody.admits(Identity({"groups": ["users"], "email": "someone@example.com"}))
    assert nobody.body_limit("/files/x") == 1


ORGANISATION = replace(FACTS, required_claim="hd", required_values=("example.com",))
ASSIGNED = ProxyFacts(prompt_bytes=1, upload_bytes=1, header_bytes=1, allowed_everyone=True)


def test_a_required_claim_comes_before_every_rule() -> None:
    member = {"email": "someone@example.com"}
    assert FACTS.admits(Identity(member))
    assert not ORGANISATION.admits(Identity(member))
    assert not ORGANISATION.admits(Identity({**member, "hd": "other.example"}))
    assert ORGANISATION.admits(Identity({**member, "hd": "example.com"}))


def test_everyone_with_a_session_is_admitted_if_the_provider_assigns_users() -> None:
    assert ASSIGNED.admits(Identity({}))
    assert not ASSIGNED.admits(None)


@pytest.mark.parametrize(
    "known",
    [
        FACTS,
        ORGANISATION,
        ASSIGNED,
        replace(FACTS, allowed_values=()),
        replace(ORGANISATION, allowed_values=(), allowed_email_domains=()),
    ],
)
def test_the_claims_of_an_admitted_user_are_admitted(known: ProxyFacts) -> None:
    assert known.admits(Identity(known.admitted_claims()))


MEMBER = Identity({"groups": ["users"]})
URL = "https://chat.example.test"
LIMITS: dict[str, tuple[Request, Result, int | None, str]] = {
    "a prompt at the limit": (Request("POST", f"{URL}/x", body_bytes=1000, identity=MEMBER), Result.SERVED, None, "pages"),
    "a prompt beyond it": (Request("POST", f"{URL}/x", body_bytes=1001, identity=MEMBER), Result.ANSWERED, 413, "proxy body limit"),
    "an upload at the limit": (Request("POST", f"{URL}/files/x", body_bytes=5000, identity=MEMBER), Result.SERVED, None, "pages"),
    "an upload beyond it": (Request("POST", f"{URL}/files/x", body_bytes=5001, identity=MEMBER), Result.ANSWERED, 413, "proxy body limit"),
    "headers beyond the limit": (Request("GET", f"{URL}/x", headers=(("a", "x" * 2001),), identity=MEMBER), Result.ANSWERED, 431, "proxy header limit"),
    "the way out": (Request("GET", f"{URL}/logout", identity=MEMBER), Result.ANSWERED, 302, "proxy logout"),
    "a socket where sockets are": (Request("GET", f"{URL}/ws", headers=(("Upgrade", "websocket"),), identity=MEMBER), Result.SERVED, None, "pages"),
    "a socket elsewhere": (Request("GET", f"{URL}/x", headers=(("Upgrade", "websocket"),), identity=MEMBER), Result.ANSWERED, 403, "proxy upgrade"),
    "a stranger": (Request("GET", f"{URL}/x", identity=Identity({"groups": ["others"]})), Result.ANSWERED, 403, "proxy authorization"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_the_proxy_enforces_its_limits(name: str) -> None:
    request, result, status, rule = LIMITS[name]
    outcome = trace(compliant().graph(), request, FACTS)
    assert (outcome.result, outcome.status, outcome.rule) == (result, status, rule)


def test_a_request_has_the_headers_that_clients_send() -> None:
    request = Request("POST", "https://Chat.Example.test/a?b=c", cookies=(("one", "1"), ("two", "2")), body="häh")
    assert request.sent_headers() == (
        ("host", "chat.example.test"),
        ("cookie", "one=1; two=2"),
        ("content-length", "4"),
    )
    assert (request.path, request.query, request.port, request.scheme) == ("/a", "b=c", 443, "https")
    assert request.header("Cookie") == "one=1; two=2"
    chunked = Request("POST", "http://x.test/", body_bytes=9, declares_length=False)
    assert chunked.header("transfer-encoding") == "chunked"
    assert chunked.header("content-length") is None
    assert Request("GET", "http://x.test").port == 80
    assert Request("GET", "http://x.test").header("content-length") is None
    assert Request("PUT", "https://x.test:8443/").port == 8443
    assert Request("PUT", "https://x.test/").header("content-length") == "0"


ARRIVALS: dict[str, tuple[str, str, Result, int | None, str]] = {
    "an admitted client": ("203.0.113.9", f"{URL}/", Result.ANSWERED, 401, "pages"),
    "another client": ("198.51.100.9", f"{URL}/", Result.DROPPED, None, "security group"),
    "an admitted client on a port that no rule admits": ("203.0.113.9", "http://chat.example.test/", Result.DROPPED, None, "security group"),
    "plain text on the encrypted port": ("203.0.113.9", "http://chat.example.test:443/", Result.ANSWERED, 400, "https"),
    "a port on which nothing listens": ("203.0.113.9", f"{URL}:8443/", Result.DROPPED, None, "no listener"),
}  # fmt: skip


@pytest.mark.parametrize("name", ARRIVALS)
def test_a_client_arrives_where_a_rule_admits_it_and_something_listens(name: str) -> None:
    client, url, result, status, rule = ARRIVALS[name]
    stack = compliant()
    stack["edge-in"]["cidrIpv4"] = "203.0.113.0/24"
    outcome = trace(stack.graph(), Request("GET", url, client=client))
    assert (outcome.result, outcome.status, outcome.rule) == (result, status, rule)


def test_a_get_with_a_body_declares_its_length() -> None:
    assert Request("GET", f"{URL}/", body_bytes=3).header("content-length") == "3"
    assert Request("DELETE", f"{URL}/").header("content-length") is None
