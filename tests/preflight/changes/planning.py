"""Plans edits of staging with the real program, against a recording of the running staging."""

from __future__ import annotations

import copy
import json
import runpy
from collections.abc import Mapping
from functools import cache
from typing import Any

from preflight.changes.monitor import planned
from preflight.changes.plan import Plan
from preflight.recording.recorder import Recording
from tests.once import main_program
from tests.preflight.changes.edits import EDITS, Edit
from tests.settings.stack_files import REMOVED, ROOT, Values, changed, stack_file

STACK = "staging"


def program() -> None:
    """The real one."""
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


def config(changes: Mapping[str, Any]) -> dict[str, str]:
    """Staging's configuration with these changes, as the engine passes it."""
    own = {path: value if value is REMOVED else copy.deepcopy(value) for path, value in changes.items()}
    values: Values = changed(stack_file(STACK), own)
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


@cache
def _running(changes: str) -> Recording:
    return main_program(STACK, config(json.loads(changes)))


def running(changes: Mapping[str, Any] | None = None) -> Recording:
    """The running staging, recorded once for each set of changes."""
    return _running(json.dumps(dict(changes or {}), sort_keys=True))


@cache
def _plan(title: str) -> Plan:
    edit = next(one for one in EDITS if one.title == title)
    return planned(program, running(edit.running), config=config({**edit.running, **edit.changes}))


def plan_of(edit: Edit) -> Plan:
    """What the edit would do, planned once."""
    return _plan(edit.title)
