"""Results that several tests start from, computed once in a run of the tests and shared by the processes that run them.

They are kept in the folder of the run, which pytest creates for each run: nothing is kept from an earlier one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import pickle
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from preflight.analysis.check import run
from preflight.pulumi.project import Project, Stack
from preflight.recording.recorder import Recording, record
from tests.settings.stack_files import ROOT

Result = TypeVar("Result")
_FOLDER: list[Path] = []
_known: dict[str, bytes] = {}


def share_in(config: pytest.Config) -> None:
    """Share with the other processes of this run (``pytest -n``), whose folders are next to that of this process."""
    own = config.getoption("basetemp", None)
    if getattr(config, "workerinput", None) is not None and own:
        _FOLDER[:] = [Path(own).parent / "shared"]


def once(key: object, compute: Callable[[], Result]) -> Result:
    """What ``compute`` returns: the first time in this run that the key is asked for. Each call returns another copy.

    Only for what depends on nothing but the key and the files of this repository. An error is not kept.
    """
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    if name not in _known:
        _known[name] = _shared(_FOLDER[0] / name, compute) if _FOLDER else _pickled(compute)
    return pickle.loads(_known[name])  # noqa: S301 - our own result


def main_program(stack: str, config: Mapping[str, str], *, preview: bool = False) -> Recording:
    """The recording of the real ``__main__.py`` for a stack with this configuration."""
    return once(
        ["__main__.py", stack, dict(config), preview],
        lambda: record(
            lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
            stack=stack,
            config=config,
            preview=preview,
        ),
    )


def recordings(*stacks: str | Stack) -> dict[tuple[str, bool], Recording]:
    """What ``preflight`` records of these stacks with known values; a committed stack is given by its name."""
    project = Project.load(ROOT)
    chosen = [project.stack(stack) if isinstance(stack, str) else stack for stack in stacks]
    return {(stack.name, False): _by_the_engine(project, stack) for stack in chosen}


def _by_the_engine(project: Project, stack: Stack) -> Recording:
    return once(
        ["preflight", stack.name, dict(stack.config), sorted(stack.secret_keys)],
        lambda: run(project, [stack], lambda _: None, previews=False)[stack.name, False],
    )


def graph(stack: str, *, preview: bool = False) -> str:
    """What ``python -m preflight graph`` prints for a committed stack."""
    line = [sys.executable, "-m", "preflight", "graph", stack, "--format", "json", *(["--preview"] if preview else [])]

    def printed() -> str:
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603 - ours
        assert done.returncode == 0, done.stderr
        return done.stdout

    return once(["preflight graph", stack, preview], printed)


def _shared(path: Path, compute: Callable[[], object]) -> bytes:
    path.parent.mkdir(exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_file():
            made = path.with_suffix(".new")
            made.write_bytes(_pickled(compute))
            made.rename(path)
        return path.read_bytes()


def _pickled(compute: Callable[[], object]) -> bytes:
    return pickle.dumps(compute(), protocol=pickle.HIGHEST_PROTOCOL)
