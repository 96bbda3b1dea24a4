"""Chat Completions come out of Bedrock's own APIs as they went in: text, streams, tools, images, parameters."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from typing import Any

import pytest

from local.aws.chat import Behaviour
from local.aws.turns import DIGEST_DIGITS
from tests.gateway.program import MODELS, NOVA
from tests.gateway.world import World

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""One pixel."""
every_model = pytest.mark.parametrize("model", MODELS)


def tool(name: str = "weather") -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
    return {"type": "function", "function": {"name": name, "description": "a tool", "parameters": parameters}}


@every_model
def test_a_question_is_answered_with_its_usage(gateway: World, model: str) -> None:
    answer = gateway.ask("why is the sky blue", model)
    assert (answer.status, answer.text) == (200, "You said: why is the sky blue")
    usage = answer.json["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (5, 7, 12)
    assert (answer.json["model"], answer.json["choices"][0]["finish_reason"]) == (model, "stop")
    assert gateway.refusals.entries == []


@every_model
def test_a_stream_arrives_word_by_word(gateway: World, model: str) -> None:
    gateway.bedrock.behave(model, Behaviour(seconds_a_word=0.3))
    told = list(gateway.stream("tell me more", model, stream_options={"include_usage": True}))
    arrived = [at for at, one in told if one["choices"] and one["choices"][0]["delta"].get("content")]
    words = [one["choices"][0]["delta"].get("content") or "" for _, one in told if one["choices"]]
    assert "".join(words) == "You said: tell me more"
    # Were the answer collected first, the words would arrive together.
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrived)]
    assert len(arrived) == 5
    assert sum(gap > 0.15 for gap in gaps) >= 3, gaps
    (usage,) = [one["usage"] for _, one in told if one.get("usage")]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (3, 5)


@every_model
def test_a_tool_is_called_and_its_result_returns(gateway: World, model: str) -> None:
    called = gateway.ask("weather in Lisbon", model, tools=[tool()])
    choice = called.json["choices"][0]
    assert choice["finish_reason"] == "tool_calls", called.body
    (call,) = choice["message"]["tool_calls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == (
        "weather",
        {"place": "weather in Lisbon"},
    )
    result = {"role": "tool", "tool_call_id": call["id"], "content": "18 degrees and clear"}
    asked = {"role": "user", "content": "weather in Lisbon"}
    told = gateway.post({"model": model, "messages": [asked, choice["message"], result], "tools": [tool()]})
    assert (told.status, told.text) == (200, "The tool returned: 18 degrees and clear")


@every_model
def test_a_streamed_call_of_a_tool_has_all_of_its_arguments(gateway: World, model: str) -> None:
    told = [one for _, one in gateway.stream("weather in Porto", model, tools=[tool()])]
    deltas: list[dict[str, Any]] = [choice["delta"] for one in told for choice in one["choices"]]
    calls: list[list[dict[str, Any]]] = [delta["tool_calls"] for delta in deltas if delta.get("tool_calls")]
    parts: list[dict[str, str]] = [part["function"] for listed in calls for part in listed]
    assert next(one["name"] for one in parts if one.get("name")) == "weather"
    arguments = "".join(one.get("arguments") or "" for one in parts)
    assert json.loads(arguments) == {"place": "weather in Porto"}
    assert [c["finish_reason"] for one in told for c in one["choices"] if c.get("finish_reason")] == ["tool_calls"]


@every_model
def test_an_image_arrives_byte_for_byte(gateway: World, model: str) -> None:
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    content = [{"type": "text", "text": "what is this"}, {"type": "image_url", "image_url": {"url": url}}]
    answer = gateway.ask(content, model)
    digest = hashlib.sha256(PNG).hexdigest()[:DIGEST_DIGITS]
    assert (answer.status, answer.text) == (200, f"You said: what is this [png {digest}]")


@every_model
def test_the_limit_of_an_answer_is_passed_on(gateway: World, model: str) -> None:
    choice = gateway.ask("one two three four", model, max_tokens=3).json["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("You said: one", "length")


def test_a_parameter_that_a_model_does_not_have_is_left_out(gateway: World) -> None:
    answer = gateway.ask("hello", NOVA, frequency_penalty=0.5, seed=1, logit_bias={"1": 2}, user="someone")
    assert (answer.status, answer.text) == (200, "You said: hello")
