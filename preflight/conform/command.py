"""``preflight conform``: every check of this package for the stacks of the project and of bootstrap."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from preflight.analysis import parity
from preflight.analysis.check import managed
from preflight.conform import account, cloudformation, forks
from preflight.conform.checks import PACK, Check, checks
from preflight.conform.installed import install, require
from preflight.errors import ConfigurationError, PreflightError
from preflight.findings import Environment, Finding, Report, merge, summarize
from preflight.pulumi import program
from preflight.pulumi.program import Run
from preflight.pulumi.project import Project
from preflight.recording.recorder import Recording

MAIN, BOOTSTRAP = "main", "bootstrap"
PROJECTS = (MAIN, BOOTSTRAP)


def conform(root: Path, stacks: Sequence[str], projects: Sequence[str], progress: Callable[[str], None]) -> Report:
    """Check the stacks against AWS's published data; without names, all that have a file.

    ``projects`` are ``main`` and ``bootstrap``, a folder of the main one; if omitted, those of the two that exist. A
    finding in bootstrap has ``bootstrap <stack>`` as its environment.

    :raises PreflightError: a stack has no file, or a package with AWS's data is not installed
    """
    started = time.monotonic()
    require()
    recordings, asked = _recordings(root, stacks, projects, progress)
    bootstraps = account.recordings(root)

    def evaluated(label: str) -> tuple[Environment, list[Finding]]:
        recording = recordings[label]
        bootstrap = account.of_environment(recording, bootstraps)
        its = [check for check in asked if not (check.with_bootstrap and label.startswith(f"{BOOTSTRAP} "))]
        own = [finding for check in its for finding in _ask(check, label, recording, bootstrap, progress)]
        return summarize(label, managed(recording), [check.rule for check in its], own), own

    sizes = [len(recording.resources) for recording in recordings.values()]
    answers = forks.each(evaluated, list(recordings), sizes)
    return Report(
        project=Project.load(root).name,
        environments=tuple(environment for environment, _ in answers),
        rules=tuple(check.rule for check in asked),
        findings=tuple(merge([finding for _, own in answers for finding in own])),
        seconds=time.monotonic() - started,
    )


def _recordings(
    root: Path, stacks: Sequence[str], projects: Sequence[str], progress: Callable[[str], None]
) -> tuple[dict[str, Recording], list[Check]]:
    """The recordings by label, and the checks, which are loaded while the programs run."""
    folders = {MAIN: root, BOOTSTRAP: root / BOOTSTRAP}
    chosen = projects or [name for name in PROJECTS if (folders[name] / "Pulumi.yaml").is_file()] or [MAIN]
    with contextlib.ExitStack() as stopping:
        running = {name: _start(Project.load(folders[name]), stacks, progress, stopping) for name in chosen}
        asked = _checks()
        recorded = {name: collect() for name, collect in running.items()}
    labels = {
        (stack if name == MAIN else f"{name} {stack}"): recording
        for name, its in recorded.items()
        for (stack, _), recording in its.items()
    }
    return labels, asked


def _start(
    project: Project, stacks: Sequence[str], progress: Callable[[str], None], stopping: contextlib.ExitStack
) -> Callable[[], dict[tuple[str, bool], Recording]]:
    """Start recording the stacks. The result waits for the recordings; ``stopping`` ends what is still running."""
    names = parity.order(project.root, stacks or project.stacks())
    if not names:
        raise ConfigurationError(f"there is no stack file (Pulumi.<stack>.yaml) in {project.root}")
    runs = [Run(project.stack(name), preview=False) for name in names]
    progress("loading the program")
    program.load(project)
    progress(f"running the program for {', '.join(names)}")
    children = program.start(project, runs)
    stopping.callback(program.stop, children)
    return partial(program.collect, children)


def _checks() -> list[Check]:
    try:
        found = checks()
        cloudformation.prepare()
    except ImportError as error:
        raise PreflightError(install(f"{error.name} is")) from error
    return found


def _ask(
    check: Check, label: str, recording: Recording, bootstrap: Recording | None, progress: Callable[[str], None]
) -> list[Finding]:
    progress(f"checking {label}: {check.rule.name.removeprefix(f'{PACK}-')}")
    return [replace(finding, environment=label) for finding in check.run(recording, bootstrap)]
