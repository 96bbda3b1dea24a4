"""Stand-ins for values that only AWS knows, in the shape that the program's SDK declares.

Pulumi has no unknown plain value: a look-up that a program makes without ``_output`` always returns one. So each unknown text is a
placeholder, which contains the sentinel of an unknown value and the name of what is unknown. The program can pass it on, take
parts of it or write it into a document. ``cleaned`` finds it again in what the program registers.

A list has two elements in place of an unknown number; a mapping one key, ``unknown``; numbers and truth values are missing until the
program reads them (``preflight.recording.reads``).
"""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Mapping
from typing import Any, cast

from preflight.sdk import runtime as sdk
from preflight.sdk.wire import UNKNOWN, UNKNOWN_TEXT, Json, Wire

_BEGINNING = UNKNOWN[:8]
"""The beginning of a stand-in, which is left of one that the program has shortened or written in capitals."""
_KEY = "unknown"
_ELEMENTS = 2
_DEEPEST = 6


def text(name: str) -> str:
    """The text that stands for the unknown value ``name``."""
    return f"{UNKNOWN}.{name}"


def of_type(cls: type, name: str, given: Wire, met: set[type] | None = None) -> Wire:
    """The properties of an output class or a resource class; ``given`` are those that are known. Output classes are added to ``met``."""
    return {**_members(cls, name, set() if met is None else met, _DEEPEST, frozenset(given)), **given}


def _members(cls: type[Any], name: str, met: set[type], depth: int, without: frozenset[str] = frozenset()) -> Wire:
    if sdk.is_output_type(cls):
        met.add(cls)
    found = ((key, _value(kind, f"{name}.{key}", met, depth)) for key, kind in sdk.property_types(cls).items())
    return {key: value for key, value in found if value is not None and key not in without}


def _value(kind: object, name: str, met: set[type], depth: int) -> Json:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    found: Json = None
    if origin in {typing.Union, types.UnionType}:
        alternatives = [each for each in inner if each is not type(None)]
        found = text(name) if str in alternatives else _value(alternatives[0], name, met, depth)
    elif kind is str:
        found = text(name)
    elif origin in {list, collections.abc.Sequence} and depth:
        elements = [_value(inner[0], f"{name}.{number}", met, depth - 1) for number in range(_ELEMENTS)]
        found = None if None in elements else elements
    elif origin in {dict, collections.abc.Mapping}:
        found = {_KEY: text(name)}
    elif isinstance(kind, type) and sdk.is_output_type(kind) and depth:
        found = _members(kind, name, met, depth - 1)
    return found


def cleaned(value: Json) -> Json:
    """``value`` with every text, list and mapping that is made of stand-ins as an unknown value."""
    if isinstance(value, str):
        return UNKNOWN if _BEGINNING in value.lower() else value
    if isinstance(value, list):
        items = cast("list[Json]", value)
        return UNKNOWN if _is_whole_list(items) else [cleaned(item) for item in items]
    if isinstance(value, dict):
        content = cast("Wire", value)
        if _is_whole_mapping(content):
            return UNKNOWN
        return {key: cleaned(item) for key, item in content.items()}
    return value


def spelled(value: Json) -> Json:
    """``value`` with a readable text in place of each unknown value."""
    if isinstance(value, dict):
        return {key: spelled(item) for key, item in cast("Wire", value).items()}
    if isinstance(value, list):
        return [spelled(item) for item in cast("list[Json]", value)]
    return UNKNOWN_TEXT if value == UNKNOWN else value


def _is_whole_list(items: list[Json]) -> bool:
    first = items[0] if items else None
    if not isinstance(first, str) or not first.startswith(f"{UNKNOWN}.") or not first.endswith(".0"):
        return False
    return items == [f"{first[:-1]}{number}" for number in range(_ELEMENTS)]


def _is_whole_mapping(content: Mapping[str, Json]) -> bool:
    only = content.get(_KEY)
    return len(content) == 1 and isinstance(only, str) and only.startswith(f"{UNKNOWN}.")
