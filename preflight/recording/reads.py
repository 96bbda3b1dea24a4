"""The computed outputs that a program reads, and the places where it reads them.

The SDKs' property getters all go through ``pulumi.get``. A recording notes every read; at its end, a read of a computed
output that no fake provides is an error with resource, property and place. A value nested in an output (for example a
certificate's validation record) is checked when it is read.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import pulumi

from preflight.errors import FakeError
from preflight.sdk import runtime as sdk
from preflight.sdk.schema import required_properties

_SDKS = str(Path(pulumi.__file__).parent.parent)
_ENGINE = str(Path(__file__).parents[1])


@dataclass(slots=True)
class Reads:
    """The reads of one recording: resource and Python name to place."""

    places: dict[tuple[pulumi.Resource, str], str] = field(default_factory=dict[tuple[pulumi.Resource, str], str])
    unknown: Callable[[object, str], str | None] = lambda _, __: None
    """The stand-in for a missing value of an object, if it is part of an unknown result."""


_current: Reads | None = None


def follow(reads: Reads | None) -> None:
    """Note every read in ``reads`` from now on, or stop."""
    global _current  # noqa: PLW0603 - pulumi.get is global too
    _current = reads
    sdk.replace_getter(_noting)


def _noting(get: sdk.Getter) -> sdk.Getter:
    @functools.wraps(get)
    def noting_get(self: object, name: str) -> object:
        value = get(self, name)
        if _current is not None:
            if isinstance(self, pulumi.Resource):
                key = (self, name)
                if key not in _current.places:
                    _current.places[key] = place(sdk.caller(1))
            elif value is None:
                return _nested(self, name, sdk.caller(1))
        return value

    return noting_get


def _nested(owner: object, name: str, getter: FrameType) -> str | None:
    """A stand-in for a nested value that is missing because its owner is unknown; ``None`` for one that is not set."""
    cls = type(owner)
    if getter.f_code.co_name != name or not sdk.is_output_type(cls):
        return None  # generated code that copies all properties, or an args class
    if _current is not None and (stand_in := _current.unknown(owner, name)) is not None:
        return stand_in
    if sdk.wire_names(cls).get(name, name) in required_properties(cls):
        raise FakeError(missing(cls.__name__, name, place(getter)))
    return None


def missing(owner: str, name: str, where: str) -> str:
    """The message for a computed value that nothing provides."""
    return (
        f"{where} reads {name} of {owner}: AWS computes it, and the offline engine has no value for it.\n"
        "fix: read another output, or add a faithful value to preflight/fakes/network.py or services.py"
    )


def place(frame: FrameType | None) -> str:
    """``file:line`` of the nearest frame in the project's own code."""
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith((_SDKS, _ENGINE, "<")) and "/lib/python" not in name:
            return f"{relative(name)}:{frame.f_lineno}"
        frame = frame.f_back
    return "the program"


def relative(name: str) -> str:
    """``name`` relative to the working directory where it is below it."""
    return _relative(name, os.getcwd())  # noqa: PTH109 - a path object for each call takes twenty times as long


@functools.lru_cache(maxsize=4096)
def _relative(name: str, folder: str) -> str:
    path = Path(name)
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
