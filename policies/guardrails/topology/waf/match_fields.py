"""The parts of a request that a web ACL statement inspects, and the text transformations applied to them."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from ..graph.values import as_list, as_mapping
from ..http.requests import Request

BODY_WINDOW = 8192
"""The bytes of a body, and of all headers together, that a load balancer passes to AWS WAF: no statement sees headers
beyond that limit, whichever field it inspects (AWS WAF Developer Guide, "Oversize web request components").
"""
HEADER_COUNT_WINDOW = 200
_OVERSIZE = {"MATCH": True, "NO_MATCH": False}


@dataclass(frozen=True, slots=True)
class Part:
    """One inspected text and its size, which may be known without the text."""

    text: str
    size: int

    @classmethod
    def of(cls, text: str) -> Part:
        """A part whose text is known."""
        return cls(text, len(text.encode()))


def parts(request: Request, field: dict[str, Any]) -> list[Part] | bool | None:
    """The parts that a field to match selects; a verdict if the size alone decides; ``None`` if they are not known."""
    kinds = [key for key, value in sorted(field.items()) if value is not None]
    if len(kinds) != 1:
        return None
    details = field[kinds[0]]
    listed = as_list(details)
    options = as_mapping(listed[0] if listed else details) or {}
    reader = _READERS.get(kinds[0])
    return reader(request, options) if reader is not None else None


def _body(request: Request, options: dict[str, Any]) -> list[Part] | bool | None:
    if request.size > BODY_WINDOW:
        decided = _OVERSIZE.get(str(options.get("oversizeHandling")))
        if decided is not None:
            return decided
    return [Part(request.body[:BODY_WINDOW], min(request.size, BODY_WINDOW))]


def _headers(request: Request, options: dict[str, Any]) -> list[Part] | bool | None:
    return _pairs(request.sent_headers(), options, "includedHeaders", "excludedHeaders")


def _cookies(request: Request, options: dict[str, Any]) -> list[Part] | bool | None:
    return _pairs(request.cookies, options, "includedCookies", "excludedCookies")


def _pairs(
    pairs: Sequence[tuple[str, str]], options: dict[str, Any], included: str, excluded: str
) -> list[Part] | bool | None:
    total = sum(len(name) + len(value) for name, value in pairs)
    if total > BODY_WINDOW or len(pairs) > HEADER_COUNT_WINDOW:
        decided = _OVERSIZE.get(str(options.get("oversizeHandling")))
        if decided is not None:
            return decided
    pattern, scope = as_mapping(options.get("matchPattern")), options.get("matchScope")
    if pattern is None or not isinstance(scope, str):
        return None
    wanted, unwanted = as_list(pattern.get(included)), as_list(pattern.get(excluded))
    chosen = [
        (name, value)
        for name, value in _window(pairs)
        if (wanted is None or name in wanted) and (unwanted is None or name not in unwanted)
    ]
    texts = [name for name, _ in chosen] * (scope != "VALUE") + [value for _, value in chosen] * (scope != "KEY")
    return [Part.of(text) for text in texts]


def _window(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs that fit into the part that AWS WAF inspects."""
    seen: list[tuple[str, str]] = []
    left = BODY_WINDOW
    for name, value in pairs[:HEADER_COUNT_WINDOW]:
        if left <= 0:
            break
        seen.append((name, value[: max(0, left - len(name))]))
        left -= len(name) + len(value)
    return seen


def _single_header(request: Request, options: dict[str, Any]) -> list[Part] | bool | None:
    name = options.get("name")
    if not isinstance(name, str):
        return None
    return [Part.of(value) for key, value in _window(request.sent_headers()) if key == name.lower()]


def _query_argument(request: Request, options: dict[str, Any]) -> list[Part] | bool | None:
    name = str(options.get("name")).lower()
    return [Part.of(value) for key, value in parse_qsl(request.query, keep_blank_values=True) if key.lower() == name]


def _all_query_arguments(request: Request, _: dict[str, Any]) -> list[Part] | bool | None:
    return [Part.of(text) for pair in parse_qsl(request.query, keep_blank_values=True) for text in pair]


_READERS: dict[str, Callable[[Request, dict[str, Any]], list[Part] | bool | None]] = {
    "uriPath": lambda request, _: [Part.of(request.path)],
    "queryString": lambda request, _: [Part.of(request.query)],
    "method": lambda request, _: [Part.of(request.method)],
    "singleHeader": _single_header,
    "headers": _headers,
    "cookies": _cookies,
    "body": _body,
    "singleQueryArgument": _query_argument,
    "allQueryArguments": _all_query_arguments,
}

_TRANSFORMATIONS: dict[str, Callable[[str], str]] = {
    "NONE": lambda text: text,
    "LOWERCASE": str.lower,
    "URL_DECODE": lambda text: unquote(text.replace("+", " ")),
    "URL_DECODE_UNI": lambda text: unquote(text.replace("+", " ")),
    "HTML_ENTITY_DECODE": html.unescape,
    "COMPRESS_WHITE_SPACE": lambda text: re.sub(r"\s+", " ", text),
    "NORMALIZE_PATH": lambda text: posixpath.normpath(text) if text else text,
    "REMOVE_NULLS": lambda text: text.replace("\0", ""),
}


def transformed(text: str, statement: dict[str, Any]) -> str | None:
    """The text after a statement's transformations, by priority; ``None`` if one of them is not implemented here."""
    declared = [as_mapping(item) or {} for item in as_list(statement.get("textTransformations")) or []]
    for step in sorted(declared, key=lambda item: item.get("priority") or 0):
        apply = _TRANSFORMATIONS.get(str(step.get("type")))
        if apply is None:
            return None
        text = apply(text)
    return text
