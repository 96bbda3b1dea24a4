"""Starts the pack: ``python <this folder> <engine address>``, as Pulumi's engine does.

``python <this folder> baseline --help`` writes the file of frozen findings instead.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

PACKAGE = "ai_interface_guardrails_pack"


def load() -> None:
    """Make this folder importable as ``PACKAGE``, regardless of its name and location."""
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} contains no __init__.py: the policy pack is incomplete")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    load()
    if sys.argv[1:2] == ["baseline"]:
        sys.exit(importlib.import_module(f"{PACKAGE}.adoption").main(sys.argv[2:]))
    importlib.import_module(f"{PACKAGE}.server").main()
