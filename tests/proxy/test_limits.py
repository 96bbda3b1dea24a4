"""Both sides of every size limit, and what a path may do."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from components.proxy.configuration import ProxyLimits
from local.claims import HEADER, token
from tests.proxy import client
from tests.proxy.gateway import MEMBER, PROMPT_BYTES, SETTINGS, UPLOAD_BYTES, Gateway, gateway, header

if TYPE_CHECKING:
    from pathlib import Path

    from local.certificate import Certificate
    from local.server import Server

UPLOAD = "/api/v1/files/"


@pytest.mark.parametrize(
    ("path", "limit"), [("/api/chat", PROMPT_BYTES), (UPLOAD, UPLOAD_BYTES), (UPLOAD + "x/content", UPLOAD_BYTES)]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_of_exactly_the_limit_passes_and_one_byte_more_is_413(
    proxy: Gateway, server: Server, path: str, limit: int, method: str
) -> None:
    assert proxy.arrived(method, path, body=b"x" * limit)["body_bytes"] == limit
    before = len(server.received)
    answer = proxy.send(method, path, [("content-length", str(limit + 1))])
    assert (answer.status, len(server.received)) == (413, before)
    assert str(limit).encode() in answer.body


@pytest.mark.parametrize(
    "length",
    ["99999999999999999999", str(2**63 - 1), str(2**63), str(2**64), str(2**64 + 10), "-1", "1e9", "0x10", "1,1", ""],
)
def test_a_length_that_no_number_holds_never_reaches_the_application(
    proxy: Gateway, server: Server, length: str
) -> None:
    before = len(server.received)
    assert proxy.send("POST", "/api/chat", [("content-length", length)], b"x").status in {400, 411, 413}
    assert len(server.received) == before


def test_two_lengths_never_reach_the_application(proxy: Gateway, server: Server) -> None:
    before = len(server.received)
    assert proxy.send("POST", "/", [("content-length", "1"), ("content-length", "100")], b"x").status == 400
    assert len(server.received) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("path", ["/api/chat", UPLOAD])
def test_a_chunked_body_is_411_whatever_the_method(proxy: Gateway, server: Server, method: str, path: str) -> None:
    before = len(server.received)
    answer = proxy.send(method, path, [("transfer-encoding", "chunked")], b"5\r\nhello\r\n0\r\n\r\n")
    assert (answer.status, len(server.received)) == (411, before)


def test_an_oversized_chunked_body_is_411_before_it_is_sent(proxy: Gateway) -> None:
    with client.opened(proxy.settings.port) as connection:
        headers = {HEADER: proxy.token(MEMBER), "transfer-encoding": "chunked"}
        connection.sendall(client.head("POST", "/api/chat", headers) + b"ffffff\r\n" + b"x" * 1000)
        assert client.read_answer(connection).status == 411


def test_a_length_beside_chunks_is_refused(proxy: Gateway, server: Server) -> None:
    before = len(server.received)
    smuggled = [("content-length", "5"), ("transfer-encoding", "chunked")]
    assert proxy.send("POST", "/", smuggled, b"0\r\n\r\nGET /secret HTTP/1.1\r\n\r\n").status in {400, 411}
    assert len(server.received) == before


NOMINATED = {
    "its length": {"content-length": "{}", "connection": "content-length"},
    "its length, in other letters": {"content-length": "{}", "connection": "close, Content-Length"},
    "its length, with an invalid upgrade": {"content-length": "{}", "connection": "upgraded, content-length"},
    "its length, with an upgrade to nothing": {"content-length": "{}", "connection": "upgrade, content-length"},
    "its length, with a protocol that it does not ask for": {
        "content-length": "{}",
        "connection": "content-length",
        "upgrade": "websocket",
    },
    "its length, with an upgrade": {
        "content-length": "{}",
        "connection": "upgrade, content-length",
        "upgrade": "websocket",
    },
    "its chunks": {"transfer-encoding": "chunked", "connection": "transfer-encoding"},
}


def nominated(name: str, body: bytes) -> tuple[dict[str, str], bytes]:
    """A header that Envoy removes before a route sees it, and the body as it says."""
    headers = {key: value.format(len(body)) for key, value in NOMINATED[name].items()}
    return headers, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if "transfer-encoding" in headers else body


@pytest.mark.parametrize("name", NOMINATED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "POST"])
@pytest.mark.parametrize("target", ["/api/chat", UPLOAD, "/ws/", "/static/app.js", "/static/..%2Fapi/chat"])
def test_a_body_whose_framing_is_named_as_the_connections_own_never_reaches_the_application(
    proxy: Gateway, server: Server, name: str, method: str, target: str
) -> None:
    headers, body = nominated(name, b"hidden")
    before = len(server.received)
    answer = client.send(proxy.settings.port, method, target, [(HEADER, proxy.token(MEMBER)), *headers.items()], body)
    assert answer.status in (400, 403, 411, 413)
    assert len(server.received) == before


@pytest.mark.parametrize("name", NOMINATED)
def test_the_health_route_takes_no_hidden_body_either(proxy: Gateway, server: Server, name: str) -> None:
    headers, body = nominated(name, b"hidden")
    before = len(server.received)
    assert client.send(proxy.settings.port, "GET", "/health", headers.items(), body, host="10.0.0.1").status >= 400
    assert len(server.received) == before


def test_a_hidden_body_of_many_megabytes_is_cut_off(proxy: Gateway, server: Server) -> None:
    before = len(server.received)
    headers = {HEADER: proxy.token(MEMBER), "content-length": str(10 * UPLOAD_BYTES), "connection": "content-length"}
    body = b"x" * (10 * UPLOAD_BYTES)
    with client.opened(proxy.settings.port) as connection:
        connection.sendall(client.head("GET", "/api/chat", headers))
        with pytest.raises(OSError, match=r"."):
            connection.sendall(body)
    assert len(server.received) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_method_with_a_body_needs_a_length(proxy: Gateway, method: str) -> None:
    assert proxy.send(method, "/").status == 411
    assert proxy.arrived(method, "/", [("content-length", "0")])["body_bytes"] == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_a_method_without_a_body_needs_none(proxy: Gateway, method: str) -> None:
    assert proxy.send(method, "/").status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/files/", 200),
        ("//api/v1/files/", 200),
        ("/api/v1/%66iles/", 200),
        ("/api/./v1/files/", 200),
        ("/api/v1/files/../chat", 413),
        ("/api/v1/chat/%2e%2e/files/", 200),
        ("/api/v1/files/%2e%2e/chat", 413),
        ("/api/v1/files/..\\..\\chat", 413),
        ("/api/v1/files/..%2f..%2Fchat", 413),
        ("/api/v1/files/..%5C..%5cchat", 413),
        ("/api/v1/files%2F", 413),
        ("/api/chat?then=/api/v1/files/", 413),
        ("/api/v1/files/?name=a%2Fb", 200),
        ("/API/V1/FILES/", 413),
        ("/api/v1/filesystem", 413),
        ("/x/api/v1/files/", 413),
    ],
)
def test_only_the_upload_path_has_the_upload_limit_however_it_is_written(
    proxy: Gateway, path: str, status: int
) -> None:
    assert proxy.send("POST", path, body=b"x" * (PROMPT_BYTES + 1)).status == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PROPFIND", "TRACE"])
def test_a_body_above_the_limit_is_413_whatever_the_method(proxy: Gateway, server: Server, method: str) -> None:
    before = len(server.received)
    answer = proxy.send(method, "/api/chat", [("content-length", str(PROMPT_BYTES + 1))])
    assert (answer.status, len(server.received)) == (413, before)


@pytest.mark.parametrize("method", ["FOO", "get", "CONNECT", "G\x00T", ""])
def test_an_invalid_method_never_reaches_the_application(proxy: Gateway, server: Server, method: str) -> None:
    before = len(server.received)
    assert proxy.send(method, "/api/chat").status in {400, 404}
    assert len(server.received) == before


@pytest.mark.parametrize(
    "framing", ["gzip, chunked", "identity", "xchunked", "chunked, identity", "", "chunked\r\ntransfer-encoding: gzip"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_framing_that_nobody_agreed_on_never_reaches_the_application(
    proxy: Gateway, server: Server, method: str, framing: str
) -> None:
    before = len(server.received)
    answer = proxy.send(method, "/", [("transfer-encoding", framing)], b"5\r\nhello\r\n0\r\n\r\n")
    assert (answer.status, len(server.received)) == (501, before)


def interim_and_final(proxy: Gateway, headers: dict[str, str], body: bytes) -> tuple[bytes, int]:
    """Send a request that waits for ``100 Continue`` and return both answers."""
    expecting = {HEADER: proxy.token(MEMBER), "expect": "100-continue", **headers}
    with client.opened(proxy.settings.port) as connection:
        connection.sendall(client.head("POST", "/api/chat", expecting))
        interim = b""
        while not interim.endswith(b"\r\n\r\n"):
            interim += connection.recv(1)
        if body:
            connection.sendall(body)
        return interim.split(b"\r\n")[0], client.read_answer(connection).status


def test_a_client_that_waits_to_be_told_is_told_and_its_body_passes(proxy: Gateway, server: Server) -> None:
    assert interim_and_final(proxy, {"content-length": "4"}, b"body") == (b"HTTP/1.1 100 Continue", 200)
    assert server.received[-1].body == b"body"


@pytest.mark.parametrize(
    ("framing", "status"),
    [({"content-length": str(PROMPT_BYTES + 1)}, 413), ({"transfer-encoding": "chunked"}, 411)],
)
def test_waiting_to_be_told_gets_no_larger_body_in(
    proxy: Gateway, server: Server, framing: dict[str, str], status: int
) -> None:
    before = len(server.received)
    assert interim_and_final(proxy, framing, b"")[1] == status
    assert len(server.received) == before


def test_http_1_0_is_refused(proxy: Gateway, server: Server) -> None:
    before = len(server.received)
    head = client.head("POST", "/", {HEADER: proxy.token(MEMBER)}).replace(b"HTTP/1.1", b"HTTP/1.0")
    with client.opened(proxy.settings.port) as connection:
        connection.sendall(head + b"a body without an end")
        assert client.read_answer(connection).status == 426
    assert len(server.received) == before


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://chat.example.com/api/chat", 413),
        ("https://chat.example.com//api/v1/%66iles/", 200),
        ("http://other.example.com/api/v1/files/", 404),
    ],
)
def test_a_target_with_a_host_has_the_limits_of_its_path_and_host(proxy: Gateway, target: str, status: int) -> None:
    assert proxy.send("POST", target, body=b"x" * (PROMPT_BYTES + 1)).status == status


def test_what_follows_a_refused_body_on_the_connection_is_no_request(proxy: Gateway, server: Server) -> None:
    before = len(server.received)
    headers = {HEADER: proxy.token(MEMBER)}
    refused = client.head("POST", "/api/chat", {**headers, "content-length": str(PROMPT_BYTES + 1)})
    with client.opened(proxy.settings.port) as connection:
        connection.sendall(refused + client.head("GET", "/smuggled", headers))
        assert client.read_answer(connection).status == 413
        assert connection.recv(100) == b""
    assert len(server.received) == before


def test_headers_up_to_the_limit_pass_and_more_are_431(proxy: Gateway) -> None:
    def status(total: int) -> int:
        return proxy.send("GET", "/", [(f"x-fill-{n}", "v" * 1000) for n in range(total // 1020)]).status

    assert status(28 * 1024) == 200
    assert status(34 * 1024) == 431


@pytest.mark.parametrize("header_bytes", [0, 1000, 9215, 32_769])
def test_a_header_limit_that_envoy_would_round_is_refused(header_bytes: int) -> None:
    with pytest.raises(ValueError, match=f"header_bytes {header_bytes}: Envoy's limit is in whole KiB"):
        ProxyLimits(header_bytes=header_bytes)


def test_more_than_a_hundred_headers_are_431(proxy: Gateway) -> None:
    assert proxy.send("GET", "/", [(f"x-{n}", "v") for n in range(120)]).status == 431


def test_plain_http_gets_nothing(proxy: Gateway) -> None:
    with client.opened(proxy.settings.port, tls=False) as connection:
        connection.sendall(client.head("GET", "/", {}))
        assert connection.recv(100)[:4] != b"HTTP"


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.7", "127.0.0.1", "::1", "203.0.113.9, 10.0.0.7", "unknown"])
def test_the_load_balancers_client_address_reaches_the_application_unchanged(proxy: Gateway, address: str) -> None:
    forwarded = [("x-forwarded-for", address), ("x-forwarded-proto", "https"), ("x-forwarded-port", "443")]
    seen = proxy.arrived("GET", "/", forwarded)
    assert header(seen, "x-forwarded-for") == [address]
    assert header(seen, "x-forwarded-proto") == ["https"]
    assert [name for name, _ in seen["headers"] if name.startswith("x-envoy")] == []


def test_the_request_arrives_as_it_was_sent(proxy: Gateway) -> None:
    body = json.dumps({"model": "m", "messages": ["ä" * 1000]}, ensure_ascii=False).encode()
    headers = [("content-type", "application/json"), ("accept-encoding", "gzip, br"), ("cookie", "token=a; theme=dark")]
    seen = proxy.arrived("POST", "/api/chat?x=%2F%20&y=1", headers, body)
    assert seen["target"] == "/api/chat?x=%2F%20&y=1"
    assert seen["body_bytes"] == len(body)
    assert header(seen, "host") == [client.HOST]
    assert {name: header(seen, name) for name, _ in headers} == {name: [value] for name, value in headers}


def test_connections_beyond_the_limit_are_closed_and_others_go_on(
    server: Server, certificate: Certificate, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, limits=replace(SETTINGS.limits, maximum_connections=2))
    head = client.head("GET", "/", {HEADER: token(SETTINGS.identity, MEMBER)})
    with gateway(settings, server.port, certificate, tmp_path) as small:
        with client.opened(small.settings.port) as first, client.opened(small.settings.port) as second:
            with pytest.raises(OSError, match=r"EOF|reset"), client.opened(small.settings.port) as third:
                third.sendall(head)
            for connection in (first, second):
                connection.sendall(head)
                assert client.read_answer(connection).status == 200
        time.sleep(0.2)
        assert small.send("GET", "/").status == 200
