"""The settings that the program reads before it creates anything, so that a mistake in a stack file is reported before the components
and the AWS SDK are imported.

A program that has no such model is left to its run.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from preflight.pulumi import modules

_SETTINGS, _MODEL = "settings", "StackSettings"
_RELEASES, _ACCEPTED = "releases", "accepted"


def readable(program: Path) -> bool:
    """Whether the program has settings that this process can read. It has imported them then, and its forks with it."""
    if not (program / _SETTINGS / "__init__.py").is_file() or _SETTINGS in modules.shadowing(program):
        return False
    with modules.importable(program):
        try:
            _acceptance(program)
            return _model() is not None
        except Exception:
            return False


def read(program: Path) -> None:
    """Read the settings of the stack of this process, and the release that they name."""
    settings = cast("Any", _model()).load()
    if accepted := _acceptance(program):
        accepted(settings)


def _model() -> type | None:
    return getattr(importlib.import_module(_SETTINGS), _MODEL, None)


def _acceptance(program: Path) -> Callable[[object], object] | None:
    """The function that refuses a release that a stack cannot run; ``None`` in a project without releases."""
    if not (program / _RELEASES / "acceptance.py").is_file():
        return None
    return getattr(importlib.import_module(f"{_RELEASES}.acceptance"), _ACCEPTED, None)
