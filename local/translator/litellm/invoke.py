"""Anthropic's Messages by InvokeModel and InvokeModelWithResponseStream:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from .parts import (
    TOOL,
    Body,
    CalledTool,
    Fragment,
    arguments,
    calls_of,
    chosen,
    contents,
    limit_of,
    schema_of,
    stops_of,
    system_of,
    text_of,
    tools_of,
    turns,
)

WHOLE, STREAM = "invoke", "invoke-with-response-stream"
VERSION = "bedrock-2023-05-31"
DEFAULT_LIMIT = 4096
"""Messages requires ``max_tokens``."""
_FINISHES = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
_HEADERS = {
    "guardrailIdentifier": "X-Amzn-Bedrock-GuardrailIdentifier",
    "guardrailVersion": "X-Amzn-Bedrock-GuardrailVersion",
}


def request(asked: Body, guardrail: Mapping[str, str] | None) -> tuple[dict[str, Any], dict[str, str]]:
    """Body and headers, of which those of the guardrail are signed."""
    more: dict[str, Any] = {
        "system": "\n".join(system_of(asked)) or None,
        "temperature": asked.get("temperature"),
        "top_p": asked.get("top_p"),
        "stop_sequences": stops_of(asked) or None,
        "tools": [
            {
                "name": one["name"],
                "description": one.get("description") or one["name"],
                "input_schema": schema_of(one),
            }
            for one in tools_of(asked)
        ]
        or None,
        "tool_choice": {"type": "any"} if chosen(asked) else None,
    }
    body: dict[str, Any] = {
        "anthropic_version": VERSION,
        "max_tokens": limit_of(asked) or DEFAULT_LIMIT,
        "messages": [
            {"role": role, "content": [block for one in turn for block in _blocks(one)]} for role, turn in turns(asked)
        ],
        **{key: value for key, value in more.items() if value is not None},
    }
    return body, {_HEADERS[key]: value for key, value in (guardrail or {}).items() if key in _HEADERS}


def _blocks(message: Body) -> list[dict[str, Any]]:
    if message["role"] == TOOL:
        content = [{"type": "text", "text": text_of(message.get("content"))}]
        return [{"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": content}]
    found: list[dict[str, Any]] = [
        {"type": "text", "text": one}
        if isinstance(one, str)
        else {"type": "image", "source": {"type": "base64", "media_type": f"image/{one[0]}", "data": one[1]}}
        for one in contents(message.get("content"))
    ]
    return found + [
        {"type": "tool_use", "id": one.id, "name": one.name, "input": arguments(one)} for one in calls_of(message)
    ]


def whole(answer: Body) -> list[Fragment]:
    """The answer to InvokeModel."""
    found: list[Fragment] = []
    for block in answer["content"]:
        if block["type"] == "text":
            found.append(Fragment(text=str(block["text"])))
        elif block["type"] == "tool_use":
            found.append(Fragment(tool=CalledTool(block["id"], block["name"], json.dumps(block["input"]))))
    usage = answer["usage"]
    return [
        *found,
        Fragment(finish=_FINISHES.get(answer["stop_reason"], "stop")),
        Fragment(prompt_tokens=int(usage["input_tokens"]), completion_tokens=int(usage["output_tokens"])),
    ]


def fragments(kind: str, event: Body) -> list[Fragment]:
    """The parts of an answer in one event of InvokeModelWithResponseStream: a chunk has an event of Messages."""
    if kind != "chunk":
        return []
    told: Body = json.loads(base64.b64decode(event["bytes"]))
    match told["type"]:
        case "message_start":
            return [Fragment(prompt_tokens=int(told["message"]["usage"]["input_tokens"]))]
        case "content_block_start" if told["content_block"]["type"] == "tool_use":
            block = told["content_block"]
            return [Fragment(tool=CalledTool(block["id"], block["name"], ""))]
        case "content_block_delta":
            delta = told["delta"]
            return [Fragment(text=delta.get("text") or "", arguments=delta.get("partial_json") or "")]
        case "message_delta":
            tokens = int(told["usage"]["output_tokens"])
            return [Fragment(finish=_FINISHES.get(told["delta"]["stop_reason"], "stop"), completion_tokens=tokens)]
        case _:
            return []
