"""The bootstrap stack that makes an environment's roles, recorded like the main program: the real program, in a process
of its own.

An account has one bootstrap stack, whose name is free; which environments live in it, its file says. So every stack file
of ``bootstrap/`` is recorded, and the one whose recording makes the environment's roles in the same account and region is
the environment's.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from preflight.conform.iam import account as accounts
from preflight.pulumi import program
from preflight.pulumi.program import Run
from preflight.pulumi.project import Project
from preflight.recording.recorder import Recording

FOLDER = "bootstrap"


def recordings(root: Path) -> list[Recording]:
    """A recording of each bootstrap stack of the project in ``root``; none where it has no bootstrap project.

    Forks, as ``preflight.pulumi.program`` does: call it before anything opens a gRPC channel. A stack file that is wrong raises
    ``ConfigurationError``, a program that fails ``ProgramError``.
    """
    if not (root / FOLDER / "Pulumi.yaml").is_file():
        return []
    project = Project.load(root / FOLDER)
    runs = [Run(project.stack(name), preview=False) for name in project.stacks()]
    recorded = program.collect(program.start(project, runs))
    return [recorded[run.stack.name, False] for run in runs]


def of_environment(recording: Recording, bootstraps: Iterable[Recording]) -> Recording | None:
    """The bootstrap recording that makes this environment's roles in its account and region, or ``None``."""
    for bootstrap in bootstraps:
        if recording.stack in accounts.environments(bootstrap) and _site(bootstrap) == _site(recording):
            return bootstrap
    return None


def _site(recording: Recording) -> tuple[object, object]:
    """The accounts that the provider allows, and its region."""
    provider = next(r for r in recording.resources if r.type == "pulumi:providers:aws")
    return provider.inputs.get("allowedAccountIds"), provider.inputs.get("region")
