"""The images of the stand-ins."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from local import translator
from local.interface.release import SOURCE
from local.task.image import IMPORTED

_MODULES = f"import {', '.join(IMPORTED)}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"


def _names(folder: Path) -> Iterator[str]:
    """The modules of packages that the code in a folder imports."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (one.name for one in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield str(node.module)


def test_what_a_stand_in_imports_is_compiled_before_its_containers_start() -> None:
    told = subprocess.check_output([sys.executable, "-I", "-c", _MODULES], text=True)  # noqa: S603 - our own line
    folders = (SOURCE, Path(translator.__file__).parent)
    imported = {name for folder in folders for name in _names(folder)}
    of_packages = {
        one for one in imported if one.partition(".")[0] not in {*sys.stdlib_module_names, "litellm", "open_webui"}
    }
    assert {"alembic.config", "starlette.routing", "uvicorn"} <= of_packages
    assert of_packages <= set(json.loads(told))
