"""Checks again whenever a file of the project changes.

One process has the program's modules imported, the policy packs started and the recordings of the last check; every check is a
fork of it, so that a change of a stack file needs only the runs that it affects (``preflight.pulumi.kept``). A change of any other
file restarts the process, because it may have been imported.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from policies.guardrails.topology.graph.resources import Graph
from preflight.analysis import parity
from preflight.analysis.connectivity import connectivity_of
from preflight.errors import PreflightError
from preflight.pulumi import children, program
from preflight.pulumi.analyzer import AnalyzerClient, serves_every_stack
from preflight.pulumi.forked import is_ours
from preflight.pulumi.kept import STACK_FILE, Derived, Kept, Recordings
from preflight.pulumi.packs import chosen_packs, compares_environments
from preflight.pulumi.project import Project
from preflight.pulumi.protocol import Preview

POLL_SECONDS = 0.1
_POLLS_OF_ALL_FILES = 5
"""Files that are not stack files are looked at once in so many polls."""
_NAMED = 3
_NOT_READ = frozenset({"__pycache__", "build", "node_modules"})

State = dict[str, tuple[int, int]]
Check = Callable[[Mapping[Path, AnalyzerClient], Kept], int]
"""Checks once, with packs that run already and kept recordings, prints the result and returns the exit code."""


def watch(root: Path, packs: Sequence[Path] | None, check: Check, say: Callable[[str], None]) -> None:
    """Check, and check again after each change, until interrupted. Does not return: a change of code replaces the process."""
    seen = state(root)
    try:
        project = Project.load(root)
    except PreflightError as error:
        say(f"could not run\n\n{error}")
        _changed(root, seen, say)
        _restart()
        raise
    program.load(project)
    folders, _ = chosen_packs(root, None if packs is None else list(packs))
    with _started(folders, project) as ahead:
        kept = _forked(check, ahead, Kept())
    changed = Changed(seen)
    while changed.only_stacks:
        with _started(folders, project) as ahead:  # they load while nothing changes
            kept.derived = derived_from(kept.recordings, compares=compares_environments(root))
            changed = _changed(root, changed.state, say)
            if changed.only_stacks:
                kept = _forked(check, ahead, kept.without(changed.names, listed=changed.listed))
    _restart()


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of files."""

    state: State
    names: tuple[str, ...] = ()
    listed: bool = False
    """Whether a file appeared or is gone."""

    @property
    def only_stacks(self) -> bool:
        """Whether only stack files changed."""
        return all(STACK_FILE.fullmatch(name) for name in self.names)


def derived_from(recordings: Recordings, *, compares: bool) -> Derived:
    """Everything that the next check needs of stacks that do not change; ``compares``: whether it compares the environments."""
    made = Derived()
    for key, recording in sorted(recordings.items()):
        name, preview = key
        made.previews[key] = Preview(recording.resources)
        made.previews[key].resources(plain=True)
        made.previews[key].stack(plain=True)
        if not preview:
            made.graphs[name] = Graph.from_recorded(recording.resources)
    made.shapes = parity.shapes_of(recordings, made.graphs) if compares else {}
    connectivity_of(recordings, list(made.graphs), made.graphs)  # what it evaluates of a graph is kept with the graph
    return made


def _changed(root: Path, seen: State, say: Callable[[str], None]) -> Changed:
    """Wait for a change, and name it."""
    say("waiting for a change (Ctrl-C ends)")
    count = 0
    while True:
        count += 1
        time.sleep(POLL_SECONDS)
        if count % _POLLS_OF_ALL_FILES and all(seen.get(name) == now for name, now in _stack_files(root).items()):
            continue
        now = state(root)
        changed = [name for name in sorted({*seen, *now}) if seen.get(name) != now.get(name)]
        if changed and state(root) == now:  # an editor has finished writing
            break
    more = len(changed) - _NAMED
    say(f"changed: {', '.join(changed[:_NAMED])}{f' and {more} more' if more > 0 else ''}")
    return Changed(now, tuple(changed), seen.keys() != now.keys())


def _restart() -> None:
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - this program again


def _stack_files(root: Path) -> State:
    """The stack files' part of ``state``, which is read more often: reading all takes a quarter of the time between two polls."""
    found: State = {}
    with os.scandir(root) as entries:
        for entry in entries:
            if STACK_FILE.fullmatch(entry.name):
                status = entry.stat(follow_symlinks=False)
                found[entry.name] = (status.st_mtime_ns, status.st_size)
    return found


def state(root: Path) -> State:
    """Path from ``root`` → modification time in ns and size, of every file that a check could read."""
    found: State = {}
    folders = [str(root)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name in _NOT_READ or entry.name.endswith("~"):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                    continue
                status = entry.stat(follow_symlinks=False)
                found[os.path.relpath(entry.path, root)] = (status.st_mtime_ns, status.st_size)
    return found


@contextmanager
def _started(folders: Sequence[Path], project: Project) -> Generator[dict[Path, AnalyzerClient]]:
    """The packs that take every stack from the requests, started before it is known what changes."""
    ahead: dict[Path, AnalyzerClient] = {}
    try:
        for folder in folders:
            if serves_every_stack(folder):
                ahead[folder] = AnalyzerClient.start(
                    folder, project=project.name, stack="", dry_run=True, forked=is_ours(folder)
                )
        yield ahead
    finally:
        for pack in ahead.values():
            pack.stop()


def _forked(check: Check, ahead: Mapping[Path, AnalyzerClient], kept: Kept) -> Kept:
    """Check in a fork; the recordings that it keeps, which are those that it got if it could not run."""
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    with children.starting() as running:
        if process_id := os.fork():
            running.add(process_id)
    if not process_id:
        code = 2
        try:
            os.close(reader)
            code = check(ahead, kept)
            sys.stdout.flush()
            with os.fdopen(writer, "wb") as stream:
                pickle.dump(kept.to_send(), stream, protocol=pickle.HIGHEST_PROTOCOL)
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        content = stream.read()
    os.waitpid(process_id, 0)
    children.gone(process_id)
    return pickle.loads(content) if content else kept  # noqa: S301 - from our own fork
