"""The version: of the installed package, or of the checkout."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

_PACKAGE = "ai-interface"


def version() -> str:
    """The version in the checkout's ``pyproject.toml``, which is the one source; without it, that of the installed wheel."""
    project = Path(__file__).parents[1] / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    return importlib.metadata.version(_PACKAGE)
