"""The real LiteLLM, where it is installed: the interpreter that has it, and which version that is."""

from __future__ import annotations

import os
import subprocess

VARIABLE = "LITELLM_PYTHON"


def interpreter() -> str:
    """Return the Python that has the ``litellm`` package: ``LITELLM_PYTHON``; empty without it."""
    return os.environ.get(VARIABLE, "")


def version(python: str) -> str:
    """The version of the package that an interpreter has."""
    code = "import importlib.metadata as m; print(m.version('litellm'))"
    return subprocess.check_output([python, "-I", "-c", code], text=True).strip()  # noqa: S603 - the interpreter itself
