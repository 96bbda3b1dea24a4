"""The bootstrap stack that creates an environment's roles, recorded like the main program: the real program in a separate
process.

An account has one bootstrap stack, with any name; its file lists the account's environments. So every stack file of
``bootstrap/`` is recorded, and the recording that creates the environment's roles in the same account and region is the
environment's.
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
    """A recording of each bootstrap stack of the project in ``root``; none if it has no bootstrap project.

    Forks, as ``preflight.pulumi.program`` does: call it before anything opens a gRPC channel. Raises ``ConfigurationError``
    for an invalid stack file and ``ProgramError`` if the program fails.
    """
    if not (root / FOLDER / "Pulumi.yaml").is_file():
        return []
    project = Project.load(root / FOLDER)
    runs = [Run(project.stack(name), preview=False) for name in project.stacks()]
    recorded = program.collect(program.start(project, runs))
    return [recorded[run.stack.name, False] for run in runs]


def of_environment(recording: Recording, bootstraps: Iterable[Recording]) -> Recording | None:
    """The bootstrap recording that creates this environment's roles in its account and region, or ``None``."""
    for bootstrap in bootstraps:
        if recording.stack in accounts.environments(bootstrap) and _site(bootstrap) == _site(recording):
            return bootstrap
    return None


def _site(recording: Recording) -> tuple[object, object]:
    """The provider's allowed accounts and region."""
    provider = next(r for r in recording.resources if r.type == "pulumi:providers:aws")
    return provider.inputs.get("allowedAccountIds"), provider.inputs.get("region")
