"""The record of deployments, ``releases/deployed.yaml``: the deploy job adds to it, newest entry last.

An entry counts for an environment only if its account is the one in the environment's current stack file. Deployments
from another copy of this repository, or to an account that is no longer used, therefore do not count.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

FILE = "releases/deployed.yaml"
"""The path in the project's folder."""
_REQUIRED = ("environment", "release", "at", "account")
_OPTIONAL = ("commit", "run", "approvedBy", "previous", "signature")
_FORMS = {
    "environment": re.compile(r"[a-z][a-z0-9-]*"),
    "release": re.compile(r"\d{4}\.\d{1,2}\.\d{1,3}"),
    "at": re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z"),
    "account": re.compile(r"\d{12}"),
    "commit": re.compile(r"[0-9a-f]{40}"),
    "run": re.compile(r"https://[^\s\"\\]{1,300}"),
    "approvedBy": re.compile(r"@[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:, @[A-Za-z0-9][A-Za-z0-9_-]{0,99}){0,9}"),
    "previous": re.compile(r"sha256:[0-9a-f]{64}"),
    "signature": re.compile(r"[A-Za-z0-9+/]{88,100}={0,2}"),
}
FIX = "restore the file from git: only the deploy job adds to it"


class RecordError(ValueError):
    """The record cannot be read, or an entry cannot be written. The message contains the position and the problem."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment that succeeded."""

    environment: str
    release: str
    at: str
    """When it ended, UTC, as ``2026-11-25T09:00:00Z``."""
    account: str
    commit: str = ""
    run: str = ""
    """The URL of the job's page."""
    approved_by: str = ""
    """The GitHub users who approved the deployment, as ``@one, @two``; empty if it needed no approval."""
    previous: str = ""
    """``releases.attestation.chain`` of the environment's earlier entries; empty without a signature."""
    signature: str = ""
    """Base64; see ``releases.attestation``."""

    def __post_init__(self) -> None:
        for name in (*_REQUIRED, *_OPTIONAL):
            value = self._value(name)
            if not _FORMS[name].fullmatch(value) and not (name in _OPTIONAL and not value):
                raise RecordError(f"{name} is {value!r}, not of the form {_FORMS[name].pattern}")

    def _value(self, name: str) -> str:
        return self.approved_by if name == "approvedBy" else getattr(self, name)

    def fields(self) -> dict[str, str]:
        """The fields that are set, by their names in the file, in its order."""
        return {name: value for name in (*_REQUIRED, *_OPTIONAL) if (value := self._value(name))}

    def as_text(self) -> str:
        """The entry in the file's format."""
        lines = [f'{name}: "{value}"' for name, value in self.fields().items()]
        return "  - " + "\n    ".join(lines) + "\n"


def read(root: Path) -> list[Deployment]:
    """The entries of the project in ``root``, oldest first; empty if the file does not exist."""
    path = root / FILE
    if not path.is_file():
        return []
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecordError(f"{FILE} is not readable YAML ({' '.join(str(error).split())}): {FIX}") from None
    entries = cast("dict[str, Any]", content).get("deployments") if isinstance(content, Mapping) else None
    if not isinstance(entries, list) and entries is not None:
        raise RecordError(f"{FILE} has no list named deployments: {FIX}")
    listed = enumerate(cast("list[Any]", entries or []), start=1)
    return [entry_of(entry, f"{FILE}, entry {number}") for number, entry in listed]


def entry_of(entry: object, place: str) -> Deployment:
    """An entry from its fields; ``place`` begins the message of ``RecordError``."""
    if not isinstance(entry, Mapping):
        raise RecordError(f"{place} is not a mapping of {', '.join(_REQUIRED)}: {FIX}")
    given = {str(key): _plain(value) for key, value in cast("Mapping[Any, Any]", entry).items()}
    if unknown := sorted(given.keys() - {*_REQUIRED, *_OPTIONAL}):
        raise RecordError(f"{place} has an unknown key {unknown[0]}: {FIX}")
    if missing := [name for name in _REQUIRED if name not in given]:
        raise RecordError(f"{place} has no {missing[0]}: {FIX}")
    try:
        return Deployment(**{"approved_by" if name == "approvedBy" else name: value for name, value in given.items()})
    except RecordError as error:
        raise RecordError(f"{place}: {error}: {FIX}") from None


def _plain(value: object) -> str:
    """Converts a timestamp: YAML parses an unquoted time as a timestamp."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def ran(deployments: Sequence[Deployment], environment: str, account: str) -> list[str]:
    """The releases of an environment in the order of their deployment, in the environment's current account."""
    return [d.release for d in deployments if (d.environment, d.account) == (environment, account)]


def with_entry(text: str, entry: Deployment) -> str:
    """The text of the record with an additional entry. An empty text is a record without entries."""
    before = text or "deployments:\n"
    before = before if before.endswith("\n") else before + "\n"
    return before.replace("deployments: []\n", "deployments:\n") + entry.as_text()
