"""Refusals that are intended: ``policies/accepted-changes.yaml``, each with reason, owner and expiry.

An entry makes the check of a pull request pass. Pulumi and AWS still refuse the change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from policies.guardrails import declarations
from policies.guardrails.declarations import Declaration, Form
from preflight.changes.refusals import Refusal
from preflight.errors import ConfigurationError

FILE = "policies/accepted-changes.yaml"
LONGEST_DAYS = 31
"""The longest time between acceptance and expiry, in days: an accepted change is expected to be made soon."""
_FORM = Form(FILE, "accepted", ("environment", "place"), longest_days=LONGEST_DAYS)


@dataclass(frozen=True, slots=True)
class AcceptedChange:
    """One entry."""

    declaration: Declaration

    @property
    def expires(self) -> dt.date:
        """The first day on which it is no longer valid."""
        return self.declaration.expires

    @property
    def reason(self) -> str:
        """The reason for the change, and the plan for it."""
        return self.declaration.reason

    @property
    def owner(self) -> str:
        """The person or team responsible for the entry."""
        return self.declaration.owner

    def covers(self, environment: str, refusal: Refusal) -> bool:
        """Whether the entry accepts this refusal in this environment.

        ``place`` is a pattern for refusals such as ``ec2.Vpc network-vpc.cidrBlock``; ``*`` matches all of them.
        """
        values = self.declaration.values
        return values["environment"] == environment and fnmatchcase(refusal.place, values["place"])


def read(root: Path, today: dt.date) -> list[AcceptedChange]:
    """The entries that are valid on ``today``; none if there is no file.

    :raises ConfigurationError: for a file or an entry that is not well formed or has expired, with place and fix
    """
    path = root / FILE
    if not path.is_file():
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{FILE} is not UTF-8: save it as UTF-8") from None
    entries, problems = declarations.read(text, _FORM, today)
    if problems:
        raise ConfigurationError(
            "\n".join(f"{p.headline} (found: {p.found}; allowed: {p.wanted}): {p.fix}" for p in problems)
        )
    return list(map(AcceptedChange, entries))


def accepting(entries: Sequence[AcceptedChange], environment: str, refusal: Refusal) -> AcceptedChange | None:
    """The first entry that accepts this refusal."""
    return next((entry for entry in entries if entry.covers(environment, refusal)), None)
