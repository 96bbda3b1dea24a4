"""The environments of a project in order, each with its current release and the releases that it has run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import yaml

from releases import attestation, manifest, pointer
from releases.manifest import Release, load_release
from releases.refusal import Refusal

FOLDER = "releases"
"""The folder of the manifests and the record, in the project's folder."""


@dataclass(frozen=True)
class Environments:
    """The environments of the project in ``root``, and its releases."""

    root: Path
    names: tuple[str, ...]
    """The environments in the order in which a release is promoted through them."""

    @property
    def folder(self) -> Path:
        """The folder of the manifests."""
        return self.root / FOLDER

    def known(self, name: str) -> str:
        """``name``, if it is one of the environments and has a stack file."""
        if name not in self.names or not self.path(name).is_file():
            raise Refusal(
                f"{name} is not an environment of this project",
                f"environments, in order: {', '.join(self.names)} (policies/parity/differences.yaml); "
                "each needs a Pulumi.<name>.yaml",
            )
        return name

    def before(self, name: str) -> str:
        """The environment that must run a release before this one does; empty for the first environment."""
        place = self.names.index(name)
        return self.names[place - 1] if place else ""

    def path(self, name: str) -> Path:
        """The path of the stack file."""
        return stack_file(self.root, name)

    def pointer(self, name: str) -> str:
        """The release that the stack file names."""
        return pointer.release_of(self.path(name))

    def ran(self, name: str) -> list[str]:
        """The releases recorded for an environment, oldest first.

        :raises RecordError: the record cannot be read, or an entry is not signed as the environment's key requires
        """
        return attestation.ran(self.root, name, account_of(self.root, name))

    def versions(self) -> list[str]:
        """Every version with a manifest, oldest first."""
        return manifest.versions(self.folder)

    def release(self, version: str) -> Release:
        """The manifest of a version.

        :raises SettingsError: there is none, or it is not valid
        """
        return load_release(version, self.folder)


def stack_file(root: Path, environment: str) -> Path:
    """The path of an environment's stack file."""
    return root / f"Pulumi.{environment}.yaml"


def account_of(root: Path, environment: str) -> str:
    """The account in the environment's stack file; empty if the file has none."""
    accounts = _value(root, environment, "aws:allowedAccountIds")
    listed = cast("list[object]", accounts) if isinstance(accounts, list) else []
    return str(listed[0]) if len(listed) == 1 else ""


def region_of(root: Path, environment: str) -> str:
    """The region in the environment's stack file; empty if the file has none."""
    region = _value(root, environment, "aws:region")
    return region if isinstance(region, str) else ""


def _value(root: Path, environment: str, key: str) -> object:
    try:
        return _content(stack_file(root, environment).read_text(encoding="utf-8"))["config"][key]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError):
        return None


@lru_cache(maxsize=8)
def _content(text: str) -> Any:  # noqa: ANN401 - what a YAML file has
    return yaml.safe_load(text)
