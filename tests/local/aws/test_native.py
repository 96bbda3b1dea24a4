"""Converse and InvokeModel behind Bedrock's endpoint, called by botocore with the gateway's role."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import botocore.exceptions  # pyright: ignore[reportMissingTypeStubs] - it has none
import pytest

from local.aws.bedrock import GUARDRAIL, GUARDRAIL_VERSION
from local.aws.chat import Behaviour
from tests.gateway.program import CONVERSE, MESSAGES, stack
from tests.local.aws.world import World, world

ClientError: Any = botocore.exceptions.ClientError
TOOL = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}


@pytest.fixture(scope="module")
def made() -> Generator[World]:
    """The endpoints of a stack with nothing but the gateway."""
    with world(stack()) as served:
        yield served


@pytest.fixture
def bedrock(made: World, tmp_path: Path) -> Generator[Any]:
    """botocore's client with the credentials of the gateway's task."""
    made.endpoints.bedrock[made.stack.region].behaviours.default = Behaviour(seconds_a_word=0)
    made.refusals.entries.clear()
    with made.client("bedrock-runtime", tmp_path) as client:
        yield client


def guardrail(made: World) -> dict[str, str]:
    identifier = str(made.stack.one(GUARDRAIL)["guardrailId"])
    version = str(made.stack.one(GUARDRAIL_VERSION)["version"])
    return {"guardrailIdentifier": identifier, "guardrailVersion": version}


def asked(made: World, question: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": [{"text": question}]}]
    return {"modelId": CONVERSE, "messages": messages, "guardrailConfig": guardrail(made)}


def messages(question: str) -> str:
    content = [{"role": "user", "content": question}]
    return json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": content})


def test_converse_answers_with_usage(made: World, bedrock: Any) -> None:  # noqa: ANN401 - botocore
    answer = bedrock.converse(**asked(made, "why is the sky blue"))
    assert answer["output"]["message"]["content"] == [{"text": "You said: why is the sky blue"}]
    assert (answer["stopReason"], answer["usage"]["totalTokens"]) == ("end_turn", 12)


def test_the_stream_of_converse_is_what_botocore_reads(made: World, bedrock: Any) -> None:  # noqa: ANN401
    events = list(bedrock.converse_stream(**asked(made, "tell me"))["stream"])
    texts = [one["contentBlockDelta"]["delta"]["text"] for one in events if "contentBlockDelta" in one]
    assert texts == ["You", " said:", " tell", " me"]
    assert [next(iter(one)) for one in events][-3:] == ["contentBlockStop", "messageStop", "metadata"]


def test_converse_calls_the_tool_that_the_question_names(made: World, bedrock: Any) -> None:  # noqa: ANN401
    tools = {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": TOOL}}}]}
    answer = bedrock.converse(**asked(made, "weather in Faro"), toolConfig=tools)
    (block,) = answer["output"]["message"]["content"]
    assert (block["toolUse"]["name"], block["toolUse"]["input"]) == ("weather", {"place": "weather in Faro"})
    assert answer["stopReason"] == "tool_use"


def test_messages_answer_whole_and_as_a_stream(made: World, bedrock: Any) -> None:  # noqa: ANN401
    named = guardrail(made)
    call = {"modelId": MESSAGES, "body": messages("hello"), **named}
    whole = json.loads(bedrock.invoke_model(**call)["body"].read())
    assert whole["content"] == [{"type": "text", "text": "You said: hello"}]
    chunks = [json.loads(one["chunk"]["bytes"]) for one in bedrock.invoke_model_with_response_stream(**call)["body"]]
    assert [one["type"] for one in chunks][:2] == ["message_start", "content_block_start"]
    assert "".join(one["delta"]["text"] for one in chunks if one["type"] == "content_block_delta") == "You said: hello"


def test_a_call_without_the_guardrail_is_denied_by_iam(made: World, bedrock: Any) -> None:  # noqa: ANN401
    call = asked(made, "hello")
    del call["guardrailConfig"]
    with pytest.raises(ClientError, match="AccessDeniedException"):
        bedrock.converse(**call)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        bedrock.invoke_model(modelId=MESSAGES, body=messages("hello"))


def test_the_draft_and_an_undeclared_model_are_denied(made: World, bedrock: Any) -> None:  # noqa: ANN401
    draft = {**guardrail(made), "guardrailVersion": "DRAFT"}
    with pytest.raises(ClientError, match="AccessDeniedException"):
        bedrock.converse(**{**asked(made, "hello"), "guardrailConfig": draft})
    with pytest.raises(ClientError, match="AccessDeniedException"):
        bedrock.converse(**{**asked(made, "hello"), "modelId": "amazon.nova-pro-v1:0"})


@pytest.mark.parametrize(("status", "code"), [(429, "ThrottlingException"), (503, "ServiceUnavailableException")])
def test_an_error_has_the_code_by_which_the_sdk_knows_it(made: World, bedrock: Any, status: int, code: str) -> None:  # noqa: ANN401
    made.endpoints.bedrock[made.stack.region].behave(CONVERSE, Behaviour(status=status))
    with pytest.raises(ClientError, match=code):
        bedrock.converse(**asked(made, "hello"))
    made.endpoints.bedrock[made.stack.region].behave(CONVERSE, None)


def test_a_body_of_another_api_is_refused(made: World, bedrock: Any) -> None:  # noqa: ANN401
    with pytest.raises(ClientError, match="anthropic_version is None"):
        bedrock.invoke_model(modelId=MESSAGES, body=json.dumps({"messages": []}), **guardrail(made))
