"""What the log says of a model call: whose it is, which request caused it, how many tokens it used; and what leaves the task."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from components.proxy import ProxyModelGroup, ProxyUpstream
from components.proxy.common import CALLER, USER
from local.certificate import self_signed
from tests.proxy.gateway import MEMBER, SETTINGS, Gateway, gateway, user_id
from tests.proxy.models import Model, model

if TYPE_CHECKING:
    from collections.abc import Generator

    from local.certificate import Certificate
    from local.server import Server

HOST, PROGRAMS = "llm.example.internal", "api.example.com"
CHAT = "/general/v1/chat/completions"
TRACE = "Root=1-67891233-abcdef012345678912345678"
TOKEN = ("authorization", "Bearer x")
USAGE = {"prompt_tokens": 1234, "completion_tokens": 56, "total_tokens": 1290}


@pytest.fixture(scope="module")
def running(
    server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[Gateway, Model]]:
    authority = self_signed(HOST)
    with model("only", authority) as one:
        upstream = ProxyUpstream(
            name="only",
            host_name=HOST,
            address="127.0.0.1",
            port=one.server.port,
            ca_certificate=authority.certificate,
        )
        settings = replace(
            SETTINGS,
            application=replace(SETTINGS.application, caller_header="user-agent"),
            model_groups=(ProxyModelGroup(name="general", models=("m",), upstreams=(upstream,)),),
            machine_host_names=(PROGRAMS,),
        )
        with gateway(settings, server.port, certificate, tmp_path_factory.mktemp("calls")) as proxy:
            yield proxy, one


def next_line(proxy: Gateway, before: int) -> dict[str, Any]:
    """The line after so many others."""
    deadline = time.monotonic() + 10
    while len(lines := proxy.logged()) <= before:
        assert time.monotonic() < deadline, lines
        time.sleep(0.05)
    return lines[before]


def settled(proxy: Gateway) -> int:
    """How many lines the log has once everything sent before is in it."""
    proxy.send("GET", "/", [("x-amzn-trace-id", mark := f"Root=1-{time.time_ns():x}")])
    deadline = time.monotonic() + 10
    while not any(line["request_id"] == mark[:40] for line in proxy.logged()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return len(proxy.logged())


def called(running: tuple[Gateway, Model], parts: list[bytes], *headers: tuple[str, str]) -> dict[str, Any]:
    """The log's line of one call that this answer got, which arrived as it was sent."""
    proxy, one = running
    before = settled(proxy)
    one.behaviour = parts
    answer = proxy.model("POST", CHAT, headers, b"{}")
    assert (answer.status, answer.body) == (200, b"".join(parts))
    return next_line(proxy, before)


def event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


TEXTS = [event({"choices": [{"delta": {"content": f"word {n}"}}], "usage": None}) for n in range(200)]
LAST = event({"id": "x", "model": "m", "choices": [], "usage": USAGE})
DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("parts", "tokens"),
    [
        ([json.dumps({"choices": [], "usage": USAGE}).encode()], (1234, 56)),
        ([json.dumps({"choices": [{"message": {"content": "w" * 90_000}}], "usage": USAGE}).encode()], (1234, 56)),
        ([json.dumps({"data": [], "usage": {"prompt_tokens": 7, "total_tokens": 7}}).encode()], (7, 0)),
        ([*TEXTS, LAST, DONE], (1234, 56)),
        ([*TEXTS, *(LAST[n : n + 1] for n in range(len(LAST))), DONE], (1234, 56)),
        ([b"".join([*TEXTS, LAST, DONE])], (1234, 56)),
        ([*TEXTS, event({"usage": {**USAGE, "prompt_tokens_details": {"cached_tokens": 3}}}), DONE], (1234, 56)),
        ([*TEXTS, DONE], (None, None)),
        ([event({"choices": [{"delta": {"content": '"usage": {"prompt_tokens": 9}'}}]}), DONE], (None, None)),
        ([b"\x00\xff" * 5000], (None, None)),
        ([], (None, None)),
    ],
    ids=[
        "whole",
        "long",
        "embeddings",
        "stream",
        "byte by byte",
        "one part",
        "details",
        "not asked",
        "forged",
        "binary",
        "empty",
    ],
)
def test_a_line_has_the_tokens_of_an_answer_that_states_them(
    running: tuple[Gateway, Model], parts: list[bytes], tokens: tuple[int | None, int | None]
) -> None:
    line = called(running, parts)
    assert (line["input_tokens"], line["output_tokens"]) == tokens


def test_the_headers_that_the_application_gets_make_its_call_traceable_to_user_and_request(
    running: tuple[Gateway, Model],
) -> None:
    proxy, one = running
    ann = {**MEMBER, "email": "Ann@Example.com"}
    seen = dict(
        proxy.arrived("GET", "/", [("x-amzn-trace-id", TRACE), ("user-agent", "Browser")], claims=ann)["headers"]
    )

    line = called(running, [b"{}"], (CALLER, seen["user-agent"]))

    assert (line["user"], line["request_id"]) == (user_id("ann@example.com"), TRACE)
    arrived = dict(one.received[-1].headers)
    assert arrived["x-request-id"] == TRACE
    assert not {CALLER, USER} & set(arrived)
    assert line["user"] not in json.dumps(list(arrived.items()))


@pytest.mark.parametrize(
    "caller", ["", "ann@example.com Root=1-2-3", "Mozilla/5.0 (X11)", f"{user_id('a@b.c')}", f"{user_id('a@b.c')} a b"]
)
def test_what_is_not_a_user_id_and_a_request_id_is_not_logged(running: tuple[Gateway, Model], caller: str) -> None:
    line = called(running, [b"{}"], (CALLER, caller), (USER, "ann@example.com"), ("x-request-id", "ann@example.com"))
    assert line["user"] is None
    assert "@" not in line["request_id"]
    assert CALLER not in dict(running[1].received[-1].headers)


def test_a_client_cannot_choose_its_id(running: tuple[Gateway, Model]) -> None:
    proxy, _ = running
    before = settled(proxy)
    seen = proxy.arrived("GET", "/", [(USER, "0" * 16), (CALLER, f"{'0' * 16} x")])["headers"]
    assert [value for key, value in seen if key == USER] == [user_id(MEMBER["email"])]
    assert CALLER not in dict(seen)
    assert next_line(proxy, before)["user"] == user_id(MEMBER["email"])


def test_a_programs_call_has_its_tokens_and_its_request_but_no_user(running: tuple[Gateway, Model]) -> None:
    proxy, one = running
    before, one.behaviour = settled(proxy), [LAST, DONE]
    answer = proxy.send("POST", CHAT, [TOKEN, ("x-amzn-trace-id", TRACE)], b"{}", claims=None, host=PROGRAMS)
    assert (answer.status, dict(answer.headers)["x-request-id"]) == (200, TRACE)
    line = next_line(proxy, before)
    assert (line["request_id"], line["user"]) == (TRACE, None)
    assert (line["input_tokens"], line["output_tokens"]) == (1234, 56)


def test_the_model_server_is_asked_for_an_answer_that_is_not_compressed(running: tuple[Gateway, Model]) -> None:
    called(running, [b"{}"], ("accept-encoding", "gzip, br"))
    assert [value for key, value in running[1].received[-1].headers if key == "accept-encoding"] == ["identity"]


REFUSALS: list[tuple[str, str, list[tuple[str, str]], dict[str, str] | None, int]] = [
    ("GET", "/", [], None, 401),
    ("GET", "/", [], {"email": "ann@outside.test"}, 403),
    ("POST", "/", [("content-length", "9999999999")], MEMBER, 413),
    ("POST", "/", [("transfer-encoding", "chunked")], MEMBER, 411),
    ("GET", "/logout", [], MEMBER, 302),
    ("GET", "/ws/", [("connection", "Upgrade"), ("upgrade", "x")], MEMBER, 403),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_the_browser_gets_the_id_with_every_refusal(
    running: tuple[Gateway, Model], refusal: tuple[str, str, list[tuple[str, str]], dict[str, str] | None, int]
) -> None:
    method, target, headers, claims, status = refusal
    answer = running[0].send(method, target, [*headers, ("x-amzn-trace-id", TRACE)], claims=claims)
    assert (answer.status, dict(answer.headers)["x-request-id"]) == (status, TRACE)


@pytest.mark.parametrize("bad", [("bad header", "x"), ("x_bad", "x"), ("x-long", "x" * 70_000)])
def test_a_request_whose_headers_are_refused_has_no_id_but_a_connection_and_the_reason(
    running: tuple[Gateway, Model], bad: tuple[str, str]
) -> None:
    proxy, _ = running
    before = settled(proxy)
    answer = proxy.send("GET", "/", [("x-amzn-trace-id", TRACE), bad])
    assert answer.status in {400, 431}
    line = next_line(proxy, before)
    assert (line["request_id"], line["user"], line["status"]) == (None, None, answer.status)
    assert line["connection"] > 0
    assert (line["flags"], line["detail"]) != ("-", None)
