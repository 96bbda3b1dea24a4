"""Splits long texts, so that a difference is reported for the differing part instead of the whole text.

The proxy's script contains one line with its settings as a JSON object; each entry of the object is a separate part.
Any other text is one part. In the object's rules about people, the groups, domains and people are names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

_START = '{"'
_SHORTEST_OBJECT = 100
_RULES = ("allowed", "administrators", "required")
"""The entries of the object that select people."""
_SELECTED = {"values": "{claim's values}", "domains": "{domains}", "emails": "{addresses}"}
"""The part of such an entry → the name of its values."""


def parts_of(text: str) -> dict[str, str]:
    """Suffix of the property's path to the part: ``""`` for text that is not an entry of an embedded object, whose
    values are compact JSON."""
    if "\n" not in text:
        return {"": text}
    parts: dict[str, str] = {}
    rest: list[str] = []
    for line in text.split("\n"):
        settings = _object(line)
        parts.update({f'["{key}"]': json.dumps(value, separators=(",", ":")) for key, value in settings.items()})
        rest.append("…" if settings else line)
    return {"": "\n".join(rest), **parts}


def embedded(text: str) -> Mapping[str, Any]:
    """The object of the only line of a text that contains one; empty if there is none."""
    for line in text.split("\n"):
        if found := _object(line):
            return found
    return {}


def without_people(text: str) -> str:
    """The text with one name in place of the groups, domains and people that its rules select. The rules stay: the claim, its
    form, and the kinds of selectors. A group or a subject identifier of one environment means nothing in another."""
    return "\n".join(map(_without_people, text.split("\n")))


def _without_people(line: str) -> str:
    settings = _object(line)
    rules = {key: settings[key] for key in _RULES if isinstance(settings.get(key), dict)}
    if not rules:
        return line
    start = line.find(_START)
    _, end = json.JSONDecoder().raw_decode(line, start)
    named = {**settings, **{key: _named(rule) for key, rule in rules.items()}}
    return f"{line[:start]}{json.dumps(named, separators=(',', ':'))}{line[end:]}"


def _named(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {key: {_SELECTED[key]: True} if key in _SELECTED and value else value for key, value in rule.items()}


def _object(line: str) -> dict[str, Any]:
    """The JSON object in a line, regardless of the text around it."""
    start = line.find(_START)
    if start < 0 or len(line) < _SHORTEST_OBJECT:
        return {}
    try:
        found, _ = json.JSONDecoder().raw_decode(line, start)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found)
