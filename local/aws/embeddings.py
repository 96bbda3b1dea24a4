"""Embedding models by InvokeModel: how texts arrive, and the vectors that are returned.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html and
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html

A vector follows from its text alone, so equal texts have equal vectors.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from local.aws.chat import NotAQuestionError, Question
from local.aws.turns import Turn

TITAN, COHERE = "amazon.titan-embed-text-", "cohere.embed-"
DIMENSIONS = 1024
_MOST_TEXTS = 96
_INPUT_TYPES = ("search_document", "search_query", "classification", "clustering")


def embeds(model: str) -> bool:
    """Whether the model, or the one behind an inference profile, is an embedding model."""
    return TITAN in model or COHERE in model


def read(model: str, body: bytes, headers: Mapping[str, str], *, stream: bool) -> Turn:
    """The texts of a request. Raises ``NotAQuestionError`` for a body that the model does not accept."""
    del headers
    if stream:
        raise NotAQuestionError(f"{model} has no stream")
    try:
        asked: dict[str, Any] = json.loads(body)
        texts = [asked["inputText"]] if TITAN in model else _texts(asked)
    except (ValueError, LookupError, TypeError) as error:
        raise NotAQuestionError(f"not a request for embeddings: {type(error).__name__} {error}") from None
    if not texts or not all(isinstance(one, str) and one for one in texts):
        raise NotAQuestionError("a request for embeddings needs texts that are not empty")
    messages = tuple(("user", str(one)) for one in texts)
    return Turn(Question(model, messages, stream=False, usage_in_stream=False, limit=None), embeds=True)


def _texts(asked: Mapping[str, Any]) -> list[Any]:
    if asked["input_type"] not in _INPUT_TYPES:
        raise NotAQuestionError(f"input_type is {asked['input_type']}: use {', '.join(_INPUT_TYPES)}")
    if len(asked["texts"]) > _MOST_TEXTS:
        raise NotAQuestionError(f"more than {_MOST_TEXTS} texts")
    return list(asked["texts"])


def question(body: bytes) -> Question:
    """A request for embeddings in OpenAI's format. Raises ``NotAQuestionError`` for another body."""
    try:
        asked: dict[str, Any] = json.loads(body)
        model, given = str(asked["model"]), asked["input"]
    except (ValueError, LookupError, TypeError) as error:
        raise NotAQuestionError(f"not a request for embeddings: {type(error).__name__} {error}") from None
    texts: list[Any] = [given] if isinstance(given, str) else list(given)
    if not texts or not all(isinstance(one, str) and one for one in texts):
        raise NotAQuestionError("a request for embeddings needs texts that are not empty")
    messages = tuple(("user", str(one)) for one in texts)
    return Question(model, messages, stream=False, usage_in_stream=False, limit=None)


def vector(text: str) -> list[float]:
    """The vector of a text, with numbers from -1 to 1."""
    digest = hashlib.shake_256(text.encode()).digest(DIMENSIONS)
    return [round(byte / 127.5 - 1, 6) for byte in digest]


def whole(turn: Turn) -> dict[str, object]:
    """The answer of the model's provider."""
    texts = [text for _, text in turn.question.messages]
    if TITAN in turn.question.model:
        return {"embedding": vector(texts[0]), "inputTextTokenCount": len(texts[0].split())}
    vectors = [vector(one) for one in texts]
    return {"id": "embeddings", "response_type": "embeddings_floats", "embeddings": vectors, "texts": texts}


def events(turn: Turn) -> Iterator[bytes]:
    """No model has a stream of embeddings."""
    raise NotAQuestionError(f"{turn.question.model} has no stream")
