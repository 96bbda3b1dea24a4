"""The two reviewed tables next to this module: the provider's calls, and the permissions that cannot apply here."""

from __future__ import annotations

import fnmatch
import importlib.resources
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class PermittedCall:
    """A row of ``calls.tsv``."""

    type: str
    operation: str
    actions: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Unneeded:
    """A row of ``unneeded.tsv``: permissions in AWS's data that this project's resources do not use."""

    type: str
    """A pattern of Pulumi types."""
    actions: tuple[str, ...]
    """Patterns of actions."""
    unless: tuple[str, ...]
    """Inputs of the resource: if it has one of them, the row does not apply and the actions are needed."""
    reason: str

    def covers(self, type_: str, action: str) -> bool:
        """Whether this row covers an action of a resource, unless the resource has one of the inputs."""
        return fnmatch.fnmatchcase(type_, self.type) and any(
            fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in self.actions
        )


@cache
def calls() -> tuple[PermittedCall, ...]:
    """The calls of the provider."""
    return tuple(
        PermittedCall(type_, operation, tuple(actions.split()), source)
        for type_, operation, actions, source in _rows("calls.tsv", 4)
    )


@cache
def unneeded() -> tuple[Unneeded, ...]:
    """The permissions in AWS's data that do not apply here."""
    return tuple(
        Unneeded(type_, tuple(actions.split()), () if unless == "-" else tuple(unless.split()), reason)
        for type_, actions, unless, reason in _rows("unneeded.tsv", 4)
    )


@cache
def excluding(type_: str, action: str) -> tuple[Unneeded, ...]:
    """The rows of ``unneeded`` that cover an action of a type."""
    return tuple(row for row in unneeded() if row.covers(type_, action))


def _rows(name: str, columns: int) -> list[list[str]]:
    text = (importlib.resources.files("preflight.conform.iam") / name).read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    for row in rows:
        if len(row) != columns or not all(row):
            raise ValueError(f"{name}: {row[0]} has {len(row)} columns, some perhaps empty; wanted {columns}")
    return rows
