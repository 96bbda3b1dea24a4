"""Answers reach the client as the application writes them: in time, and to the byte."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from typing import TYPE_CHECKING

import pytest

from local.claims import HEADER
from local.server import answer as response
from tests.proxy import client
from tests.proxy.application import pattern
from tests.proxy.gateway import MEMBER, SETTINGS, Gateway, gateway, websocket

if TYPE_CHECKING:
    from pathlib import Path

    from local.certificate import Certificate

TYPES = [
    "text/html; charset=utf-8",
    "application/json",
    "application/octet-stream",
    "image/png",
    "text/event-stream",
    "application/javascript",
    "video/mp4",
]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("size", [0, 1, 1023, 65_536, 65_537, 3_000_000])
def test_an_answer_is_byte_identical(proxy: Gateway, kind: str, size: int) -> None:
    target = f"/bytes?type={kind.replace(';', '%3B').replace(' ', '%20')}&size={size}"
    answer = proxy.send("GET", target, [("accept-encoding", "gzip, br, zstd")])
    assert answer.body == pattern(size)
    assert answer.value("content-type") == kind
    assert answer.value("content-length") == str(size)
    assert answer.value("etag") == '"x"'


def test_what_is_personal_is_not_stored_and_what_is_static_may_be(proxy: Gateway) -> None:
    answer = proxy.send("GET", "/bytes?type=text/html&size=1")
    assert answer.value("cache-control") == "no-store"
    assert proxy.send("GET", "/static/app.js").values("cache-control") == []
    assert proxy.send("GET", "/static/..%2Fapi/chats").value("cache-control") == "no-store"


def test_the_answers_do_not_tell_of_the_proxy(proxy: Gateway) -> None:
    answer = proxy.send("GET", "/")
    assert answer.value("server") == "stand-in"
    assert [name for name, _ in answer.headers if name.startswith("x-envoy")] == []


def test_every_event_of_a_stream_passes_within_milliseconds(proxy: Gateway) -> None:
    delays: list[float] = []
    with client.opened(proxy.settings.port) as connection:
        connection.sendall(client.head("GET", "/stream?events=20&pause=0.02", {HEADER: proxy.token(MEMBER)}))
        rest = b""
        while not rest.endswith(b"0\r\n\r\n"):
            rest += connection.recv(65_536)
            now = time.monotonic_ns()
            while b"\n\n" in rest:
                event, _, rest = rest.partition(b"\n\n")
                delays.append((now - int(event.rsplit(b" ", 1)[1])) / 1e6)
    assert len(delays) == 20
    assert statistics.median(delays) < 10, delays


def test_an_upload_reaches_the_application_while_it_is_still_being_sent(
    certificate: Certificate, tmp_path: Path
) -> None:
    first, rest = pattern(2_000_000), pattern(2_000_001)
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        gateway(SETTINGS, listening.getsockname()[1], certificate, tmp_path) as proxy,
    ):
        listening.settimeout(10)
        with client.opened(proxy.settings.port) as connection:
            headers = {HEADER: proxy.token(MEMBER), "content-length": str(len(first) + len(rest))}
            sending = threading.Thread(
                target=connection.sendall, args=(client.head("POST", "/api/v1/files/", headers) + first,)
            )
            sending.start()
            application, _ = listening.accept()
            with application:
                application.settimeout(10)
                received = b""
                while not received.endswith(first[-100:]):
                    received += application.recv(1 << 20)
                sending.join()
                connection.sendall(rest)
                while not received.endswith(rest[-100:]):
                    received += application.recv(1 << 20)
                application.sendall(response(200))
            assert client.read_answer(connection).status == 200
    assert received.partition(b"\r\n\r\n")[2] == first + rest


def test_a_websocket_passes_and_echoes_more_than_any_body_limit(proxy: Gateway) -> None:
    sent = pattern(6 * 1024 * 1024)
    with client.opened(proxy.settings.port) as connection:
        head = websocket(proxy, connection, "/ws/socket.io/?transport=websocket")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        connection.sendall(b"ping")
        assert connection.recv(100) == b"ping"
        # One thread writes while this one reads, as a socket's two directions are independent.
        writer = threading.Thread(
            target=lambda: [connection.sendall(sent[i : i + 65_536]) for i in range(0, len(sent), 65_536)]
        )
        writer.start()
        received = b""
        while len(received) < len(sent):
            received += connection.recv(1 << 20)
        writer.join()
    assert received == sent


@pytest.mark.parametrize("path", ["/echo", "/ws", "/ws/../echo", "/ws/..%2Fecho", "/ws/..%5cecho", "/WS/"])
def test_only_the_websocket_paths_can_be_upgraded(proxy: Gateway, path: str) -> None:
    with client.opened(proxy.settings.port) as connection:
        assert websocket(proxy, connection, path).startswith(b"HTTP/1.1 403 ")


def test_a_websocket_needs_an_identity(proxy: Gateway) -> None:
    with client.opened(proxy.settings.port) as connection:
        connection.sendall(client.head("GET", "/ws/", {"connection": "Upgrade", "upgrade": "websocket"}))
        assert client.read_answer(connection).status == 401
