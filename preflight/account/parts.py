"""A part of a command: a group of checks, and how their results and failures become lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from preflight.account.lines import CannotTellError, Group, Line
from preflight.account.session import RefusedError

_Context = TypeVar("_Context")


class AbsentError(Exception):
    """The account lacks a resource of the recorded graph."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not in the account")


@dataclass(frozen=True)
class Part(Generic[_Context]):
    """A group of checks, each of which yields the lines about one subject."""

    name: str
    checks: tuple[tuple[str, Callable[[_Context, Group], Iterator[Line]]], ...]
    """Subject → check. The subject identifies the line if the check fails to run."""

    def lines(self, context: _Context) -> Iterator[Line]:
        """The lines of all checks; a check that fails to run is one line with the reason."""
        group = Group(self.name)
        for subject, check in self.checks:
            try:
                yield from check(context, group)
            except AbsentError as error:
                yield group.missing(
                    subject,
                    str(error),
                    "run pulumi refresh to see resources that were removed manually, then pulumi up",
                )
            except CannotTellError as error:
                yield group.cannot_tell(subject, error.reason, error.fix)
            except RefusedError as error:
                yield group.cannot_tell(
                    subject,
                    str(error),
                    "run the command again; if the error persists, check the service in the AWS console",
                )
