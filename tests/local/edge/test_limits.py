"""Sizes and forms that the load balancer or its web ACL refuses: status, text, and that no target sees them."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Generator
from typing import Any

import pytest

from local.edge.browser import Browser
from local.stack import Stack
from policies.guardrails.topology.http.load_balancer_limits import HEADER_BYTES
from tests.local.edge.raw import answer, cookies, exchange, head
from tests.local.edge.target import STREAM
from tests.local.edge.world import ACL, BALANCER, World, world
from tests.preflight.conform.graphs import with_open_webui


@pytest.fixture(scope="module")
def running() -> Generator[tuple[World, Browser]]:
    """The edge of prod and a member's browser; no test changes either."""
    with world(Stack.of(with_open_webui("prod"))) as made:
        yield made, made.member()


def _text(made: World, rule: str) -> tuple[int, str]:
    """Status and text of the custom response of a rule of the web ACL."""
    acl = made.stack.one(ACL)
    (found,) = [one for one in acl["rules"] if one["name"] == rule]
    custom: dict[str, Any] = found["action"]["block"]["customResponse"]
    (body,) = [one for one in acl["customResponseBodies"] if one["key"] == custom["customResponseBodyKey"]]
    return custom["responseCode"], body["content"]


def _limit(made: World, rule: str) -> int:
    """The size of a rule's size constraint, wherever it is in the statement."""
    (found,) = [one for one in made.stack.one(ACL)["rules"] if one["name"] == rule]
    (size,) = re.findall(r'"sizeConstraintStatement": .*?"size": (\d+)', json.dumps(found["statement"]))
    return int(size)


@pytest.mark.parametrize("rule", ["path-too-long", "query-too-large", "header-too-large"])
def test_sizes_that_the_web_acl_limits(running: tuple[World, Browser], rule: str) -> None:
    """At the limit a request passes, one byte more gets the declared response."""
    made, browser = running
    limit = _limit(made, rule)

    def sent(size: int) -> bytes:
        path, headers = "/api/v1/x", [cookies(browser)]
        if rule == "path-too-long":
            path = "/api/" + "x" * (size - 5)
        elif rule == "query-too-large":
            path = "/api/v1/x?" + "x" * size
        else:
            headers.append(("x-large", "x" * size))
        return head(made, "GET", path, headers)

    before = len(made.target.requests)
    within, beyond = exchange(made, sent(limit)), exchange(made, sent(limit + 1))
    assert within.status == 200
    assert (beyond.status, beyond.text) == _text(made, rule)
    assert len(made.target.requests) == before + 1


def test_cookies_are_limited_by_the_load_balancer(running: tuple[World, Browser]) -> None:
    """One header, including its name, has at most 16 KiB; no statement of the web ACL sees more than 8 KiB of
    headers."""
    made, browser = running
    name, session = cookies(browser)

    def sent(size: int) -> bytes:
        return head(made, "GET", "/api/v1/x", [(name, session + "; more=" + "x" * (size - len(session) - 7))])

    most = HEADER_BYTES - len(f"{name}: ")
    assert exchange(made, sent(most)).status == 200
    assert exchange(made, sent(most + 1)).status == 400


@pytest.mark.parametrize(
    ("rule", "path", "size"),
    [("body-too-large", "/api/v1/x", 2 * 1024 * 1024), ("upload-too-large", "/api/v1/files/", 50 * 1024 * 1024)],
)
def test_bodies_are_refused_by_their_declared_size(
    running: tuple[World, Browser], rule: str, path: str, size: int
) -> None:
    """Before the body has come: the client sends nothing but the first bytes."""
    made, browser = running
    assert str(size // 1024 // 1024) in _text(made, rule)[1]
    for expected in ((size + 1, _text(made, rule)), (size, None)):
        length, refused = expected
        with contextlib.closing(made.browser().connect(made.url("/"))) as connection:
            connection.sendall(head(made, "POST", path, [cookies(browser), ("content-length", str(length))]))
            connection.sendall(b"x" * 9000)
            if refused is None:
                connection.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    answer(connection)
            else:
                response = answer(connection)
                assert (response.status, response.text) == refused
                assert response.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("GET /api/" + "x" * 16_400 + " HTTP/1.1", [], 414),
        ("GET /api/x HTTP/1.1", [("x-large", "x" * 16_400)], 400),
        ("GET /api/x HTTP/1.1", [(f"x-{index}", "x" * 16_000) for index in range(5)], 400),
        ("GET /api/x HTTP/1.1", [("x-forwarded-for", ", ".join(["192.0.2.1"] * 31))], 463),
        ("TRACE /api/x HTTP/1.1", [], 405),
        ("POST /api/x HTTP/1.1", [("transfer-encoding", "gzip")], 501),
        ("POST /api/x HTTP/1.1", [("content-length", "3"), ("transfer-encoding", "chunked")], 400),
        ("POST /api/x HTTP/1.1", [("content-length", "3"), ("content-length", "4")], 400),
        ("POST /api/x HTTP/1.1", [("content-length", "three")], 400),
        ("GET /api/x HTTP/1.1", [("content-length", "3")], 400),
        ("GET /api/x HTTP/1.1", [("x-empty", "")], 400),
        ("GET /api/x HTTP/1.1", [("host", "another.example")], 400),
        ("GET /api/x HTTP/2.0", [], 400),
        ("NONSENSE", [], 400),
    ],
)
def test_what_the_load_balancer_itself_refuses(
    running: tuple[World, Browser], request_line: str, headers: list[tuple[str, str]], status: int
) -> None:
    """By its documented limits and its desync mitigation; the connection is closed, and it is logged."""
    made, _ = running
    before = len(made.target.requests)
    lines = [request_line, f"host: {made.host}", *(f"{name}: {value}" for name, value in headers)]
    response = exchange(made, "\r\n".join([*lines, "", ""]).encode())
    assert response.status == status
    assert response.headers["connection"] == ("keep-alive" if status == 463 else "close")
    assert len(made.target.requests) == before


def test_the_other_listeners_protocol_is_400(running: tuple[World, Browser]) -> None:
    """Plain HTTP on the port for TLS, and TLS on the port for plain HTTP."""
    made, browser = running
    ports = {one.scheme: one.port for one in made.edge.listeners}
    address = made.names[made.host][0]
    for scheme, data in (("https", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"), ("http", b"\x16\x03\x01\x00\x05hello")):
        with contextlib.closing(made.wiring.open("internet")) as connection:
            connection.settimeout(5)
            connection.connect(made.wiring.target("internet", address, ports[scheme]))
            connection.sendall(data)
            assert answer(connection).status == 400
    assert browser.get(made.url("/api/v1/x")).status == 200


def test_a_client_of_http_1_0_gets_no_chunks(running: tuple[World, Browser]) -> None:
    """The body ends with the connection."""
    made, browser = running
    made.target.send(b"one ", b"two", b"")
    data = head(made, "GET", STREAM, [cookies(browser)]).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    response = exchange(made, data)
    assert (response.status, response.text) == (200, "one two")
    assert response.headers["transfer-encoding"] is None


def test_without_a_host_a_request_is_refused(running: tuple[World, Browser]) -> None:
    """HTTP/1.1 requires it."""
    made, _ = running
    assert exchange(made, b"GET / HTTP/1.1\r\n\r\n").status == 400


def test_an_invalid_chunk_size_is_refused(running: tuple[World, Browser]) -> None:
    """The target may have seen the request's beginning; the client gets 400."""
    made, browser = running
    data = head(made, "POST", "/api/v1/x", [cookies(browser), ("transfer-encoding", "chunked")]) + b"three\r\nabc\r\n"
    assert exchange(made, data).status == 400


def test_a_client_that_waits_is_asked_to_continue(running: tuple[World, Browser]) -> None:
    """By the load balancer; the target gets the whole request without ``expect``."""
    made, browser = running
    headers = [cookies(browser), ("expect", "100-continue"), ("content-length", "5")]
    with contextlib.closing(made.browser().connect(made.url("/"))) as connection:
        connection.sendall(head(made, "POST", "/api/v1/x", headers))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert answer(connection).status == 200
    received = made.target.requests[-1]
    assert (received.body, received.value("expect")) == (b"hello", None)


def test_a_chunked_body_arrives_as_it_was_sent(running: tuple[World, Browser]) -> None:
    """With the requests after it on the same connection."""
    made, browser = running
    with contextlib.closing(made.browser().connect(made.url("/"))) as connection:
        for _ in range(2):
            connection.sendall(head(made, "POST", "/api/v1/x", [cookies(browser), ("transfer-encoding", "chunked")]))
            connection.sendall(b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
            assert answer(connection).status == 200
            assert made.target.requests[-1].body == b"abcdefg"


def test_a_client_that_goes_silent_is_cut_off(prod: Stack) -> None:
    """408 within a body; between two requests the connection just ends."""
    with world(prod.changed(prod.one(BALANCER), idleTimeout=1)) as made:
        browser = made.member()
        with contextlib.closing(made.browser().connect(made.url("/"))) as connection:
            connection.sendall(head(made, "GET", "/api/v1/x", [cookies(browser)]))
            assert answer(connection).status == 200
            connection.settimeout(3)
            assert connection.recv(1) == b""
        data = head(made, "POST", "/api/v1/x", [cookies(browser), ("content-length", "20000")]) + b"x" * 10_000
        assert exchange(made, data).status == 408


def test_the_keep_alive_duration_ends_a_connection(prod: Stack) -> None:
    """One more request is answered, and its response closes the connection."""
    with world(prod) as made:
        browser = made.member()
        with contextlib.closing(made.browser().connect(made.url("/"))) as connection:
            for ahead, wanted in ((0, "keep-alive"), (float(made.stack.one(BALANCER)["clientKeepAlive"]) + 1, "close")):
                # Between the two the load balancer already waits for the request that will be the last.
                made.clock.ahead = ahead
                sent = [cookies(browser)]
                connection.sendall(head(made, "GET", "/api/v1/x", sent))
                assert answer(connection).headers["connection"] == wanted
