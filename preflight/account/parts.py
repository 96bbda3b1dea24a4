"""A part of a command's check: questions, and how their answers and failures become lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from preflight.account.lines import CannotTellError, Group, Line
from preflight.account.session import RefusedError

_Asking = TypeVar("_Asking")


class AbsentError(Exception):
    """What the recorded graph has is not in the account."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not in the account")


@dataclass(frozen=True)
class Part(Generic[_Asking]):
    """A group of questions, each of which yields the lines about one subject."""

    name: str
    questions: tuple[tuple[str, Callable[[_Asking, Group], Iterator[Line]]], ...]
    """Subject → question. The subject names the line when the question cannot be answered."""

    def lines(self, asking: _Asking) -> Iterator[Line]:
        """The answers; a question that cannot be asked is one line that says why."""
        group = Group(self.name)
        for subject, question in self.questions:
            try:
                yield from question(asking, group)
            except AbsentError as error:
                yield group.missing(subject, str(error), "pulumi up; pulumi refresh shows what was removed by hand")
            except CannotTellError as error:
                yield group.cannot_tell(subject, error.reason, error.fix)
            except RefusedError as error:
                yield group.cannot_tell(subject, str(error), "run it again; if the answer stays, look into it at AWS")
