"""One setting of the repository: the expected state, how to set it, and how to read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from preflight.account.lines import CannotTellError, Line, Status
from preflight.github.api import GitHub

Found = tuple[bool, str]
"""Whether the setting is as expected, and what was found, in one sentence."""
ADMINISTRATION = "Administration (read)"
ACTIONS = "Actions (read)"
METADATA = "Metadata (read)"


def within(content: object, *keys: str) -> Mapping[str, Any]:
    """The object below these keys; empty if one of them is missing or null."""
    found = content
    for key in keys:
        found = cast("Mapping[str, Any]", found).get(key) if isinstance(found, Mapping) else None
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


@dataclass(frozen=True)
class Setting:
    """One setting."""

    group: str
    subject: str
    wanted: str
    """The expected state and its consequence, in one sentence."""
    fix: str
    """The command or the place in GitHub that sets it."""
    look: Callable[[GitHub], Found]
    """Reads it. May raise ``CannotTellError``."""

    def line(self, github: GitHub) -> Line:
        """The setting as it is."""
        try:
            holds, found = self.look(github)
        except CannotTellError as error:
            return Line(self.group, self.subject, Status.CANNOT_TELL, error.reason, error.fix)
        status = Status.OK if holds else Status.MISSING
        return Line(self.group, self.subject, status, found, "" if holds else f"{self.wanted}: {self.fix}")
