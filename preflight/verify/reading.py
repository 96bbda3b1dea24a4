"""Reads optional parts of recorded inputs and of AWS's responses; a missing part is empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast


def listed(value: object) -> list[Any]:
    """Return the value if it is a list, otherwise an empty list."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def mapped(value: object) -> Mapping[str, Any]:
    """Return the value if it is a mapping, otherwise an empty mapping."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def at(value: object, *path: str) -> Any:  # noqa: ANN401 (JSON)
    """The value at a path of keys, or ``None``."""
    for key in path:
        value = mapped(value).get(key)
    return value
