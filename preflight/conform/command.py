"""``preflight conform``: every check of this package for the stacks of the project and of bootstrap."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from preflight.analysis import parity
from preflight.analysis.check import managed, run
from preflight.conform import account
from preflight.conform.checks import PACK, Check, checks
from preflight.errors import ConfigurationError, PreflightError
from preflight.findings import Environment, Finding, Report, merge, summarize
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
    recordings = _recordings(root, stacks, projects, progress)
    bootstraps = account.recordings(root)
    asked = _checks()
    environments: list[Environment] = []
    found: list[Finding] = []
    for label, recording in recordings.items():
        bootstrap = account.of_environment(recording, bootstraps)
        its = [check for check in asked if not (check.with_bootstrap and label.startswith(f"{BOOTSTRAP} "))]
        own = [finding for check in its for finding in _ask(check, label, recording, bootstrap, progress)]
        environments.append(summarize(label, managed(recording), [check.rule for check in its], own))
        found += own
    return Report(
        project=Project.load(root).name,
        environments=tuple(environments),
        rules=tuple(check.rule for check in asked),
        findings=tuple(merge(found)),
        seconds=time.monotonic() - started,
    )


def _recordings(
    root: Path, stacks: Sequence[str], projects: Sequence[str], progress: Callable[[str], None]
) -> dict[str, Recording]:
    folders = {MAIN: root, BOOTSTRAP: root / BOOTSTRAP}
    chosen = projects or [name for name in PROJECTS if (folders[name] / "Pulumi.yaml").is_file()] or [MAIN]
    recordings: dict[str, Recording] = {}
    for name in chosen:
        project = Project.load(folders[name])
        names = parity.order(project.root, stacks or project.stacks())
        if not names:
            raise ConfigurationError(f"there is no stack file (Pulumi.<stack>.yaml) in {project.root}")
        recorded = run(project, [project.stack(stack) for stack in names], progress, previews=False)
        for stack in names:
            recordings[stack if name == MAIN else f"{name} {stack}"] = recorded[stack, False]
    return recordings


def _checks() -> list[Check]:
    try:
        return checks()
    except ImportError as error:
        raise PreflightError(
            f"a check cannot be loaded: {error}. The checks need development dependencies: run make setup"
        ) from error


def _ask(
    check: Check, label: str, recording: Recording, bootstrap: Recording | None, progress: Callable[[str], None]
) -> list[Finding]:
    progress(f"checking {label}: {check.rule.name.removeprefix(f'{PACK}-')}")
    return [replace(finding, environment=label) for finding in check.run(recording, bootstrap)]
