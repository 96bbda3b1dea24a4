"""What each request counts: the metric filters of the recorded stack, evaluated on the lines that the real Envoy writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from preflight.conform.documented.model import mapping
from preflight.conform.filter_patterns import matches, published
from preflight.conform.log_filters import FILTER, log_formats
from tests.preflight.conform.graphs import program
from tests.proxy import client
from tests.proxy.gateway import PROMPT_BYTES, Gateway
from tests.proxy.model_path import BODY, CHAT, EJECTED_AFTER, Path
from tests.proxy.models import RESET_IN_ANSWER

NAMESPACE = "ai-interface/proxy"
PRIVATE = "/private/v1/chat/completions"
FLUSHED_SECONDS = 1.3
ADDRESS = "10.20.1.7:8443"
CALLED = {"ModelCalls"}
ANSWERED = {*CALLED, "ModelFirstByte"}
FAILED = {*CALLED, "ModelFailures"}
IN = {"Requests"}


def counted(line: dict[str, Any]) -> set[str]:
    """The metrics for which a line has a value."""
    found: set[str] = set()
    for one in program("staging").of_type(FILTER):
        made = mapping(one.inputs["metricTransformation"])
        if made["namespace"] == NAMESPACE and matches(one.inputs["pattern"], line):
            assert published(made, line) is not None, (one.name, line)
            found.add(str(made["name"]))
    return found


def lines_of(proxy: Gateway, *sends: Callable[[], object]) -> list[dict[str, Any]]:
    """The lines of these requests, which are sent one after the other."""
    # Envoy writes its lines once a second: those of earlier requests may still be missing.
    time.sleep(FLUSHED_SECONDS)
    before = len(proxy.logged())
    for send in sends:
        send()
    deadline = time.monotonic() + 10
    while len(proxy.logged()) < before + len(sends):
        assert time.monotonic() < deadline, proxy.logged()[before:]
        time.sleep(0.1)
    return proxy.logged()[before:]


def chat(path: Path, first: int | str, second: int | str = 200, target: str = CHAT) -> Callable[[], object]:
    def send() -> object:
        path.first.behaviour, path.second.behaviour, path.private.behaviour = first, second, first
        return path.chat(target)

    return send


def cut(path: Path) -> Callable[[], object]:
    """A stream that breaks off."""

    def send() -> None:
        path.private.behaviour = RESET_IN_ANSWER
        with client.opened(path.proxy.settings.model_port, tls=False) as connection:
            connection.sendall(client.head("POST", PRIVATE, {"content-length": "2"}) + b"{}")
            while connection.recv(65_536):
                pass

    return send


def test_a_model_call_counts_what_the_user_experiences(path: Path) -> None:
    proxy = path.proxy
    table: list[tuple[Callable[[], object], set[str]]] = [
        (chat(path, 200), ANSWERED),
        (chat(path, 503), {*ANSWERED, "ModelRetries"}),
        (lambda: path.chat("/refused/v1/chat/completions"), {*ANSWERED, "ModelRetries"}),
        (chat(path, 400), CALLED),
        (chat(path, 403, target=PRIVATE), FAILED),
        (chat(path, 429, target=PRIVATE), {*FAILED, "ModelRetries", "ModelThrottled"}),
        (cut(path), {*FAILED, "ModelFirstByte"}),
        (lambda: proxy.model("POST", "/absent/v1/chat/completions", [], BODY), set()),
        (lambda: proxy.model("GET", "/general/v1/models"), set()),
        (lambda: proxy.model("POST", CHAT, [("content-length", str(PROMPT_BYTES + 1))]), CALLED),
    ]
    lines = lines_of(proxy, *(send for send, _ in table))
    assert [counted(line) for line in lines] == [expected for _, expected in table], lines


def test_a_group_without_a_server_is_unreachable(path: Path) -> None:
    lines = lines_of(path.proxy, *[chat(path, 503, target=PRIVATE)] * (EJECTED_AFTER + 1))
    assert counted(lines[0]) == {*FAILED, "ModelRetries"}, lines[0]
    assert counted(lines[-1]) >= {*FAILED, "ModelUnreachable"}, lines[-1]


def test_a_request_counts_how_it_was_answered(path: Path) -> None:
    proxy = path.proxy
    too_large = [("content-length", str(PROMPT_BYTES + 1))]
    table: list[tuple[Callable[[], object], set[str]]] = [
        (lambda: proxy.send("GET", "/"), IN),
        (lambda: proxy.send("GET", "/", claims=None), {*IN, "Unauthenticated"}),
        (lambda: proxy.send("GET", "/", claims={"email": "a@outside.test"}), {*IN, "Forbidden"}),
        (lambda: proxy.send("POST", "/api/chat", too_large), {*IN, "TooLarge"}),
        (lambda: proxy.send("GET", "/health", claims=None, host=ADDRESS), set()),
    ]
    lines = lines_of(proxy, *(send for send, _ in table))
    assert [counted(line) for line in lines] == [expected for _, expected in table], lines


def test_a_line_of_the_real_envoy_has_the_fields_of_the_recorded_log_format(path: Path) -> None:
    (filter_,) = [
        one for one in program("staging").of_type(FILTER) if one.inputs["metricTransformation"]["name"] == "ModelCalls"
    ]
    formats = {str(one["side"]): set(one) for one in log_formats(program("staging"))[filter_.inputs["logGroupName"]]}
    # The tests' proxy admits machine clients, whose tokens it counts.
    tokens = {"input_tokens", "output_tokens"}
    for line in lines_of(path.proxy, path.chat, lambda: path.proxy.send("GET", "/")):
        assert set(line) - tokens == formats[line["side"]] - tokens
