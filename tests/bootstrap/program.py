"""Runs the real bootstrap program for a stack file, or for a changed one."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

from preflight.recording.recorder import Recording, record
from tests.once import once
from tests.settings.stack_files import loaded

BOOTSTRAP = Path(__file__).parents[2] / "bootstrap"
PREFIX = "ai-interface-bootstrap:"


def stack_file(stack: str) -> dict[str, Any]:
    """``config`` of a committed stack file of the bootstrap project."""
    return loaded(BOOTSTRAP / f"Pulumi.{stack}.yaml")["config"]


def run_bootstrap(stack: str, *, region: str | None = None, **changes: object) -> Recording:
    """What ``bootstrap/__main__.py`` registers, with other values for some keys of the stack file."""
    values = {**stack_file(stack), **{PREFIX + key: value for key, value in changes.items()}}
    if region is not None:
        values["aws:region"] = region
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return once(["bootstrap/__main__.py", stack, config], lambda: _recorded(stack, config))


def _recorded(stack: str, config: dict[str, str]) -> Recording:
    path = list(sys.path)
    try:
        return record(
            lambda: runpy.run_path(str(BOOTSTRAP / "__main__.py"), run_name="__main__"),
            project="ai-interface-bootstrap",
            stack=stack,
            config=config,
        )
    finally:
        sys.path[:] = path
