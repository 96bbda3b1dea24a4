"""Responses that take their time: passed on as they come, both ways, and what ends them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

import pytest

from local.edge import TargetState
from local.stack import Stack
from tests.local.edge.raw import cookies, head
from tests.local.edge.target import BROKEN, SLOW, STREAM, UPGRADE
from tests.local.edge.world import BALANCER, GROUP, World, world


def _soon(condition: Callable[[], object], seconds: float = 5) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_each_token_arrives_before_the_next_one_is_sent(edge: World) -> None:
    """Nothing waits for more."""
    browser = edge.member()
    edge.target.send(b"one ")
    with browser.open("GET", edge.url(STREAM)) as response:
        assert response.read1(100) == b"one "
        edge.target.send(b"two ")
        assert response.read1(100) == b"two "
        edge.target.send(b"")
        assert response.read() == b""


def test_an_upload_reaches_the_target_piece_by_piece(edge: World) -> None:
    """A body beyond the inspected window is not collected first: the target's response may come before its end."""
    browser = edge.member()
    with contextlib.closing(edge.browser().connect(edge.url("/"))) as connection:
        sent = [cookies(browser), ("transfer-encoding", "chunked")]
        connection.sendall(head(edge, "POST", "/api/v1/x", sent) + b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        view = edge.registered[0].views
        assert _soon(lambda: sum(one.outstanding for one in view.values()) == 1)
        connection.sendall(b"0\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
    assert edge.target.requests[-1].body == b"x" * 0x4000


def test_a_websocket_goes_both_ways(edge: World) -> None:
    """After 101 bytes pass as they are; the access log has one line for it, when it is over."""
    browser = edge.member()
    upgrade = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")]
    with contextlib.closing(edge.browser().connect(edge.url("/"))) as connection:
        connection.sendall(head(edge, "GET", f"{UPGRADE}?ws", [cookies(browser), *upgrade]))
        start = connection.recv(4096)
        assert start.startswith(b"HTTP/1.1 101 ")
        assert b"upgrade: websocket" in start.lower()
        for text in (b"\x81\x85one", b"\x00\xff"):
            connection.sendall(text)
            assert connection.recv(100) == b"echo " + text
    assert edge.line(f"{UPGRADE}?ws").startswith("wss ")
    assert edge.target.requests[-1].value("sec-websocket-key")
    assert _soon(lambda: edge.target.gone == [UPGRADE])


def test_a_websocket_without_a_session_is_401(edge: World) -> None:
    """Like any API path."""
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    assert edge.browser().get(edge.url(UPGRADE), upgrade).status == 401


def test_a_client_that_leaves_ends_the_stream_at_the_target(edge: World) -> None:
    """At once: that is how a generation is stopped."""
    browser = edge.member()
    edge.target.send(b"one ")
    with browser.open("GET", edge.url(STREAM)) as response:
        assert response.read1(100) == b"one "
    assert _soon(lambda: edge.target.gone == [STREAM], 2)


def test_a_client_that_leaves_before_the_response_is_460(edge: World) -> None:
    """In the log and the metric; the target's connection is closed."""
    browser = edge.member()
    with contextlib.closing(edge.browser().connect(edge.url("/"))) as connection:
        connection.sendall(head(edge, "GET", f"{SLOW}?left", [cookies(browser)]))
        assert _soon(lambda: edge.target.requests[-1].target.startswith(SLOW))
    assert " 460 - " in edge.line(f"{SLOW}?left")
    assert edge.balancer_sum("HTTPCode_ELB_4XX_Count") == 1


def test_a_target_that_is_silent_is_504(prod: Stack) -> None:
    """After the idle timeout, with the property that set it."""
    with world(prod.changed(prod.one(BALANCER), idleTimeout=1)) as made:
        assert made.member().get(made.url(SLOW)).status == 504
        assert made.balancer_sum("HTTPCode_ELB_504_Count") == 1
        assert "idleTimeout" in made.causes()


def test_a_stream_lives_as_long_as_bytes_pass(prod: Stack) -> None:
    """The idle timeout counts from the last byte, not from the request."""
    stack = prod.changed(prod.one(BALANCER), idleTimeout=1)
    with world(stack) as made, made.member().open("GET", made.url(STREAM)) as response:
        for _ in range(5):
            made.target.send(b"on ")
            assert response.read1(100) == b"on "
            time.sleep(0.4)
        made.target.send(b"")
        assert response.read() == b""


def test_a_target_that_breaks_off_does_not_look_complete(edge: World) -> None:
    """The client's connection ends too."""
    with edge.member().open("GET", edge.url(BROKEN)) as response, pytest.raises(Exception, match="IncompleteRead"):
        response.read()
    assert "the connection was closed during the response: 502" in edge.causes()


def test_a_deregistered_target_finishes_its_streams(prod: Stack) -> None:
    """It gets no further request; a stream that is open goes on."""
    with world(prod, targets=2) as made:
        browser = made.member()
        made.targets[0].send(b"one ")
        made.targets[1].send(b"one ")
        with browser.open("GET", made.url(STREAM)) as response:
            assert response.read1(100) == b"one "
            (serving,) = [one for one in made.targets if one.requests and one.requests[-1].target == STREAM]
            index = made.targets.index(serving)
            made.edge.deregister(made.registered[index])
            assert made.edge.states(made.registered[index]) == {TargetState.DRAINING}
            for _ in range(6):
                assert browser.get(made.url("/api/v1/x")).status == 200
            assert serving.requests[-1].target == STREAM
            serving.send(b"two ", b"")
            assert response.read() == b"two "
        made.edge.deregister(made.registered[index], wait=True)
        assert made.registered[index] not in made.edge.group.targets


def test_a_load_balancer_that_stops_waits_for_no_target(prod: Stack) -> None:
    """Whoever waits for a target to be drained goes on, and so does whoever comes later."""
    with world(prod) as made, made.member().open("GET", made.url(STREAM)) as response:
        made.target.send(b"one ")
        assert response.read1(100) == b"one "
        waiting = threading.Thread(target=made.edge.deregister, args=(made.registered[0],), kwargs={"wait": True})
        waiting.start()
        assert _soon(lambda: made.edge.states(made.registered[0]) == {TargetState.DRAINING})
        made.edge.__exit__(None, None, None)
        waiting.join(5)
        assert not waiting.is_alive()
        made.edge.deregister(made.registered[0], wait=True)


def test_the_deregistration_delay_cuts_what_is_still_open(prod: Stack) -> None:
    """The declared one, by the clock; the cause names it."""
    with world(prod) as made:
        delay = made.stack.one(GROUP)["deregistrationDelay"]
        with made.member().open("GET", made.url(STREAM)) as response:
            made.target.send(b"one ")
            assert response.read1(100) == b"one "
            made.edge.deregister(made.registered[0])
            made.clock.ahead = delay - 5
            time.sleep(0.1)
            made.target.send(b"two ")
            assert response.read1(100) == b"two "
            made.clock.ahead = delay + 1
            with pytest.raises(Exception, match=r"IncompleteRead|reset|EOF"):
                response.read()
        assert f"deregistrationDelay {delay}" in made.causes()
        assert made.browser().get(made.url("/api/v1/x")).status == 401
        assert not made.edge.group.targets
