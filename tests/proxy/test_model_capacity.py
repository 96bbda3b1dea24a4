"""What is too much at once, or cannot even be looked up, is answered at once."""

from __future__ import annotations

import concurrent.futures
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from components.proxy import ProxyModelGroup, ProxyUpstream
from local.certificate import self_signed
from tests.proxy.gateway import SETTINGS, Gateway, gateway
from tests.proxy.models import SLOW, Model, model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.certificate import Certificate
    from local.server import Server
    from tests.proxy.client import Answer

HOST = "llm.example.internal"
CHAT = "/general/v1/chat/completions"
MODEL_REQUESTS, MODEL_RETRIES = 4, 1


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


def test_an_upstream_whose_name_is_unknown_is_a_clear_503_at_once(small: tuple[Gateway, Model, Model]) -> None:
    proxy, _, _ = small
    started = time.monotonic()
    answer = proxy.model("POST", "/lost/v1/chat/completions", [], b"{}")
    assert time.monotonic() - started < 3
    assert answer.status == 503
    assert json.loads(answer.body)["error"]["type"] == "upstream_unavailable"
