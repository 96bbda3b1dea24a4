"""Converse and ConverseStream: how a turn arrives, and how it is answered.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
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


def read(model: str, body: bytes, headers: Mapping[str, str], *, stream: bool) -> Turn:
    """The turn of a request; ``NotAQuestionError`` names the problem. ``headers`` have no meaning here."""
    del headers
    try:
        asked: Body = json.loads(body)
        system = _text(_several(asked, "system"))
        messages = [(str(one["role"]), _several(one, "content")) for one in _several(asked, "messages")]
        limit = _part(asked, "inferenceConfig").get("maxTokens")
        tools = [one["toolSpec"] for one in _several(_part(asked, "toolConfig"), "tools") if "toolSpec" in one]
        named = _part(asked, "guardrailConfig")
        last = messages[-1][1]
        return Turn(
            Question(
                model,
                (*((("system", system),) if system else ()), *((role, _text(blocks)) for role, blocks in messages)),
                stream,
                usage_in_stream=True,
                limit=int(limit) if limit else None,
            ),
            tools=[Tool(str(one["name"]), one["inputSchema"]["json"]) for one in tools],
            images=[_image(one["image"]) for one in last if "image" in one],
            tool_results=[_text(one["toolResult"]["content"]) for one in last if "toolResult" in one],
            guardrail=(str(named["guardrailIdentifier"]), str(named["guardrailVersion"])) if named else None,
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotAQuestionError(f"not a Converse request: {type(error).__name__} {error}") from None


def _part(body: Body, key: str) -> Body:
    return body.get(key) or {}


def _several(body: Body, key: str) -> list[Body]:
    return list(body.get(key) or [])


def _text(blocks: Sequence[Body]) -> str:
    found = [one.get("text") or _guarded(one) for one in blocks]
    return " ".join(str(one) for one in found if one)


def _guarded(block: Body) -> str:
    """Text that the guardrail evaluates: a caller may mark the part of a prompt."""
    return str(_part(_part(block, "guardContent"), "text").get("text") or "")


def _image(image: Body) -> tuple[str, bytes]:
    return str(image["format"]), base64.b64decode(str(image["source"]["bytes"]), validate=True)


def whole(turn: Turn) -> dict[str, object]:
    """The answer to Converse."""
    words, cut = turn.told()
    content: list[dict[str, object]] = [{"text": " ".join(words)}] if words else []
    if tool := turn.called:
        content.append({"toolUse": {"toolUseId": "tooluse_1", "name": tool.name, "input": tool.input(turn.text)}})
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": _stop(turn, cut=cut),
        "usage": _usage(turn),
        "metrics": {"latencyMs": 1},
    }


def events(turn: Turn) -> Iterator[bytes]:
    """The answer to ConverseStream, one event a word."""
    words, cut = turn.told()
    yield event("messageStart", {"role": "assistant"})
    for number, word in enumerate(words):
        text = word if number == 0 else f" {word}"
        yield event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})
    if tool := turn.called:
        start = {"toolUse": {"toolUseId": "tooluse_1", "name": tool.name}}
        yield event("contentBlockStart", {"contentBlockIndex": 0, "start": start})
        part = {"toolUse": {"input": json.dumps(tool.input(turn.text))}}
        yield event("contentBlockDelta", {"contentBlockIndex": 0, "delta": part})
    yield event("contentBlockStop", {"contentBlockIndex": 0})
    yield event("messageStop", {"stopReason": _stop(turn, cut=cut)})
    yield event("metadata", {"usage": _usage(turn), "metrics": {"latencyMs": 1}})


def _stop(turn: Turn, *, cut: bool) -> str:
    return "tool_use" if turn.called else "max_tokens" if cut else "end_turn"


def _usage(turn: Turn) -> dict[str, int]:
    asked, answered = turn.question.tokens, len(turn.told()[0])
    return {"inputTokens": asked, "outputTokens": answered, "totalTokens": asked + answered}
