"""What a target gets besides the claims, and what becomes of headers that a client should not send."""

from __future__ import annotations

import re

import pytest

from local.edge.claims import ADDED, CLAIMS
from local.stack import Stack
from tests.local.edge.raw import cookies, exchange, head
from tests.local.edge.world import ASSOCIATION, BALANCER, World, world

TRUSTED = ("x-user-email", "x-user-name", "x-user-role")


def _without_firewall(stack: Stack) -> Stack:
    association = stack.one(ASSOCIATION)
    return stack.changed(association, resourceArn="arn:aws:elasticloadbalancing:another")


@pytest.mark.parametrize("name", [*ADDED, *TRUSTED])
def test_the_firewall_blocks_forged_identities(edge: World, name: str) -> None:
    """From a member too, and before anything is logged in or forwarded."""
    browser = edge.member()
    before = len(edge.target.requests)
    for spelled in (name, name.title()):
        response = browser.get(edge.url("/api/v1/x"), {spelled: "forged"})
        assert (response.status, response.text) == (403, "Header not allowed\n")
    assert len(edge.target.requests) == before


def test_behind_no_firewall_a_session_replaces_the_clients_copies(prod: Stack) -> None:
    """The target gets each header once, from the load balancer; other trusted headers are left to the proxy."""
    with world(_without_firewall(prod)) as made:
        assert made.edge.firewall is None
        browser = made.member()
        sent = {name.title(): "forged" for name in (*ADDED, *TRUSTED)}
        assert browser.get(made.url("/api/v1/x"), sent).status == 200
        received = made.target.requests[-1]
        assert all(received.value(name) not in (None, "forged") for name in ADDED)
        assert all(received.value(name) == "forged" for name in TRUSTED)


@pytest.mark.parametrize(
    ("mode", "port", "sent", "wanted"),
    [
        ("append", False, "198.51.100.9", "198.51.100.9, 127.0.0.1"),
        ("append", False, None, "127.0.0.1"),
        ("preserve", False, "198.51.100.9", "198.51.100.9"),
        ("preserve", False, None, None),
        ("remove", False, "198.51.100.9", None),
        ("append", True, None, r"127.0.0.1:\d+"),
    ],
)
def test_forwarded_addresses(prod: Stack, mode: str, port: bool, sent: str | None, wanted: str | None) -> None:
    """In every mode of ``xffHeaderProcessingMode``, and with the client's port."""
    stack = prod.changed(prod.one(BALANCER), xffHeaderProcessingMode=mode, enableXffClientPort=port)
    with world(stack) as made:
        made.member().get(made.url("/api/v1/x"), {"X-Forwarded-For": sent} if sent else {})
        value = made.target.requests[-1].value("x-forwarded-for")
        assert re.fullmatch(str(wanted), value or "") if port else value == wanted


def test_scheme_port_host_and_trace(edge: World) -> None:
    """The client's own scheme and port do not survive; the host does; a trace that it began is continued."""
    browser = edge.member()
    root = "Root=1-67891233-abcdef012345678912345678"
    browser.get(edge.url("/api/v1/x"), {"X-Forwarded-Proto": "http", "X-Forwarded-Port": "1", "X-Amzn-Trace-Id": root})
    received = edge.target.requests[-1]
    assert (received.value("x-forwarded-proto"), received.value("x-forwarded-port")) == ("https", "443")
    assert received.value("host") == edge.host
    assert re.fullmatch(rf"Self=1-[0-9a-f]{{8}}-[0-9a-f]{{24}};{root}", received.value("x-amzn-trace-id") or "")
    browser.get(edge.url("/api/v1/x"))
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", edge.target.requests[-1].value("x-amzn-trace-id") or "")


def test_invalid_header_names_are_dropped_or_forwarded(prod: Stack) -> None:
    """As ``dropInvalidHeaderFields`` says, counted by the metric."""
    for drops in (True, False):
        stack = _without_firewall(prod.changed(prod.one(BALANCER), dropInvalidHeaderFields=drops))
        with world(stack) as made:
            assert made.member().get(made.url("/api/v1/x"), {"x_user_email": "forged"}).status == 200
            assert (made.target.requests[-1].value("x_user_email") is None) == drops
            assert made.balancer_sum("DroppedInvalidHeaderRequestCount") == drops


def test_hop_by_hop_headers_stay_between_two_hops(edge: World) -> None:
    """Connection, keep-alive and expect are not the target's business, its own not the client's."""
    browser = edge.member()
    edge.target.answer_headers = (("keep-alive", "timeout=5"), ("x-more", "yes"))
    sent = head(edge, "GET", "/api/v1/x", [cookies(browser), ("connection", "close"), ("keep-alive", "timeout=9")])
    response = exchange(edge, sent)
    assert (response.status, response.headers["keep-alive"], response.headers["x-more"]) == (200, None, "yes")
    assert response.headers["connection"] == "close"
    received = edge.target.requests[-1]
    assert received.value("connection") is received.value("keep-alive") is None
    assert received.value(CLAIMS)
