"""Chat Completions: an answer that repeats the question word by word, or quotes the context in the request.

Requests, answers and chunks have OpenAI's format (https://platform.openai.com/docs/api-reference/chat), which Bedrock
offers at ``/openai/v1/chat/completions``
(https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html).
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from local.aws.http import Exchange, chunk

QUOTED_WORDS = 60
_CONTEXT = re.compile(r"<(source|context)\b[^>]*>((?:(?!<(?:source|context)\b).)*?)</\1>", re.DOTALL)
"""How an application marks what it found in documents. Where one mark is inside another, the inner one is read: the
instructions around it may name the outer one in a sentence."""
_TAG = re.compile(r"<[^>]+>")
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Behaviour:
    """The behaviour of a model until another one is set."""

    status: int = 200
    """The response status: 429 throttles, 500 and 503 fail. Any status other than 200 is returned immediately."""
    first_word_seconds: float = 0.0
    """Seconds of silence before anything is sent, including the response head."""
    seconds_a_word: float = 0.02
    hangs_after: int | None = None
    """The number of words after which the model sends nothing more but keeps the connection open; 0 is before the
    response head."""
    breaks_after: int | None = None
    """The number of words after which the connection is closed."""
    requests: int | None = None
    """The number of requests that this behaviour applies to; after them the model answers again."""


@dataclass
class Behaviours:
    """The behaviour of each model, and the default for all others."""

    default: Behaviour = field(default_factory=Behaviour)
    of: dict[str, Behaviour] = field(default_factory=dict[str, Behaviour])

    def next(self, model: str) -> Behaviour:
        """Return the model's behaviour for the request that has just arrived."""
        found = self.of.get(model)
        if found is None:
            return self.default
        if found.requests is not None:
            if found.requests <= 0:
                del self.of[model]
                return self.default
            self.of[model] = replace(found, requests=found.requests - 1)
        return found


class NotAQuestionError(Exception):
    """The body is not a chat completion request; the message states the problem."""


@dataclass(frozen=True)
class Question:
    """A chat completion request."""

    model: str
    messages: tuple[tuple[str, str], ...]
    """The role and text of each message."""
    stream: bool
    usage_in_stream: bool
    limit: int | None
    """``max_completion_tokens`` or ``max_tokens``."""

    @classmethod
    def read(cls, body: bytes) -> Question:
        """Read a request body. Raises ``NotAQuestionError`` if it is not a chat completion request."""
        try:
            asked: dict[str, Any] = json.loads(body)
            messages = tuple((str(one["role"]), _text(one.get("content"))) for one in asked["messages"])
            options: Mapping[str, Any] = asked.get("stream_options") or {}
            limit = asked.get("max_completion_tokens") or asked.get("max_tokens")
            model = asked["model"]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise NotAQuestionError(f"not a chat completion request: {type(error).__name__} {error}") from None
        if not messages:
            raise NotAQuestionError("messages is empty")
        stream = bool(asked.get("stream"))
        return cls(str(model), messages, stream, bool(options.get("include_usage")), int(limit) if limit else None)

    @property
    def tokens(self) -> int:
        """The number of tokens in the prompt; the twin counts words."""
        return sum(len(text.split()) for _, text in self.messages)

    def words(self) -> list[str]:
        """The answer."""
        texts = [text for _, text in self.messages]
        found = [_TAG.sub(" ", one[1]).split() for text in texts for one in _CONTEXT.findall(text)]
        asked = [text for role, text in self.messages if role == "user"] or texts
        question = _CONTEXT.sub(" ", asked[-1]).split()
        if found:
            return ["The", "document", "says:", *[word for one in found for word in one][:QUOTED_WORDS]]
        return ["You", "said:", *question]


def _text(content: object) -> str:
    if isinstance(content, list):
        parts = cast("list[dict[str, Any]]", content)
        return " ".join(str(one.get("text") or "") for one in parts if one.get("type") == "text")
    return str(content or "")


@dataclass(frozen=True)
class _Reply:
    """An answer to a question: its words, and why it ends."""

    question: Question
    words: Sequence[str]
    finish: str
    headers: Headers

    @classmethod
    def to(cls, question: Question, headers: Headers) -> _Reply:
        words = question.words()
        if question.limit is not None and len(words) > question.limit:
            return cls(question, words[: question.limit], "length", headers)
        return cls(question, words, "stop", headers)


@dataclass(frozen=True)
class Told:
    """The totals of an answer."""

    words: int
    first_word_seconds: float
    seconds: float
    complete: bool


async def tell(exchange: Exchange, question: Question, behaviour: Behaviour, *headers: tuple[str, str]) -> Told:
    """Send the answer at the model's pace. It ends early if the behaviour requires it."""
    started = time.monotonic()
    if behaviour.hangs_after == 0:
        await asyncio.Event().wait()
    await asyncio.sleep(behaviour.first_word_seconds)
    reply = _Reply.to(question, headers)
    first = time.monotonic() - started
    complete = await (_stream if question.stream else _whole)(exchange, reply, behaviour)
    return Told(len(reply.words), first, time.monotonic() - started, complete)


async def _whole(exchange: Exchange, reply: _Reply, behaviour: Behaviour) -> bool:
    if behaviour.breaks_after is not None:
        return False
    await asyncio.sleep(behaviour.seconds_a_word * len(reply.words))
    message = {"role": "assistant", "content": " ".join(reply.words), "refusal": None}
    choice = {"message": message, "finish_reason": reply.finish, "logprobs": None}
    whole = _object(reply.question.model, "chat.completion", _id(), choice)
    exchange.answer_json(200, {**whole, "usage": _usage(reply)}, *reply.headers)
    return True


async def _stream(exchange: Exchange, reply: _Reply, behaviour: Behaviour) -> bool:
    question, kind, identifier = reply.question, "chat.completion.chunk", _id()
    head = [("content-type", "text/event-stream"), ("transfer-encoding", "chunked"), *reply.headers]
    exchange.writer.write(("HTTP/1.1 200 OK\r\n" + "".join(f"{n}: {v}\r\n" for n, v in head) + "\r\n").encode())
    none = {"usage": None} if question.usage_in_stream else {}
    for number, word in enumerate(reply.words):
        if behaviour.hangs_after == number:
            await asyncio.Event().wait()
        if behaviour.breaks_after == number:
            return False
        delta = {"content": word if number == 0 else f" {word}", **({"role": "assistant"} if number == 0 else {})}
        one = {"delta": delta, "finish_reason": None, "logprobs": None}
        await _event(exchange, {**_object(question.model, kind, identifier, one), **none})
        await asyncio.sleep(behaviour.seconds_a_word)
    last: dict[str, object] = {"delta": {}, "finish_reason": reply.finish, "logprobs": None}
    await _event(exchange, {**_object(question.model, kind, identifier, last), **none})
    if question.usage_in_stream:
        empty: dict[str, object] = {**_object(question.model, kind, identifier, {}), "choices": []}
        await _event(exchange, {**empty, "usage": _usage(reply)})
    await chunk(exchange.writer, b"data: [DONE]\n\n")
    await chunk(exchange.writer, b"")
    return True


async def _event(exchange: Exchange, content: Mapping[str, object]) -> None:
    await chunk(exchange.writer, f"data: {json.dumps(content)}\n\n".encode())


def _object(model: str, kind: str, identifier: str, choice: Mapping[str, object]) -> dict[str, object]:
    created = int(time.time())
    return {"id": identifier, "object": kind, "created": created, "model": model, "choices": [{"index": 0, **choice}]}


def _id() -> str:
    return f"chatcmpl-{uuid.uuid4().hex}"


def _usage(reply: _Reply) -> dict[str, int]:
    asked, answered = reply.question.tokens, len(reply.words)
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}
