"""What is too much at once, or cannot even be looked up, is answered at once."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import select
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from components.proxy import ProxyModelGroup, ProxyUpstream
from local.certificate import self_signed
from tests.proxy import client
from tests.proxy.gateway import PROMPT_BYTES, SETTINGS, Gateway, gateway
from tests.proxy.models import SILENT, SLOW, Model, model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.certificate import Certificate
    from local.server import Server
    from tests.proxy.client import Answer

HOST = "llm.example.internal"
CHAT = "/general/v1/chat/completions"
MODEL_REQUESTS, MODEL_RETRIES = 4, 1
SMALL_MEMORY_BYTES = 64 * 1024 * 1024


@pytest.fixture
def small(server: Server, certificate: Certificate, tmp_path: Path) -> Iterator[tuple[Gateway, Model, Model]]:
    """A proxy with little room for models, and the two upstreams of its group."""
    authority = self_signed(HOST)
    with model("first", authority) as first, model("second", authority) as second:

        def upstream(one: Model) -> ProxyUpstream:
            return ProxyUpstream(
                name=one.name,
                host_name=HOST,
                address="127.0.0.1",
                port=one.server.port,
                ca_certificate=authority.certificate,
            )

        lost = ProxyUpstream(name="lost", host_name="nowhere.invalid", ca_certificate=authority.certificate)
        groups = (
            ProxyModelGroup(name="general", models=("m",), upstreams=(upstream(first), upstream(second))),
            ProxyModelGroup(name="lost", models=("m",), upstreams=(lost,)),
        )
        limits = replace(SETTINGS.limits, model_requests=MODEL_REQUESTS, model_retries=MODEL_RETRIES)
        settings = replace(SETTINGS, limits=limits, model_groups=groups)
        with gateway(settings, server.port, certificate, tmp_path) as proxy:
            yield proxy, first, second


def ask(proxy: Gateway, count: int) -> list[Answer]:
    """Ask for this many completions at the same time."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(proxy.model, "POST", CHAT, [], b"{}") for _ in range(count)]
        return [one.result() for one in asked]


def test_more_requests_than_the_limit_get_a_clear_503_at_once_and_the_others_their_answer(
    small: tuple[Gateway, Model, Model],
) -> None:
    proxy, first, _ = small
    first.behaviour = SLOW
    answers = ask(proxy, MODEL_REQUESTS + 3)
    assert sorted(answer.status for answer in answers) == [200] * MODEL_REQUESTS + [503] * 3
    refused = next(answer for answer in answers if answer.status == 503)
    assert json.loads(refused.body)["error"]["type"] == "upstream_unavailable"
    assert proxy.model("POST", CHAT, [], b"{}").status == 200


def test_without_a_retry_left_the_failing_upstreams_answer_is_passed_on(small: tuple[Gateway, Model, Model]) -> None:
    proxy, first, second = small
    first.behaviour, second.behaviour = 500, SLOW
    answers = ask(proxy, MODEL_REQUESTS)
    assert sorted(answer.status for answer in answers) == [200] * MODEL_RETRIES + [500] * 3
    assert len(second.received) == MODEL_RETRIES


def test_prompts_that_were_accepted_and_together_exceed_the_memory_are_refused_while_they_arrive(
    server: Server, certificate: Certificate, tmp_path: Path
) -> None:
    authority = self_signed(HOST)
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(model("silent", authority))
        silent.behaviour = SILENT
        upstream = ProxyUpstream(
            name="silent",
            host_name=HOST,
            address="127.0.0.1",
            port=silent.server.port,
            ca_certificate=authority.certificate,
        )
        group = ProxyModelGroup(name="general", models=("m",), upstreams=(upstream,))
        settings = replace(SETTINGS, memory_bytes=SMALL_MEMORY_BYTES, model_groups=(group,))
        proxy = stack.enter_context(gateway(settings, server.port, certificate, tmp_path))
        prompts = [
            stack.enter_context(client.opened(proxy.settings.model_port, tls=False))
            for _ in range(2 * SMALL_MEMORY_BYTES // PROMPT_BYTES)
        ]
        for prompt in prompts:
            prompt.sendall(client.head("POST", CHAT, {"content-length": str(PROMPT_BYTES)}))
        time.sleep(0.5)  # all are accepted: nothing has arrived yet that takes memory
        for prompt in prompts:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                prompt.sendall(b"x" * PROMPT_BYTES)
        time.sleep(1)
        answered, _, _ = select.select(prompts, [], [], 0)
        assert answered, "every prompt was taken"
        for prompt in answered:
            answer = client.read_answer(prompt)
            assert answer.status == 503
            assert json.loads(answer.body)["error"]["type"] == "upstream_unavailable"
        for prompt in prompts:
            prompt.close()
        deadline = time.monotonic() + 10
        while proxy.send("GET", "/").status != 200:
            assert time.monotonic() < deadline, "the memory is not given back"
            time.sleep(0.1)


def test_an_upstream_whose_name_is_unknown_is_a_clear_503_at_once(small: tuple[Gateway, Model, Model]) -> None:
    proxy, _, _ = small
    started = time.monotonic()
    answer = proxy.model("POST", "/lost/v1/chat/completions", [], b"{}")
    assert time.monotonic() - started < 3
    assert answer.status == 503
    assert json.loads(answer.body)["error"]["type"] == "upstream_unavailable"
