"""Models that fail: who takes over with whose signature, what is repeated and what is not, and how it ends."""

from __future__ import annotations

import concurrent.futures
import itertools
import json
import time
from pathlib import Path as LocalPath

import pytest

from tests.proxy import client
from tests.proxy.model_path import CHAT, DEADLINE_SECONDS, EJECTED_AFTER, SECOND, SECRET, Path
from tests.proxy.models import ENDLESS, PAUSE_SECONDS, PAUSES, RESET_BEFORE, RESET_IN_ANSWER, SILENT, SLOW, STALLS
from tests.proxy.sigv4 import verified

CONNECTIONS = LocalPath("/proc/net/tcp")
KEEPALIVE_TIMER = "02"
"""The kernel's number of it in ``/proc/net/tcp`` (proc(5))."""


@pytest.mark.parametrize("failure", [429, 500, 502, 503, 504, RESET_BEFORE])
def test_a_failing_upstream_is_replaced_by_the_next_with_its_own_host_and_signature(
    path: Path, failure: int | str
) -> None:
    path.first.behaviour = failure
    assert path.chat().body == b"second"
    assert (len(path.first.received), len(path.second.received)) == (1, 1)
    signed = verified(path.second.received[0], SECRET)
    assert (signed["host"], signed["region"]) == (f"{SECOND}:{path.second.server.port}", "eu-central-1")


def test_an_upstream_that_refuses_connections_is_replaced_by_the_next(path: Path) -> None:
    assert path.chat("/refused/v1/chat/completions").body == b"second"
    assert verified(path.second.received[0], SECRET)["host"] == f"{SECOND}:{path.second.server.port}"


def test_a_silent_upstream_is_replaced_after_the_idle_limit(path: Path) -> None:
    path.first.behaviour = SILENT
    started = time.monotonic()
    assert path.chat().body == b"second"
    assert 1.5 < time.monotonic() - started < 4


def test_a_single_silent_upstream_is_asked_once_and_until_the_deadline(path: Path) -> None:
    path.private.behaviour = SILENT
    started = time.monotonic()
    answer = path.chat("/private/v1/chat/completions")
    assert (answer.status, len(path.private.received)) == (504, 1)
    assert DEADLINE_SECONDS - 0.5 < time.monotonic() - started < DEADLINE_SECONDS + 1


def test_an_answer_of_a_single_upstream_may_pause_for_longer_than_the_silence_of_one_of_several(path: Path) -> None:
    path.private.behaviour = PAUSES
    assert path.proxy.settings.limits.model_idle_seconds < PAUSE_SECONDS
    assert path.chat("/private/v1/chat/completions").body == b"data: 1\ndata: 2\n"


@pytest.mark.skipif(not CONNECTIONS.exists(), reason="needs Linux, which lists the timers of connections")
def test_a_silent_connection_to_a_model_server_is_probed(path: Path) -> None:
    path.private.behaviour = PAUSES
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pending = pool.submit(path.chat, "/private/v1/chat/completions")
        deadline, timers = time.monotonic() + PAUSE_SECONDS, set[str]()
        while time.monotonic() < deadline and KEEPALIVE_TIMER not in timers:
            timers |= timers_to(path.private.server.port)
            time.sleep(0.05)
        assert pending.result().status == 200
    assert KEEPALIVE_TIMER in timers


def timers_to(port: int) -> set[str]:
    """The kernel's timers of the connections to this port, by number."""
    lines = [line.split() for line in CONNECTIONS.read_text(encoding="ascii").splitlines()[1:]]
    return {fields[5].split(":")[0] for fields in lines if int(fields[2].split(":")[1], 16) == port}


def test_a_slow_upstream_is_waited_for(path: Path) -> None:
    path.first.behaviour = SLOW
    assert path.chat().body == b"first"
    assert path.second.received == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_an_answer_that_would_be_the_same_elsewhere_is_passed_on(path: Path, status: int) -> None:
    path.first.behaviour = status
    answer = path.chat()
    assert (answer.status, answer.body, path.second.received) == (status, b"first", [])


def test_an_answer_that_breaks_off_shows_as_broken_at_once_and_is_not_repeated(path: Path) -> None:
    path.first.behaviour = RESET_IN_ANSWER
    with client.opened(path.proxy.settings.model_port, tls=False) as connection:
        connection.sendall(client.head("POST", CHAT, {"content-length": "2"}) + b"{}")
        started, received = time.monotonic(), b""
        while data := connection.recv(65_536):
            received += data
    assert time.monotonic() - started < 1.5
    assert b"data: 1" in received
    assert not received.endswith(b"0\r\n\r\n")
    assert (len(path.first.received), len(path.second.received)) == (1, 0)


def test_an_answer_that_falls_silent_is_cut_after_the_idle_limit_and_not_repeated(path: Path) -> None:
    path.first.behaviour = STALLS
    with client.opened(path.proxy.settings.model_port, tls=False) as connection:
        connection.sendall(client.head("POST", CHAT, {"content-length": "2"}) + b"{}")
        started, received = time.monotonic(), b""
        while data := connection.recv(65_536):
            received += data
    assert 1.5 < time.monotonic() - started < 3.5
    assert b"data: 1" in received
    assert not received.endswith(b"0\r\n\r\n")
    assert path.second.received == []


def test_an_answer_longer_than_the_deadline_is_cut(path: Path) -> None:
    path.first.behaviour = ENDLESS
    with client.opened(path.proxy.settings.model_port, tls=False) as connection:
        connection.sendall(client.head("POST", CHAT, {"content-length": "2"}) + b"{}")
        started, received = time.monotonic(), b""
        while data := connection.recv(65_536):
            received += data
    assert DEADLINE_SECONDS - 0.5 < time.monotonic() - started < DEADLINE_SECONDS + 1.5
    assert received.count(b"data: 1") > DEADLINE_SECONDS
    assert not received.endswith(b"0\r\n\r\n")
    assert path.second.received == []


@pytest.mark.parametrize("failure", [502, 503, 504, RESET_BEFORE])
def test_an_upstream_that_keeps_failing_is_left_alone_and_comes_back(path: Path, failure: int | str) -> None:
    path.first.behaviour = failure
    asked: list[int] = []
    for _ in range(EJECTED_AFTER + 3):
        assert path.chat().body == b"second"
        asked.append(len(path.first.received))
    assert_ejected(asked)
    path.first.behaviour = 200
    deadline = time.monotonic() + 20
    while path.chat().body != b"first":
        assert time.monotonic() < deadline
        time.sleep(0.2)


def assert_ejected(asked: list[int]) -> None:
    """From the numbers of requests that an upstream had received after each question: it failed often enough, then it is left alone.

    A worker of Envoy counts the failures, and its main thread ejects: on a busy machine, one more request gets through before.
    """
    alone = [after for before, after in itertools.pairwise(asked) if before == after]
    assert alone, asked
    assert alone[0] >= EJECTED_AFTER, asked


@pytest.mark.parametrize("status", [429, 500])
def test_what_may_be_the_askers_doing_ejects_no_one(path: Path, status: int) -> None:
    path.first.behaviour = status
    for _ in range(EJECTED_AFTER + 3):
        assert path.chat().body == b"second"
    assert len(path.first.received) == EJECTED_AFTER + 3


def test_with_every_upstream_down_the_answer_is_a_clear_503_soon(path: Path) -> None:
    path.first.behaviour = path.second.behaviour = RESET_BEFORE
    seconds: list[float] = []
    first: list[int] = []
    second: list[int] = []
    for _ in range(10):
        started = time.monotonic()
        answer = path.chat()
        seconds.append(time.monotonic() - started)
        assert answer.status == 503
        assert json.loads(answer.body)["error"]["type"] == "upstream_unavailable"
        first.append(len(path.first.received))
        second.append(len(path.second.received))
    assert max(seconds) < 3
    assert_ejected(first)
    assert_ejected(second)


def test_with_every_upstream_silent_the_answer_comes_with_the_deadline(path: Path) -> None:
    path.first.behaviour = path.second.behaviour = SILENT
    started = time.monotonic()
    answer = path.chat()
    assert time.monotonic() - started < DEADLINE_SECONDS + 1
    assert answer.status == 504
    assert json.loads(answer.body)["error"]["type"] == "upstream_unavailable"


def test_with_every_upstream_too_busy_the_last_ones_own_answer_is_passed_on(path: Path) -> None:
    path.first.behaviour = path.second.behaviour = 429
    answer = path.chat()
    # Each upstream once, and the first once more: the retries are as many as the upstreams.
    assert (answer.status, answer.body) == (429, b"first")
    assert (len(path.first.received), len(path.second.received)) == (2, 1)


def test_failover_holds_under_load(path: Path) -> None:
    path.first.behaviour = 503

    def body(_: int) -> bytes:
        return path.chat().body

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        bodies = list(pool.map(body, range(300)))
    assert bodies == [b"second"] * 300
