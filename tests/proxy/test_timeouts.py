"""Slow and silent clients are cut off; slow answers are not, until their own limit."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from local.claims import HEADER
from tests.proxy import client
from tests.proxy.gateway import MEMBER, SETTINGS, Gateway, gateway, websocket

if TYPE_CHECKING:
    from collections.abc import Generator

    from local.certificate import Certificate
    from local.server import Server

HEADERS_SECONDS, BODY_SECONDS, IDLE_SECONDS, STREAM_SECONDS, KEEP_ALIVE_SECONDS = 1, 1, 2, 3, 2
WEBSOCKET_SECONDS = 5


@pytest.fixture(scope="module")
def hurried(server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """A proxy whose limits of time are a few seconds."""
    limits = replace(
        SETTINGS.limits,
        request_headers_seconds=HEADERS_SECONDS,
        request_body_seconds=BODY_SECONDS,
        idle_seconds=IDLE_SECONDS,
        stream_seconds=STREAM_SECONDS,
        websocket_seconds=WEBSOCKET_SECONDS,
        keep_alive_seconds=KEEP_ALIVE_SECONDS,
    )
    with gateway(
        replace(SETTINGS, limits=limits, application=replace(SETTINGS.application, keep_alive_seconds=2)),
        server.port,
        certificate,
        tmp_path_factory.mktemp("hurried"),
    ) as running:
        yield running


def until_closed(connection: socket.socket) -> tuple[float, bytes]:
    """Read until the other side closes; the seconds that took, and what came."""
    started, received = time.monotonic(), b""
    try:
        while data := connection.recv(65_536):
            received += data
    except OSError:
        pass
    return time.monotonic() - started, received


def test_a_client_that_never_speaks_tls_is_cut_off(hurried: Gateway) -> None:
    with client.opened(hurried.settings.port, tls=False) as connection:
        seconds, received = until_closed(connection)
    assert received == b""
    assert HEADERS_SECONDS - 0.5 < seconds < HEADERS_SECONDS + 1.5


def test_headers_sent_drop_by_drop_are_408(hurried: Gateway) -> None:
    with client.opened(hurried.settings.port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: chat.example.com\r\n")
        started, received = time.monotonic(), b""
        connection.settimeout(0.1)
        while not received and time.monotonic() - started < 10:
            connection.sendall(b"x")
            try:
                received = connection.recv(65_536)
            except TimeoutError:
                continue
    assert received.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started < HEADERS_SECONDS + 1


def test_a_body_sent_drop_by_drop_is_408(hurried: Gateway) -> None:
    with client.opened(hurried.settings.port) as connection:
        connection.sendall(client.head("POST", "/", {HEADER: hurried.token(MEMBER), "content-length": "100000"}))
        started, received = time.monotonic(), b""
        connection.settimeout(0.1)
        while not received and time.monotonic() - started < 10:
            connection.sendall(b"x")
            try:
                received = connection.recv(65_536)
            except TimeoutError:
                continue
    assert received.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started < BODY_SECONDS + 1


def test_a_body_that_stops_is_408(hurried: Gateway) -> None:
    with client.opened(hurried.settings.port) as connection:
        connection.sendall(client.head("POST", "/", {HEADER: hurried.token(MEMBER), "content-length": "100"}) + b"x")
        assert client.read_answer(connection).status == 408


def test_an_application_that_stays_silent_is_504_after_the_idle_limit(hurried: Gateway) -> None:
    started = time.monotonic()
    assert hurried.send("GET", "/silent?seconds=20").status == 504
    assert IDLE_SECONDS - 0.5 < time.monotonic() - started < IDLE_SECONDS + 1.5


def test_an_answer_longer_than_the_request_limits_passes_whole(hurried: Gateway) -> None:
    started = time.monotonic()
    answer = hurried.send("GET", "/stream?events=5&pause=0.5")
    assert answer.body.count(b"data: ") == 5
    assert time.monotonic() - started > HEADERS_SECONDS + BODY_SECONDS


def test_an_answer_longer_than_the_stream_limit_is_cut(hurried: Gateway) -> None:
    with client.opened(hurried.settings.port) as connection:
        connection.sendall(client.head("GET", "/stream?events=100&pause=0.5", {HEADER: hurried.token(MEMBER)}))
        seconds, received = until_closed(connection)
    assert STREAM_SECONDS - 0.5 < seconds < STREAM_SECONDS + 2.5
    assert not received.endswith(b"0\r\n\r\n")


def test_a_client_that_stops_reading_is_cut_off(hurried: Gateway) -> None:
    with client.opened(hurried.settings.port) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 131_072)
        target = "/bytes?type=text/plain&size=30000000"
        connection.sendall(client.head("GET", target, {HEADER: hurried.token(MEMBER)}))
        time.sleep(IDLE_SECONDS + 1.5)
        _, received = until_closed(connection)
    assert 0 < len(received) < 30_000_000, len(received)


def test_a_websocket_outlives_the_stream_limit_and_ends_at_its_own(hurried: Gateway) -> None:
    started = time.monotonic()
    with client.opened(hurried.settings.port) as connection:
        assert websocket(hurried, connection, "/ws/").startswith(b"HTTP/1.1 101 ")
        with contextlib.suppress(OSError):
            while time.monotonic() - started < WEBSOCKET_SECONDS + 5:
                connection.sendall(b"ping")
                if not connection.recv(100):
                    break
                time.sleep(0.2)
    assert WEBSOCKET_SECONDS - 0.5 < time.monotonic() - started < WEBSOCKET_SECONDS + 2


def test_a_silent_websocket_ends_at_the_idle_limit(hurried: Gateway) -> None:
    with client.opened(hurried.settings.port) as connection:
        assert websocket(hurried, connection, "/ws/").startswith(b"HTTP/1.1 101 ")
        seconds, received = until_closed(connection)
    assert received == b""
    assert IDLE_SECONDS - 0.5 < seconds < IDLE_SECONDS + 1.5


def test_a_stream_that_falls_silent_ends_at_the_idle_limit(hurried: Gateway) -> None:
    with client.opened(hurried.settings.port) as connection:
        connection.sendall(client.head("GET", "/stream?events=2&pause=20", {HEADER: hurried.token(MEMBER)}))
        seconds, received = until_closed(connection)
    assert received.count(b"data: ") == 1
    assert IDLE_SECONDS - 0.5 < seconds < IDLE_SECONDS + 2


def test_an_idle_connection_is_kept_for_the_next_request_and_closed_in_the_end(hurried: Gateway) -> None:
    head = client.head("GET", "/", {HEADER: hurried.token(MEMBER)})
    with client.opened(hurried.settings.port) as connection:
        connection.sendall(head)
        assert client.read_answer(connection).status == 200
        time.sleep(KEEP_ALIVE_SECONDS - 1)
        connection.sendall(head)
        assert client.read_answer(connection).status == 200
        seconds, received = until_closed(connection)
    assert received == b""
    # Envoy drains an idle connection for 5 s, in which it still answers, before it closes it.
    assert KEEP_ALIVE_SECONDS - 0.5 < seconds < KEEP_ALIVE_SECONDS + 5 + 2.5


def test_a_connection_to_the_application_is_given_up_before_the_application_closes_it(
    hurried: Gateway, server: Server
) -> None:
    assert hurried.send("GET", "/").status == 200
    before = server.connections
    time.sleep(hurried.settings.application.keep_alive_seconds)
    assert hurried.send("GET", "/").status == 200
    assert server.connections > before


def test_a_proxy_without_memory_left_returns_503_instead_of_dying(
    server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = replace(SETTINGS, memory_bytes=4 * 1024 * 1024)
    with gateway(settings, server.port, certificate, tmp_path_factory.mktemp("small")) as small:
        time.sleep(0.5)
        assert small.send("GET", "/").status == 503
