"""An application that fails: its own answers pass as they are, its silence and absence get a clear one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from local.claims import HEADER
from local.ports import held_ports
from tests.proxy import client
from tests.proxy.gateway import MEMBER, SETTINGS, Gateway, gateway

if TYPE_CHECKING:
    from pathlib import Path

    from local.certificate import Certificate
    from local.server import Server


@pytest.mark.parametrize("status", [400, 404, 429, 500, 501, 502, 503, 504])
def test_the_applications_own_refusal_passes_as_it_is(proxy: Gateway, status: int) -> None:
    answer = proxy.send("GET", f"/status?code={status}")
    assert (answer.status, answer.body, answer.value("retry-after")) == (status, b"of the application", "7")


def test_an_application_that_is_not_there_is_a_clear_503_at_once(certificate: Certificate, tmp_path: Path) -> None:
    with held_ports(0) as (closed,), gateway(SETTINGS, closed, certificate, tmp_path) as proxy:
        started = time.monotonic()
        answer = proxy.send("GET", "/")
        assert time.monotonic() - started < 1
        assert answer.status == 503
        assert answer.body == b"The application does not answer. Try again in a moment.\n"
        assert answer.value("cache-control") == "no-store"
        # So that the load balancer takes the task out.
        assert proxy.send("GET", "/health", claims=None, host="10.0.0.1").status == 503


def test_an_answer_that_breaks_off_shows_as_broken_and_is_not_repeated(proxy: Gateway) -> None:
    with client.opened(proxy.settings.port) as connection:
        connection.sendall(client.head("GET", "/breaks-off", {HEADER: proxy.token(MEMBER)}))
        received = b""
        while data := connection.recv(65_536):
            received += data
    assert received.endswith(b"5\r\nhello\r\n")
    assert received.count(b"hello") == 1


def test_an_application_that_hangs_up_before_it_answers_is_asked_once(proxy: Gateway, server: Server) -> None:
    before = len(server.received)
    assert proxy.send("POST", "/hangs-up", body=b"order").status == 503
    assert len(server.received) == before + 1
