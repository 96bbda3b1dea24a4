"""Runs the real ``__main__.py`` for stacks, each run in a separate process.

The SDKs and the project's modules are imported once, here; then every run is a fork of this process, so that
nothing of one run can leak into another. Call before anything opens a gRPC channel: those do not survive a
fork.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import os
import pickle
import re
import runpy
import selectors
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pulumi
import pulumi_aws as aws

from preflight.changes.monitor import planned
from preflight.changes.plan import Plan
from preflight.errors import PreflightError, ProgramError
from preflight.pulumi import children as children_
from preflight.pulumi.project import Project, Stack
from preflight.recording.recorder import Recording, record
from preflight.sdk import runtime as sdk

RUN_TIMEOUT_SECONDS = 300.0
_SDK_NAME = re.compile(r"\baws\.([a-z0-9_]+)\.([A-Z]\w+|get_\w+)")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the program: a stack, with known values or as a first preview."""

    stack: Stack
    preview: bool
    running: Recording | None = None
    """The recording of what the stack runs; the run then plans an update of it."""


@dataclass(slots=True)
class _Child:
    run: Run
    process_id: int
    pipe: int
    received: bytearray


def load(project: Project) -> None:
    """Import the modules that the program imports, so that every fork has them. The run reports import errors."""
    sys.path.insert(0, str(project.program))
    with contextlib.suppress(Exception):
        tree = ast.parse((project.program / "__main__.py").read_text(encoding="utf-8"))
        for name in _imports(tree):
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    for module, name in _sdk_names(project.program):
        with contextlib.suppress(Exception):
            sdk.prepare(getattr(aws, module), name)
    gc.freeze()


def start(project: Project, runs: Sequence[Run]) -> list[_Child]:
    """Fork one process for each run."""
    sys.stdout.flush()
    sys.stderr.flush()
    return [_fork(project, run) for run in runs]


def _fork(project: Project, run: Run) -> _Child:
    reader, writer = os.pipe()
    with children_.starting() as running:
        if process_id := os.fork():
            running.add(process_id)
    if process_id:
        os.close(writer)
        return _Child(run, process_id, reader, bytearray())
    status = 1
    try:
        os.close(reader)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(2, 1)  # what the program prints is not part of our output
        gc.disable()
        _send(writer, _outcome(project, run))
        status = 0
    finally:
        os._exit(status)


def _send(pipe: int, outcome: object) -> None:
    with os.fdopen(pipe, "wb") as stream:
        stream.write(pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL))


def _outcome(project: Project, run: Run) -> Recording | Plan | str:
    """The recording or the plan, or the message of the error."""
    try:
        return execute(project, run) if run.running is None else _planned(project, run, run.running)
    except PreflightError as error:
        return str(error)
    except BaseException as error:
        return explain(error, project.root)


def execute(project: Project, run: Run) -> Recording:
    """Perform one run in this process."""
    return record(
        _program(project),
        project=project.name,
        stack=run.stack.name,
        config=run.stack.config,
        secret_keys=run.stack.secret_keys,
        preview=run.preview,
    )


def _planned(project: Project, run: Run, running: Recording) -> Plan:
    return planned(
        _program(project),
        replace(running, project=project.name),
        config=run.stack.config,
        secret_keys=run.stack.secret_keys,
    )


def _program(project: Project) -> Callable[[], None]:
    os.chdir(project.program)
    sys.argv = [str(project.program)]
    return lambda: cast("Any", runpy.run_path(str(project.program), run_name="__main__")) and None


def plans(project: Project, runs: Sequence[Run]) -> list[Plan]:
    """The plan of an update from each run's ``running`` recording, in the order of the runs.

    Plans as many in parallel as there are processors. Any failure is a ``ProgramError`` with the stack's name.
    """
    found: list[Plan] = []
    batch = max(os.cpu_count() or 1, 1)
    for first in range(0, len(runs), batch):
        children = start(project, runs[first : first + batch])
        try:
            _receive(children)
        except BaseException:
            stop(children)
            raise
        for child in children:
            outcome = _unpack(child)
            if not isinstance(outcome, Plan):
                raise ProgramError(f"{child.run.stack.name}: {outcome}")
            found.append(outcome)
    return found


def explain(error: BaseException, root: Path) -> str:
    """A ``RunError`` (such as a settings error) unchanged; other exceptions with their frames in the project."""
    if isinstance(error, pulumi.RunError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"the program exited with status {error.code}"
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    frames = [frame for one in reversed(chain) for frame in traceback.extract_tb(one.__traceback__)]
    ours = [frame for frame in frames if _is_ours(frame.filename, root)]
    lines = [f"  {Path(f.filename).relative_to(root)}:{f.lineno} in {f.name}: {f.line}" for f in ours[-6:]]
    return "\n".join([f"{type(error).__name__}: {error}", *dict.fromkeys(lines)])


def _is_ours(name: str, root: Path) -> bool:
    path = Path(name)
    return path.is_relative_to(root) and not {"site-packages", "preflight"} & set(path.relative_to(root).parts)


def collect(children: Sequence[_Child]) -> dict[tuple[str, bool], Recording]:
    """Wait for all runs. Any failure is a ``ProgramError`` that contains all messages without duplicates."""
    try:
        _receive(children)
    except BaseException:
        stop(children)
        raise
    outcomes = {(c.run.stack.name, c.run.preview): _unpack(c) for c in children}
    failures: dict[str, list[str]] = {}
    for (stack, _), outcome in sorted(outcomes.items()):
        if isinstance(outcome, str) and stack not in failures.setdefault(outcome, []):
            failures[outcome].append(stack)
    if failures:
        raise ProgramError("\n\n".join(f"{', '.join(stacks)}: {message}" for message, stacks in failures.items()))
    return {key: outcome for key, outcome in outcomes.items() if isinstance(outcome, Recording)}


def _receive(children: Sequence[_Child]) -> None:
    waiting = {child.pipe: child for child in children}
    with selectors.DefaultSelector() as selector:
        for pipe in waiting:
            selector.register(pipe, selectors.EVENT_READ)
        while waiting:
            ready = selector.select(RUN_TIMEOUT_SECONDS)
            if not ready:
                raise ProgramError(f"the program did not finish within {RUN_TIMEOUT_SECONDS:.0f} seconds")
            for key, _ in ready:
                pipe = key.fd
                if data := os.read(pipe, 1 << 20):
                    waiting[pipe].received += data
                    continue
                selector.unregister(pipe)
                os.close(pipe)
                process_id = waiting.pop(pipe).process_id
                os.waitpid(process_id, 0)
                children_.gone(process_id)


def _unpack(child: _Child) -> Recording | Plan | str:
    if not child.received:
        return "the process that ran the program ended without a result"
    return pickle.loads(bytes(child.received))  # noqa: S301 - from our own child


def stop(children: Sequence[_Child]) -> None:
    """End runs that have not finished."""
    for child in children:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(child.process_id, 9)
            os.waitpid(child.process_id, 0)
            children_.gone(child.process_id)


def _imports(tree: ast.Module) -> list[str]:
    found: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module)
    return found


def _sdk_names(root: Path) -> list[tuple[str, str]]:
    """Modules and classes of the AWS SDK that the project's sources name."""
    sources = [*root.glob("*.py"), *root.glob("components/**/*.py")]
    return sorted({found for path in sources for found in _SDK_NAME.findall(path.read_text(encoding="utf-8"))})
