"""What the commands know of the project: its environments in order, their settings, pointers, records and manifests."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.parity import deployed, evaluate
from preflight.errors import ConfigurationError
from preflight.pulumi.project import Project
from preflight.release import stack_file
from preflight.release.refusal import Refusal
from releases import manifest, prompts
from releases.manifest import Release, load_release
from settings import StackSettings
from settings.stack import PREFIX


@dataclass(frozen=True)
class Releases:
    """The releases of the project in ``root``."""

    root: Path
    project: Project

    @classmethod
    def of(cls, root: Path) -> Releases:
        """Refuses where the program's own modules are those of another folder: they would be judged, not these."""
        if root / "releases" != manifest.DIRECTORY or root / "prompts" != prompts.DIRECTORY:
            raise ConfigurationError(f"run it in the project's folder: cd {root}")
        return cls(root, Project.load(root))

    @property
    def environments(self) -> tuple[str, ...]:
        """In the order in which a release passes through them."""
        declared = self.root / "policies" / "parity" / evaluate.FILE.name
        return evaluate.declarations(dt.datetime.now(dt.UTC).date(), declared).environments

    def environment(self, name: str) -> str:
        """``name``, where it is one of them and has a stack file."""
        if name not in self.environments or not self.path(name).is_file():
            raise Refusal(
                f"{name} is not an environment of this project",
                f"environments, in order: {', '.join(self.environments)} (policies/parity/differences.yaml); "
                "each needs a Pulumi.<name>.yaml",
            )
        return name

    def before(self, name: str) -> str:
        """The environment that a release passes before this one; empty for the first."""
        place = self.environments.index(name)
        return self.environments[place - 1] if place else ""

    def path(self, name: str) -> Path:
        """The stack file."""
        return self.root / f"Pulumi.{name}.yaml"

    def pointer(self, name: str) -> str:
        """The release that the stack file names."""
        return stack_file.release_of(self.path(name))

    def ran(self, name: str) -> list[str]:
        """The releases that the record has for an environment, oldest first."""
        return deployed.ran(deployed.read(self.root), name, deployed.account_of(self.root, name))

    def versions(self) -> list[str]:
        """Every version with a manifest, oldest first."""
        return manifest.versions(self.root / "releases")

    def release(self, version: str) -> Release:
        """The manifest of a version."""
        return load_release(version, self.root / "releases")

    def settings(self, name: str) -> StackSettings:
        """The settings of an environment."""
        stack = self.project.stack(name)
        own = {k.removeprefix(PREFIX): _value(v) for k, v in stack.config.items() if k.startswith(PREFIX)}
        return StackSettings.parse(
            own,
            environment=name,
            region=stack.config.get("aws:region"),
            accounts=_value(stack.config.get("aws:allowedAccountIds", "null")),
        )


def _value(text: str) -> Any:  # noqa: ANN401 - any YAML value
    """Structured values are JSON text; what is not is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def number(version: str) -> tuple[int, ...]:
    """How versions are ordered."""
    return tuple(map(int, version.split(".")))
