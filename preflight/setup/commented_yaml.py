"""YAML whose comments, quotes and order stay when values are changed: the part of ruamel.yaml that is used here."""

from __future__ import annotations

import importlib
import io
from collections.abc import Mapping
from typing import Any, cast

# The library has no type information.
_YAML: Any = importlib.import_module("ruamel.yaml").YAML
_COMMENTS: Any = importlib.import_module("ruamel.yaml.comments")
_QUOTED: Any = importlib.import_module("ruamel.yaml.scalarstring").DoubleQuotedScalarString

Content = Any
"""A mapping with its comments: a ``dict`` of values, mappings and lists."""


def _yaml() -> Any:  # noqa: ANN401 - see above
    made = _YAML()
    made.preserve_quotes = True
    made.width = 4096
    made.indent(mapping=2, sequence=4, offset=2)
    return made


def read(text: str) -> Content:
    """A file's content, with its comments."""
    return _yaml().load(text)


def written(content: Content) -> str:
    """The text of a content that was read."""
    out = io.StringIO()
    _yaml().dump(content, out)
    return out.getvalue()


def put(place: Content, path: list[str], value: object) -> None:
    """Set the value at a path of keys and positions; ``None`` removes a key. Mappings on the way are created."""
    *way, last = path
    for step in way:
        if isinstance(place, list):
            place = cast("Content", place)[int(step)]
            continue
        if place.get(step) is None:
            place[step] = _COMMENTS.CommentedMap()
        place = place[step]
    if value is None:
        place.pop(last, None)
    elif isinstance(place, list):
        cast("Content", place)[int(last)] = _styled(value)
    elif last in place:
        place[last] = _styled(value)
    else:
        # At the end it would come after the blank line that belongs to the last key.
        place.insert(0, last, _styled(value))


def _styled(value: object) -> object:
    """Lists of plain values on one line, and double quotes as in the committed files around texts that need some."""
    if isinstance(value, str) and (value.startswith("@") or value.isdigit() or ":" in value.removeprefix("https:")):
        return _QUOTED(value)
    if isinstance(value, Mapping):
        given = cast("Mapping[str, object]", value)
        return _COMMENTS.CommentedMap({key: _styled(item) for key, item in given.items()})
    if isinstance(value, list):
        items = cast("list[object]", value)
        sequence = _COMMENTS.CommentedSeq([_styled(item) for item in items])
        if not any(isinstance(item, Mapping) for item in items):
            sequence.fa.set_flow_style()
        return sequence
    return value
