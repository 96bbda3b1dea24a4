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
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import pulumi

from preflight.changes.monitor import planned
from preflight.changes.plan import Plan
from preflight.errors import PreflightError, ProgramError
from preflight.pulumi import children as children_
from preflight.pulumi import modules, stack_settings
from preflight.pulumi.kept import note_opened
from preflight.pulumi.project import Project, Stack
from preflight.pulumi.runnable import missing_module, require_runnable
from preflight.recording.recorder import Recording, record
from preflight.sdk import imports, lighter
from preflight.sdk import runtime as sdk
from preflight.sdk.undecided import Undecided

Result = TypeVar("Result")
RUN_TIMEOUT_SECONDS = 300.0
_SDK_NAME = re.compile(r"\baws\.([a-z0-9_]+)\.([A-Z]\w+|get_\w+)")


_loaded: set[Path] = set()
"""The programs whose modules this process has imported, or the process that it is a fork of."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the program: a stack, with known values or as a first preview."""

    stack: Stack
    preview: bool
    running: Recording | None = None
    """The recording of what the stack runs; the run then plans an update of it."""
    settings_only: bool = False
    """Read the stack's settings as the program does, and end there."""
    reads: Callable[[Plan], object] | None = None
    """Applied to the plan, in the process that planned: a plan contains two recordings, so many plans take gigabytes."""
    notes_files: bool = False
    """Note in the recording which stack files the run opens."""


@dataclass(frozen=True, slots=True)
class _Read:
    """The result of ``Run.reads`` for a plan."""

    value: object


_Outcome: TypeAlias = Recording | Plan | _Read | str


@dataclass(slots=True)
class Child:
    """A process that performs a run, and what it has sent."""

    run: Run
    process_id: int
    pipe: int
    received: bytearray


def read_settings(project: Project, stacks: Sequence[Stack]) -> None:
    """Read every stack's settings if the program has a model of them (``settings.StackSettings``), and the release that they
    name if it has releases (``releases.acceptance.accepted``), and nothing else.

    A mistake in a stack file is a ``ProgramError`` here, before the components and the AWS SDK are imported, which takes
    longer than anything else before the first message.
    """
    if stack_settings.readable(project.program):
        collect(start(project, [Run(stack, preview=False, settings_only=True) for stack in stacks]))


def load(project: Project) -> None:
    """Import the modules that the program imports, so that every fork has them. The run reports import errors.

    :raises ConfigurationError: the project has no program that can be run here
    """
    require_runnable(project)
    if project.program in _loaded:
        return
    _loaded.add(project.program)
    imports.install()
    lighter.install()
    file = project.program if project.program.is_file() else project.program / "__main__.py"
    with contextlib.suppress(Exception), modules.importable(project.program, keep=True):
        for name in _imports(ast.parse(file.read_text(encoding="utf-8"))):
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    for module, name in _sdk_names(modules.folder_of(project.program)):
        with contextlib.suppress(Exception):
            sdk.prepare(importlib.import_module(f"{imports.SDK}.{module}"), name)
    gc.freeze()


def start(project: Project, runs: Sequence[Run]) -> list[Child]:
    """Fork one process for each run; the two modes of a stack are one process until they differ."""
    sys.stdout.flush()
    sys.stderr.flush()
    pairs: dict[object, list[Run]] = {}
    for number, run in enumerate(runs):
        alone = run.running is not None or run.settings_only
        pairs.setdefault(number if alone else run.stack.name, []).append(run)
    found: list[Child] = []
    for pair in pairs.values():
        if [run.preview for run in pair] == [False, True] and pair[0].stack == pair[1].stack:
            found += _fork(project, pair)
        else:
            found += [child for run in pair for child in _fork(project, [run])]
    return found


def _fork(project: Project, runs: Sequence[Run]) -> list[Child]:
    pipes = [os.pipe() for _ in runs]
    with children_.starting() as running:
        if process_id := os.fork():
            running.add(process_id)
            _lead(process_id)
    if process_id:
        for _, writer in pipes:
            os.close(writer)
        return [Child(run, process_id, reader, bytearray()) for run, (reader, _) in zip(runs, pipes, strict=True)]
    status = 1
    try:
        _lead(0)
        for reader, _ in pipes:
            os.close(reader)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(2, 1)  # what the program prints is not part of our output
        gc.disable()
        _run(project, runs, [writer for _, writer in pipes])
        status = 0
    finally:
        os._exit(status)


def _lead(process_id: int) -> None:
    """Make the process the leader of a group, so that it can be ended together with a fork of it. Both it and its parent do so."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpgid(process_id, process_id)


def _run(project: Project, runs: Sequence[Run], writers: list[int]) -> None:
    """Perform one run, or both modes of a stack, and write each outcome to its pipe."""
    opened = note_opened() if runs[0].notes_files else set[str]()
    if len(runs) == 1:
        _send(writers[0], _with_files(_outcome(project, runs[0]), opened))
        return
    forked: list[int] = []

    def fork() -> bool:
        if process_id := os.fork():
            forked.append(process_id)
        os.close(writers.pop(1 if process_id else 0))
        return not process_id

    mode = Undecided(fork)
    outcome = _outcome(project, replace(runs[0], preview=cast("bool", mode)))
    bool(mode)  # an error before the modes differ is the outcome of both
    _send(writers[0], _with_files(outcome, opened))
    for process_id in forked:
        os.waitpid(process_id, 0)


def _with_files(outcome: _Outcome, opened: set[str]) -> _Outcome:
    return replace(outcome, opened=frozenset(opened)) if isinstance(outcome, Recording) and opened else outcome


def _send(pipe: int, outcome: object) -> None:
    with os.fdopen(pipe, "wb") as stream:
        stream.write(pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL))


def _outcome(project: Project, run: Run) -> _Outcome:
    """The recording or the plan, or the message of the error."""
    try:
        if run.running is None:
            return execute(project, run)
        plan = _planned(project, run, run.running)
        return _Read(run.reads(plan)) if run.reads else plan
    except PreflightError as error:
        return str(error)
    except ModuleNotFoundError as error:
        return f"{explain(error, project.root)}\n{missing_module(error.name or '', project)}"
    except BaseException as error:
        return explain(error, project.root)


def execute(project: Project, run: Run) -> Recording:
    """Perform one run in this process, with the program's own modules."""
    with modules.importable(project.program):
        return record(
            partial(stack_settings.read, project.program) if run.settings_only else _program(project),
            project=project.name,
            stack=run.stack.name,
            config=run.stack.config,
            secret_keys=run.stack.secret_keys,
            preview=run.preview,
            strict=modules.is_own(project.program),
        )


def _planned(project: Project, run: Run, running: Recording) -> Plan:
    with modules.importable(project.program):
        return planned(
            _program(project),
            replace(running, project=project.name),
            config=run.stack.config,
            secret_keys=run.stack.secret_keys,
            strict=modules.is_own(project.program),
        )


def _program(project: Project) -> Callable[[], None]:
    os.chdir(modules.folder_of(project.program))
    sys.argv = [str(project.program)]
    return lambda: cast("Any", runpy.run_path(str(project.program), run_name="__main__")) and None


def plans(project: Project, runs: Sequence[Run]) -> list[Plan]:
    """The plan of an update from each run's ``running`` recording, in the order of the runs.

    Plans as many in parallel as there are processors. Any failure is a ``ProgramError`` with the stack's name.
    """
    return [cast("Plan", plan) for plan in _each(project, [replace(run, reads=None) for run in runs])]


def read_plans(project: Project, runs: Sequence[Run], reads: Sequence[Callable[[Plan], Result]]) -> list[Result]:
    """As ``plans``, with what each of ``reads`` makes of the plan of the run at the same place."""
    wanted = [replace(run, reads=read) for run, read in zip(runs, reads, strict=True)]
    return [cast("Result", value) for value in _each(project, wanted)]


def _each(project: Project, runs: Sequence[Run]) -> list[object]:
    found: list[object] = []
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
            if isinstance(outcome, str | Recording):
                raise ProgramError(f"{child.run.stack.name}: {outcome}")
            found.append(outcome.value if isinstance(outcome, _Read) else outcome)
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
    notes: list[str] = getattr(error, "__notes__", [])
    return "\n".join([f"{type(error).__name__}: {error}", *dict.fromkeys(lines), *(f"  {note}" for note in notes)])


def _is_ours(name: str, root: Path) -> bool:
    path = Path(name)
    return path.is_relative_to(root) and not {"site-packages", "preflight"} & set(path.relative_to(root).parts)


def collect(children: Sequence[Child]) -> dict[tuple[str, bool], Recording]:
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


def _receive(children: Sequence[Child]) -> None:
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
                if all(child.process_id != process_id for child in waiting.values()):
                    os.waitpid(process_id, 0)
                    children_.gone(process_id)


def _unpack(child: Child) -> _Outcome:
    if not child.received:
        return "the process that ran the program ended without a result"
    return pickle.loads(bytes(child.received))  # noqa: S301 - from our own child


def stop(children: Sequence[Child]) -> None:
    """End runs that have not finished."""
    for process_id in sorted({child.process_id for child in children}):
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            children_.kill(process_id)
            os.waitpid(process_id, 0)
            children_.gone(process_id)


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


def main() -> None:
    """Compile what the program in the working directory imports, so that no later process has to (``make setup``)."""
    load(Project.load(Path.cwd()))


if __name__ == "__main__":
    main()
