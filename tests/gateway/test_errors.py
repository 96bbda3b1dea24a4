"""Errors of Bedrock reach the application as what they are, and a caller cannot turn anything off."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from local.aws.bedrock import GUARDRAIL
from local.aws.chat import Behaviour
from tests.gateway.direct import to_gateway, trusted
from tests.gateway.program import CONVERSE, MESSAGES, MODELS
from tests.gateway.world import StreamError, World

SETTLED_SECONDS = 1.0
every_api = pytest.mark.parametrize("model", [CONVERSE, MESSAGES])


@pytest.mark.parametrize("status", [429, 503])
@every_api
def test_a_throttle_and_an_outage_keep_their_status(gateway: World, model: str, status: int) -> None:
    gateway.bedrock.behave(model, Behaviour(status=status))
    assert gateway.ask("hello", model).status == status


@every_api
def test_an_error_of_one_model_does_not_stop_it_for_the_next_caller(gateway: World, model: str) -> None:
    """No cooldown: with one, LiteLLM refuses every call for a while after a few errors."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]}).encode()

    def status() -> int:
        # Straight to the gateway: the interface's proxy ejects an upstream that fails.
        return to_gateway(gateway, trusted(gateway), "/v1/chat/completions", body=body)[0]

    gateway.bedrock.behave(model, Behaviour(status=500))
    assert all(status() >= 500 for _ in range(6))
    gateway.bedrock.behave(model, None)
    assert status() == 200


@every_api
def test_a_stream_that_breaks_does_not_look_complete(gateway: World, model: str) -> None:
    gateway.bedrock.behave(model, Behaviour(seconds_a_word=0.01, breaks_after=3))
    try:
        told = [one for _, one in gateway.stream("one two three four five six", model)]
    except (OSError, ValueError, StreamError):
        return
    choices: list[list[dict[str, Any]]] = [one.get("choices", []) for one in told]
    ended = [choice.get("finish_reason") for listed in choices for choice in listed]
    assert "stop" not in ended or any("error" in one for one in told), told


@every_api
def test_a_silent_model_ends_within_the_idle_time(gateway: World, model: str) -> None:
    gateway.bedrock.behave(model, Behaviour(hangs_after=0))
    begun = time.monotonic()
    answer = gateway.ask("hello", model)
    assert answer.status in (408, 503, 504)
    assert time.monotonic() - begun < 28


def calls_of_bedrock(gateway: World) -> int:
    """The number of metrics of calls, once no earlier call adds to it: an answer arrives before it is counted."""
    while True:
        before = len(gateway.bedrock.metrics.data)
        time.sleep(SETTLED_SECONDS)
        if len(gateway.bedrock.metrics.data) == before:
            return before


@pytest.mark.parametrize("model", ["gpt-4o", "bedrock/converse/anthropic.claude-v2", "anthropic.claude-v2", "*"])
def test_an_undeclared_model_is_refused_and_bedrock_is_not_asked(gateway: World, model: str) -> None:
    # A call that an earlier test left hanging may still end; a call for this request would be counted every time.
    for _ in range(5):
        calls = calls_of_bedrock(gateway)
        assert gateway.ask("hello", model).status in (400, 403, 404)
        if calls_of_bedrock(gateway) == calls:
            return
    pytest.fail("Bedrock is called")


@every_api
def test_another_guardrail_or_its_draft_is_denied_by_the_roles_policy(gateway: World, model: str) -> None:
    guardrail = gateway.stack.one(GUARDRAIL)
    draft = {"guardrailIdentifier": guardrail["guardrailId"], "guardrailVersion": "DRAFT"}
    answer = gateway.ask("hello", model, guardrailConfig=draft)
    assert answer.status >= 400
    assert any("RefuseDraftGuardrails" in str(one) for one in gateway.refusals.entries), gateway.refusals.entries


@every_api
@pytest.mark.parametrize("empty", [None, {}])
def test_a_call_without_a_guardrail_is_denied(gateway: World, model: str, empty: object) -> None:
    answer = gateway.ask("hello", model, guardrailConfig=empty)
    if answer.status == 200:  # then LiteLLM used the declared one
        assert gateway.refusals.entries == []
    else:
        assert answer.status >= 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_base", "https://elsewhere.example.com"),
        ("base_url", "https://elsewhere.example.com"),
        ("aws_bedrock_runtime_endpoint", "https://elsewhere.example.com"),
        ("aws_region_name", "us-east-1"),
        ("aws_role_name", "arn:aws:iam::111122223333:role/other"),
        ("aws_access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("model_list", [{"model_name": "m", "litellm_params": {"model": "openai/gpt-4o"}}]),
        ("callbacks", ["langfuse"]),
        ("success_callback", ["langfuse"]),
        ("fallbacks", ["openai/gpt-4o"]),
        ("mock_response", "not from Bedrock"),
    ],
)
def test_a_caller_cannot_send_a_prompt_elsewhere(gateway: World, name: str, value: object) -> None:
    """Whatever LiteLLM makes of it, nothing but Bedrock's endpoint is looked up or called."""
    answer = gateway.ask("hello", CONVERSE, **{name: value})
    asked = [str(one) for one in gateway.refusals.entries if str(one).startswith("dns")]
    assert asked == []
    assert answer.status >= 400 or answer.text in ("You said: hello", "not from Bedrock")


def test_sizes_are_limited_before_anything_is_read(gateway: World) -> None:
    body = (
        b'{"model": "'
        + CONVERSE.encode()
        + b'", "messages": [{"role": "user", "content": "'
        + b"x" * 3_000_000
        + b'"}]}'
    )
    assert gateway.post(body).status == 413


def test_every_model_is_offered() -> None:
    assert {"converse", "invoke"} == set(MODELS.values())
