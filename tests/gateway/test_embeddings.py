"""Embeddings: the vectors of Bedrock's embedding models, without the guardrail, and for these models only."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from components.gateway.task_definition import CONTAINERS, TRANSLATOR
from local.aws.embeddings import DIMENSIONS, vector
from tests.gateway.program import CONVERSE, EMBEDDING_MODELS, TITAN
from tests.gateway.world import ANSWER_SECONDS, EMBEDDINGS, GROUP, World

every_model = pytest.mark.parametrize("model", EMBEDDING_MODELS)
TEXTS = ["the harbour at night", "a list of prices"]


@every_model
def test_each_text_gets_its_vector_in_order(gateway: World, model: str) -> None:
    answer = gateway.embed(TEXTS, model)
    assert answer.status == 200, answer.body
    found = sorted(answer.json["data"], key=lambda one: one["index"])
    assert [one["embedding"] for one in found] == [vector(text) for text in TEXTS]
    assert {len(one["embedding"]) for one in found} == {DIMENSIONS}
    assert answer.json["model"] == model
    assert gateway.refusals.entries == []


@every_model
def test_a_parameter_that_the_model_does_not_have_is_left_out(gateway: World, model: str) -> None:
    assert gateway.embed(TEXTS, model, user="ann@example.com", encoding_format="float").status == 200


def test_a_chat_model_embeds_nothing(gateway: World) -> None:
    answer = gateway.embed(TEXTS, CONVERSE)
    assert answer.status >= 400, answer.body


def test_an_embedding_model_chats_with_no_one(gateway: World) -> None:
    answer = gateway.ask("hello", TITAN)
    assert answer.status >= 400, answer.body


def test_each_group_has_its_own_operation_only(gateway: World) -> None:
    body = {"model": TITAN, "input": TEXTS}
    assert gateway.post(body, f"/{GROUP}/v1/embeddings").status == 403
    assert gateway.post({"model": TITAN, "messages": []}, f"/{EMBEDDINGS}/v1/chat/completions").status == 403


def test_usage_is_counted_and_no_log_has_a_text(gateway: World) -> None:
    secret = "the merger of harbour and lighthouse"
    assert gateway.embed([secret], TITAN).status == 200
    deadline = time.monotonic() + ANSWER_SECONDS
    while not (counted := [one for one in _usage(gateway) if one["model"] == TITAN]):
        assert time.monotonic() < deadline, "no usage is logged"
        time.sleep(0.2)
    assert counted[-1]["InputTokens"] > 0
    lines = [line for container in CONTAINERS for line in gateway.logs(container)]
    assert not [line for line in lines if "lighthouse" in line]


def _usage(gateway: World) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gateway.logs(TRANSLATOR) if line.startswith("{") and '"_aws"' in line]
