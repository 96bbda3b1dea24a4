"""Converse and ConverseStream: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html."""

from __future__ import annotations

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

WHOLE, STREAM = "converse", "converse-stream"
_FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}


def request(asked: Body, guardrail: Mapping[str, str] | None) -> tuple[dict[str, Any], dict[str, str]]:
    """Body and headers."""
    messages = [
        {"role": role, "content": [block for one in turn for block in _blocks(one)]} for role, turn in turns(asked)
    ]
    inference = {
        "maxTokens": limit_of(asked),
        "temperature": asked.get("temperature"),
        "topP": asked.get("top_p"),
        "stopSequences": stops_of(asked) or None,
    }
    body = {
        "messages": messages,
        "system": [{"text": one} for one in system_of(asked)],
        "inferenceConfig": {key: value for key, value in inference.items() if value is not None},
    }
    if tools := tools_of(asked):
        specs = [
            {
                "name": one["name"],
                "description": one.get("description") or one["name"],
                "inputSchema": {"json": schema_of(one)},
            }
            for one in tools
        ]
        body["toolConfig"] = {"tools": [{"toolSpec": one} for one in specs]}
        if chosen(asked):
            body["toolConfig"]["toolChoice"] = {"any": {}}
    if guardrail:
        body["guardrailConfig"] = dict(guardrail)
    return body, {}


def _blocks(message: Body) -> list[dict[str, Any]]:
    if message["role"] == TOOL:
        result = {"toolUseId": message["tool_call_id"], "content": [{"text": text_of(message.get("content"))}]}
        return [{"toolResult": result}]
    found: list[dict[str, Any]] = [
        {"text": one} if isinstance(one, str) else {"image": {"format": one[0], "source": {"bytes": one[1]}}}
        for one in contents(message.get("content"))
    ]
    return found + [
        {"toolUse": {"toolUseId": one.id, "name": one.name, "input": arguments(one)}} for one in calls_of(message)
    ]


def whole(answer: Body) -> list[Fragment]:
    """The answer to Converse."""
    found: list[Fragment] = []
    for block in answer["output"]["message"]["content"]:
        if "text" in block:
            found.append(Fragment(text=str(block["text"])))
        if tool := block.get("toolUse"):
            found.append(Fragment(tool=CalledTool(tool["toolUseId"], tool["name"], json.dumps(tool["input"]))))
    return [*found, Fragment(finish=_FINISHES.get(answer["stopReason"], "stop")), _usage(answer["usage"])]


def fragments(kind: str, event: Body) -> list[Fragment]:
    """The parts of an answer in one event of ConverseStream."""
    if kind == "contentBlockStart" and (tool := event.get("start", {}).get("toolUse")):
        return [Fragment(tool=CalledTool(tool["toolUseId"], tool["name"], ""))]
    if kind == "contentBlockDelta":
        delta = event["delta"]
        return [Fragment(text=delta.get("text") or "", arguments=delta.get("toolUse", {}).get("input") or "")]
    if kind == "messageStop":
        return [Fragment(finish=_FINISHES.get(event["stopReason"], "stop"))]
    return [_usage(event["usage"])] if kind == "metadata" else []


def _usage(usage: Body) -> Fragment:
    return Fragment(prompt_tokens=int(usage["inputTokens"]), completion_tokens=int(usage["outputTokens"]))
