"""The project that the commands work on: its environments and releases, and the settings of each environment."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.parity import evaluate
from preflight.errors import ConfigurationError
from preflight.pulumi.project import Project
from releases import manifest, prompts
from releases.environments import FOLDER, Environments
from settings import StackSettings
from settings.stack import PREFIX


@dataclass(frozen=True)
class ReleaseProject:
    """A project with releases."""

    environments: Environments
    project: Project

    @classmethod
    def of(cls, root: Path) -> ReleaseProject:
        """The project in ``root``. :raises ConfigurationError: the program's modules belong to another folder and would
        be checked instead
        """
        if root / FOLDER != manifest.DIRECTORY or root / "prompts" != prompts.DIRECTORY:
            raise ConfigurationError(f"run the command in the project's folder: cd {root}")
        return cls.in_folder(root)

    @classmethod
    def in_folder(cls, root: Path) -> ReleaseProject:
        """The project in ``root``, whose program is not run."""
        declared = root / "policies" / "parity" / evaluate.FILE.name
        allowed = evaluate.declarations(dt.datetime.now(dt.UTC).date(), declared)
        return cls(Environments(root, allowed.environments), Project.load(root))

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.environments.root

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
    """Structured values are JSON text; anything else is plain text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
