"""Vectors by InvokeModel, in the form of the model's provider:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html and
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .parts import Body, InvalidRequestError

OPERATION = "invoke"


@dataclass(frozen=True)
class Vectors:
    """The vectors in one answer, in the order of its texts."""

    vectors: Sequence[Sequence[float]]
    tokens: int | None
    """The tokens of the texts, where the provider counts them."""


@dataclass(frozen=True)
class Provider:
    """How the models of a provider are called."""

    bodies: Callable[[Sequence[str]], Iterator[Mapping[str, Any]]]
    """The request of each call."""
    read: Callable[[Body], Vectors]


def texts_of(asked: Body) -> list[str]:
    """The texts of an Embeddings request. Raises ``InvalidRequestError`` for tokens, and for nothing."""
    given = asked["input"]
    texts: list[object] = [given] if isinstance(given, str) else list(given)
    if not texts or not all(isinstance(one, str) for one in texts):
        raise InvalidRequestError("input is neither a text nor a list of texts")
    return [str(one) for one in texts]


def provider_of(model: str) -> Provider:
    """How a model, or the one behind an inference profile, is called."""
    found = next((provider for name, provider in _PROVIDERS.items() if name in model), None)
    if found is None:
        raise InvalidRequestError("the model has no embeddings")
    return found


def _titan(texts: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    # A call takes one text.
    yield from ({"inputText": one} for one in texts)


def _cohere(texts: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    yield {"texts": list(texts), "input_type": "search_document"}


_PROVIDERS: Mapping[str, Provider] = {
    "amazon.titan-embed-text-": Provider(
        _titan, lambda answer: Vectors([answer["embedding"]], int(answer["inputTextTokenCount"]))
    ),
    "cohere.embed-": Provider(_cohere, lambda answer: Vectors(answer["embeddings"], None)),
}
