"""What every part of the check is given, and how its questions become lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from preflight.account.lines import CannotTellError, Group, Line
from preflight.account.session import Account, RefusedError
from preflight.ready.outside import Dns, Https
from preflight.ready.wanted import Wanted


@dataclass(frozen=True)
class Asking:
    """The stack's needs, and whom to ask."""

    wanted: Wanted
    account: Account
    dns: Dns
    https: Https
    call_models: bool = True
    """Whether one billed request may be sent to each model."""


Question = Callable[[Asking, Group], Iterator[Line]]
"""Yields the lines about one subject."""


@dataclass(frozen=True)
class Part:
    """A group of questions."""

    name: str
    questions: tuple[tuple[str, Question], ...]
    """Subject → question. The subject names the line when the question cannot be answered."""

    def lines(self, asking: Asking) -> Iterator[Line]:
        """The answers; a question that cannot be asked is one line that says why."""
        group = Group(self.name)
        for subject, question in self.questions:
            try:
                yield from question(asking, group)
            except CannotTellError as error:
                yield group.cannot_tell(subject, error.reason, error.fix)
            except RefusedError as error:
                yield group.cannot_tell(subject, str(error), "run it again; if the answer stays, look into it at AWS")
