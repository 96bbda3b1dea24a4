"""The bootstrap stack that creates an environment's roles, recorded like the main program: the real program in a separate
process.

An account has one bootstrap stack, with any name; its file lists the account's environments. So every stack file of
``bootstrap/`` is recorded, and the recording that creates the environment's roles in the same account and region is the
environment's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

import yaml

from preflight.conform.iam import account as accounts
from preflight.errors import ConfigurationError
from preflight.pulumi import program
from preflight.pulumi.program import Run
from preflight.pulumi.project import Project
from preflight.recording.recorder import Recording

FOLDER = "bootstrap"
_CI = "ai-interface-bootstrap:continuousIntegration"
_EXISTING = "existingProviderArn"


def recordings(root: Path) -> list[Recording]:
    """A recording of each bootstrap stack of the project in ``root``; none if it has no bootstrap project.

    Forks, as ``preflight.pulumi.program`` does: call it before anything opens a gRPC channel. Raises ``ConfigurationError``
    for an invalid stack file and ``ProgramError`` if the program fails.
    """
    if not (root / FOLDER / "Pulumi.yaml").is_file():
        return []
    project = Project.load(root / FOLDER)
    if found := shared(project):
        raise ConfigurationError("\n\n".join(found))
    runs = [Run(project.stack(name), preview=False) for name in project.stacks()]
    recorded = program.collect(program.start(project, runs))
    return [recorded[run.stack.name, False] for run in runs]


def shared(project: Project) -> list[str]:
    """A problem for every two bootstrap stacks that would create the same resources of one account: all of them in one region, and
    in any region the account's identity provider for GitHub."""
    files = {name: project.stack(name).config for name in project.stacks()}
    found: list[str] = []
    for one, other in itertools.combinations(sorted(files), 2):
        (account, region), (second, elsewhere) = _place(files[one]), _place(files[other])
        if not account or account != second:
            continue
        first, again = f"{FOLDER}/Pulumi.{one}.yaml", f"{FOLDER}/Pulumi.{other}.yaml"
        both = f"{first} and {again} are both for account {account}"
        if region == elsewhere:
            found.append(
                f"{both} in {region}: the second one would create the account's repositories and roles again, and fail. Move the "
                f"environments of {again} into {first}, and delete {again}"
            )
        elif not any(_EXISTING in files[name].get(_CI, "") for name in (one, other)):
            found.append(
                f"{both}, and both create its identity provider for GitHub, which exists once in an account. Set "
                f"continuousIntegration.existingProviderArn in the one that is deployed second"
            )
    return found


def _place(config: Mapping[str, str]) -> tuple[str, str]:
    """Account and region; the account is empty if the file does not name exactly one."""
    loaded: object = yaml.safe_load(config.get("aws:allowedAccountIds", "[]"))
    listed = cast("list[object]", loaded) if isinstance(loaded, list) else []
    return str(listed[0]) if len(listed) == 1 else "", config.get("aws:region", "")


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
