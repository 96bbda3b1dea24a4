"""Anthropic's Messages by InvokeModel and InvokeModelWithResponseStream: how a turn arrives, and how it is answered.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.aws.chat import NotAQuestionError, Question
from local.aws.event_stream import event
from local.aws.turns import Tool, Turn

Body = Mapping[str, Any]
VERSION = "bedrock-2023-05-31"
IDENTIFIER_HEADER, VERSION_HEADER = "x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion"


def read(model: str, body: bytes, headers: Mapping[str, str], *, stream: bool) -> Turn:
    """The turn of a request; ``NotAQuestionError`` names the problem. ``headers`` name the guardrail."""
    try:
        asked: Body = json.loads(body)
        if asked.get("anthropic_version") != VERSION:
            raise NotAQuestionError(f"anthropic_version is {asked.get('anthropic_version')}, not {VERSION}")
        messages = [(str(one["role"]), _blocks(one["content"])) for one in asked["messages"]]
        system = _text(_blocks(asked.get("system") or []))
        last = messages[-1][1]
        named = headers.get(IDENTIFIER_HEADER)
        return Turn(
            Question(
                model,
                (*((("system", system),) if system else ()), *((role, _text(blocks)) for role, blocks in messages)),
                stream,
                usage_in_stream=True,
                limit=int(asked["max_tokens"]),
            ),
            tools=[Tool(str(one["name"]), one["input_schema"]) for one in asked.get("tools") or ()],
            images=[_image(one["source"]) for one in last if one["type"] == "image"],
            tool_results=[_text(_blocks(one["content"])) for one in last if one["type"] == "tool_result"],
            guardrail=(named, headers.get(VERSION_HEADER, "")) if named else None,
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotAQuestionError(f"not a Messages request: {type(error).__name__} {error}") from None


def _blocks(content: str | Sequence[Body]) -> Sequence[Body]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _text(blocks: Sequence[Body]) -> str:
    return " ".join(str(one["text"]) for one in blocks if one["type"] == "text")


def _image(source: Body) -> tuple[str, bytes]:
    return str(source["media_type"]).removeprefix("image/"), base64.b64decode(str(source["data"]), validate=True)


def whole(turn: Turn) -> dict[str, object]:
    """The answer to InvokeModel."""
    words, cut = turn.told()
    content: list[dict[str, object]] = [{"type": "text", "text": " ".join(words)}] if words else []
    if tool := turn.called:
        content.append({"type": "tool_use", "id": "toolu_1", "name": tool.name, "input": tool.input(turn.text)})
    return {
        **_message(turn),
        "content": content,
        "stop_reason": _stop(turn, cut=cut),
        "usage": {"input_tokens": turn.question.tokens, "output_tokens": len(words)},
    }


def events(turn: Turn) -> Iterator[bytes]:
    """The answer to InvokeModelWithResponseStream: Anthropic's events, each inside a chunk of AWS's stream."""
    words, cut = turn.told()
    usage = {"input_tokens": turn.question.tokens, "output_tokens": 0}
    yield _chunk({"type": "message_start", "message": {**_message(turn), "content": [], "usage": usage}})
    tool = turn.called
    block: dict[str, object] = (
        {"type": "tool_use", "id": "toolu_1", "name": tool.name, "input": {}} if tool else {"type": "text", "text": ""}
    )
    yield _chunk({"type": "content_block_start", "index": 0, "content_block": block})
    for number, word in enumerate(words):
        text = word if number == 0 else f" {word}"
        yield _chunk({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
    if tool:
        part = {"type": "input_json_delta", "partial_json": json.dumps(tool.input(turn.text))}
        yield _chunk({"type": "content_block_delta", "index": 0, "delta": part})
    yield _chunk({"type": "content_block_stop", "index": 0})
    ended = {"stop_reason": _stop(turn, cut=cut), "stop_sequence": None}
    yield _chunk({"type": "message_delta", "delta": ended, "usage": {"output_tokens": len(words)}})
    yield _chunk({"type": "message_stop"})


def _message(turn: Turn) -> dict[str, object]:
    known = {"id": "msg_1", "type": "message", "role": "assistant", "model": turn.question.model}
    return {**known, "stop_reason": None, "stop_sequence": None}


def _chunk(content: Mapping[str, object]) -> bytes:
    return event("chunk", {"bytes": base64.b64encode(json.dumps(content).encode()).decode()})


def _stop(turn: Turn, *, cut: bool) -> str:
    return "tool_use" if turn.called else "max_tokens" if cut else "end_turn"
