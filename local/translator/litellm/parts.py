"""The parts of a Chat Completions request and of its answer that both of Bedrock's APIs have."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

Body = Mapping[str, Any]
SYSTEM, TOOL, ASSISTANT, USER = ("system", "developer"), "tool", "assistant", "user"


class InvalidRequestError(Exception):
    """A request that no model can answer; the message states the problem."""


@dataclass(frozen=True)
class CalledTool:
    """A call of a tool, or its beginning in a stream."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Fragment:
    """A part of an answer: a whole one has a single part."""

    text: str = ""
    tool: CalledTool | None = None
    arguments: str = ""
    """More of the arguments of the tool that was called last."""
    finish: str = ""
    """``stop``, ``length``, ``tool_calls`` or ``content_filter``."""
    prompt_tokens: int = 0
    completion_tokens: int = 0


def text_of(content: object) -> str:
    """The text of a message's content."""
    if not isinstance(content, list):
        return str(content or "")
    return " ".join(str(one["text"]) for one in cast("list[Body]", content) if one.get("type") == "text")


def contents(content: object) -> Iterator[str | tuple[str, str]]:
    """The parts of a message's content: text, or an image's format and its base64 content."""
    if not isinstance(content, list):
        if content:
            yield str(content)
        return
    for one in cast("list[Body]", content):
        if one.get("type") == "text":
            yield str(one["text"])
        elif one.get("type") == "image_url":
            yield _image(str(one["image_url"]["url"]))
        else:
            raise InvalidRequestError("a content part is neither text nor image_url")


def _image(url: str) -> tuple[str, str]:
    head, _, data = url.partition(";base64,")
    kind = head.removeprefix("data:image/")
    try:
        base64.b64decode(data, validate=True)
    except binascii.Error:
        raise InvalidRequestError("image_url is not a data URL with base64") from None
    if kind == head or not data:
        raise InvalidRequestError("image_url is not a data URL of an image")
    return kind, data


def calls_of(message: Body) -> list[CalledTool]:
    """The calls of tools in an assistant's message."""
    called = cast("Sequence[Body]", message.get("tool_calls") or ())
    return [CalledTool(one["id"], one["function"]["name"], one["function"]["arguments"] or "{}") for one in called]


def tools_of(asked: Body) -> list[Body]:
    """The offered functions."""
    found = cast("Sequence[Body]", asked.get("tools") or ())
    if any(one.get("type") != "function" for one in found):
        raise InvalidRequestError("a tool is not a function")
    return [one["function"] for one in found]


def schema_of(function: Body) -> Body:
    """The schema of a function's arguments: without one, it has none."""
    nothing: Body = {"type": "object", "properties": {}}
    return function.get("parameters") or nothing


def limit_of(asked: Body) -> int | None:
    """The maximum number of tokens in the answer."""
    found = asked.get("max_completion_tokens") or asked.get("max_tokens")
    return int(found) if found else None


def stops_of(asked: Body) -> list[str]:
    """Where the answer stops."""
    found: str | list[str] = asked.get("stop") or []
    return [found] if isinstance(found, str) else found


def chosen(asked: Body) -> str:
    """``any`` if a tool has to be called, otherwise empty."""
    return "any" if asked.get("tool_choice") == "required" else ""


def system_of(asked: Body) -> list[str]:
    """The instructions."""
    return [text_of(one.get("content")) for one in asked["messages"] if one["role"] in SYSTEM]


def turns(asked: Body) -> Iterator[tuple[str, list[Body]]]:
    """Role and messages of each turn: Bedrock's APIs want the roles to alternate, and results of tools are the user's."""
    role, messages = "", list[Body]()
    for one in cast("Sequence[Body]", asked["messages"]):
        if one["role"] in SYSTEM:
            continue
        now = ASSISTANT if one["role"] == ASSISTANT else USER
        if messages and now != role:
            yield role, messages
            messages = []
        role = now
        messages.append(one)
    if messages:
        yield role, messages


def arguments(called: CalledTool) -> Any:  # noqa: ANN401 - JSON
    """The arguments of a call."""
    return json.loads(called.arguments)
