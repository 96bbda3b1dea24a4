"""The custom timeouts of a registration request, in seconds."""

from __future__ import annotations

from typing import Any, TypeAlias

Message: TypeAlias = Any
"""A protobuf message of the resource monitor."""


def seconds_of(timeouts: Message) -> dict[str, float]:
    """Seconds by operation: create, update and delete, as far as they are given."""
    given = {name: getattr(timeouts, name) for name in ("create", "update", "delete")}
    return {name: _seconds(value) for name, value in given.items() if value}


def _seconds(text: str) -> float:
    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    total, number = 0.0, ""
    for character in text:
        if character in units:
            total, number = total + float(number or 0) * units[character], ""
        else:
            number += character
    return total
