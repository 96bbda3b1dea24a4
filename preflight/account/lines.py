"""The result of a command that queries an account: one line for each fact, with the status ok, missing or unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The status of one fact."""

    OK = "ok"
    MISSING = "missing"
    """The account was queried, and does not meet a requirement of the stack."""
    CANNOT_TELL = "cannot tell"
    """The account could not be queried, or its response is inconclusive."""


@dataclass(frozen=True, slots=True)
class Line:
    """One fact about the account."""

    group: str
    """The group of checks, for example ``quotas``."""
    subject: str
    """The subject of the fact, for example ``VPCs per Region``."""
    status: Status
    found: str
    """The value found, in one sentence. Never a secret value."""
    fix: str = ""
    """The fix; empty only if the status is ok."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Every line of one command for one stack, in the order of the report."""

    command: str
    """The command's name, for example ``ready``."""
    stack: str
    """The stack; of ``github``, the repository."""
    account: str
    """Empty if no account was queried."""
    region: str
    lines: tuple[Line, ...]
    strict: bool = False
    """Whether an unknown line fails as well."""

    def count(self, status: Status) -> int:
        """The number of lines with this status."""
        return sum(line.status is status for line in self.lines)

    def fails(self, line: Line) -> bool:
        """Whether a line makes the command fail."""
        return line.status is Status.MISSING or (self.strict and line.status is Status.CANNOT_TELL)

    @property
    def exit_code(self) -> int:
        """The exit code: 0 if nothing is missing, otherwise 1; with ``strict`` an unknown line counts as missing."""
        return int(any(self.fails(line) for line in self.lines))

    @property
    def summary(self) -> str:
        """The counts in one sentence."""
        return ", ".join(f"{self.count(status)} {status}" for status in Status)

    @property
    def groups(self) -> list[tuple[str, list[Line]]]:
        """Lines by group, both in the order of the report."""
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.group, []).append(line)
        return list(found.items())


class CannotTellError(Exception):
    """A call was refused or failed, so the facts that depend on it are unknown."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Group:
    """Creates the lines of one group."""

    name: str

    def ok(self, subject: str, found: str) -> Line:
        """The account meets the requirement."""
        return Line(self.name, subject, Status.OK, found)

    def missing(self, subject: str, found: str, fix: str) -> Line:
        """The account does not meet the requirement."""
        return Line(self.name, subject, Status.MISSING, found, fix)

    def cannot_tell(self, subject: str, found: str, fix: str) -> Line:
        """The account could not be queried, or its response is inconclusive."""
        return Line(self.name, subject, Status.CANNOT_TELL, found, fix)

    def holds(self, subject: str, holds: bool, found: str, fix: str) -> Line:
        """``ok`` if the condition holds, else ``missing``."""
        return self.ok(subject, found) if holds else self.missing(subject, found, fix)


def joined(values: Iterable[object], empty: str = "none") -> str:
    """Join values in the given order for a sentence."""
    return ", ".join(map(str, values)) or empty
