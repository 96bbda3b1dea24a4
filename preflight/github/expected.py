"""The repository settings that this checkout expects: from the stack files, ``bootstrap/`` and the workflows."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from preflight.errors import ConfigurationError
from preflight.github.setting import within
from preflight.release.project import ReleaseProject

BRANCH = "main"
"""The branch that the workflows deploy."""
WORKFLOWS = ".github/workflows"
_CI = "ai-interface-bootstrap:continuousIntegration"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_REMOTE = re.compile(r"[/:]([A-Za-z0-9-]+/[A-Za-z0-9._-]+?)(?:\.git)?/?$")


@dataclass(frozen=True)
class Expected:
    """The expected settings."""

    repository: str
    """``owner/name``."""
    approvers: Mapping[str, tuple[str, ...]]
    """Environment → ``owner.environmentApprovers``, in the order in which a release is promoted."""
    checks: tuple[str, ...]
    """The jobs that every pull request has to pass, sorted."""
    actions: tuple[str, ...]
    """The actions that the workflows use, as ``owner/name``, sorted."""

    @property
    def reviewed(self) -> tuple[str, ...]:
        """The environments whose deployments need an approval: all but the first, to which every merge is deployed."""
        return tuple(self.approvers)[1:]


def expected(root: Path, repository: str = "") -> Expected:
    """Read the files of the project in ``root``.

    :raises ConfigurationError: the repository's name is not known
    """
    project = ReleaseProject.in_folder(root)
    names = [name for name in project.environments.names if project.environments.path(name).is_file()]
    return Expected(
        repository=_valid(repository or _declared(root) or _remote(root)),
        approvers={name: project.settings(name).owner.environment_approvers for name in names},
        checks=tuple(sorted(_checks(root))),
        actions=tuple(sorted(_actions(root))),
    )


def _valid(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"the repository is {name!r}, not owner/name.\nfix: set continuousIntegration.repository in "
            "bootstrap/Pulumi.*.yaml, or use --repository owner/name"
        )
    return name


def _declared(root: Path) -> str:
    """The repository that CI's roles trust."""
    found: dict[str, list[str]] = {}
    for path in sorted((root / "bootstrap").glob("Pulumi.*.yaml")):
        if name := within(yaml.safe_load(path.read_text(encoding="utf-8")), "config", _CI).get("repository"):
            found.setdefault(str(name), []).append(f"bootstrap/{path.name}")
    if len(found) > 1:
        listed = "; ".join(f"{name} in {', '.join(files)}" for name, files in sorted(found.items()))
        raise ConfigurationError(
            f"the accounts trust different repositories: {listed}.\nfix: name one repository, or use --repository owner/name"
        )
    return next(iter(found), "")


def _remote(root: Path) -> str:
    command = ["git", "-C", str(root), "remote", "get-url", "origin"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _REMOTE.search(done.stdout.strip())
    return found[1] if found else ""


def workflows(root: Path) -> dict[str, dict[str, Any]]:
    """File name → content of every workflow."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((root / WORKFLOWS).glob("*.y*ml")):
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        found[path.name] = {
            **content,
            "on": content.get("on", content.get(True)),
        }  # YAML 1.1 reads the key "on" as true
    return found


def _checks(root: Path) -> set[str]:
    """The jobs of workflows for pull requests. A job with a condition is skipped for some pull requests, which GitHub counts
    as passed, so requiring it would prove nothing."""
    return {
        str(job.get("name", name))
        for content in workflows(root).values()
        if "pull_request" in (content["on"] or ())
        for name, job in cast("Mapping[str, Mapping[str, Any]]", content["jobs"]).items()
        if "if" not in job
    }


def _actions(root: Path) -> set[str]:
    """The actions from other repositories."""
    places = [*(root / WORKFLOWS).glob("*.y*ml"), *(root / ".github/actions").glob("*/action.y*ml")]
    used = {
        line.removeprefix("- ").partition(":")[2].split("#")[0].strip()
        for path in places
        for line in map(str.strip, path.read_text(encoding="utf-8").splitlines())
        if line.removeprefix("- ").startswith("uses:")
    }
    return {"/".join(use.partition("@")[0].split("/")[:2]) for use in used if not use.startswith("./")}
