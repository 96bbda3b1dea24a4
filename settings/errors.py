"""Problems in a configuration, by key. All problems are reported at once, and secrets are never shown.

A :class:`Problem` contains the key as it is written in the file, the value, the allowed values and the fix.
:class:`SettingsError` contains every problem; Pulumi prints it without a traceback (it is a ``RunError``). Validators
call :func:`check`; inside ``with collected():`` several failing checks are reported together. ``rendering.py`` turns
pydantic's own errors into problems.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import cast

import pulumi

HIDDEN = "(not shown: it may be a secret)"
NOT_SET = "(not set)"
_LONGEST = 200
_LARGEST_SHOWN = 10**18

_SECRET_LIKE = (
    re.compile(r"PRIVATE KEY"),
    re.compile(r"\b(GOCSPX-|sk-|gh[pousr]_|github_pat_|xox[abprs]-|AKIA|ASIA|eyJ)[A-Za-z0-9_-]{8,}"),
    re.compile(r"(?<![0-9a-f:])[0-9a-f]{32,}(?![0-9a-f])"),
    re.compile(r"(?=[^\s/:,]*[a-z])(?=[^\s/:,]*[A-Z])(?=[^\s/:,]*\d)[^\s/:,]{20,}"),
)
_PUBLIC = re.compile(r"^ELBSecurityPolicy-[A-Za-z0-9-]{1,60}$")
"""AWS names that look like secrets; hiding them would hide the problem."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem and its fix."""

    key: str
    value: str
    allowed: str
    fix: str

    def __str__(self) -> str:
        return f"{self.key}\n  value:   {self.value}\n  allowed: {self.allowed}\n  fix:     {self.fix}"


class SettingsError(pulumi.RunError):
    """The configuration is invalid. ``str()`` is the full report; ``problems`` are its parts."""

    def __init__(self, subject: str, problems: Iterable[Problem]) -> None:
        self.subject = subject
        self.problems = tuple(dict.fromkeys(problems))
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(f"{count} in {subject}\n\n" + "\n\n".join(map(str, self.problems)))


class FailedChecksError(ValueError):
    """Raised inside validators. pydantic wraps it, and ``rendering`` extracts the problems."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.key}: allowed is {p.allowed}" for p in self.problems))


_collecting: ContextVar[list[Problem] | None] = ContextVar("collecting", default=None)


@contextmanager
def collected() -> Generator[None]:
    """Report every failing :func:`check` in the block, not only the first."""
    problems: list[Problem] = []
    token = _collecting.set(problems)
    try:
        yield
    finally:
        _collecting.reset(token)
    if problems:
        raise FailedChecksError(problems)


def check(condition: bool, *, key: str, value: str | None = None, allowed: str, fix: str) -> bool:
    """Report a problem if ``condition`` is false. Returns the condition for dependent checks."""
    if condition:
        return True
    problem = Problem(key, NOT_SET if value is None else hide(printable(value)), allowed, fix)
    problems = _collecting.get()
    if problems is None:
        raise FailedChecksError([problem])
    problems.append(problem)
    return False


def printable(text: str, longest: int = _LONGEST) -> str:
    """``text`` on one line, without control characters, shortened in the middle if it is too long."""
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[: longest * 2])
    if len(text) <= longest and len(clean) <= longest:
        return clean
    return f"{clean[: longest - 1]}…"


def looks_like_secret(text: str) -> bool:
    """Whether ``text`` looks like a key, a token or a generated password instead of a name."""
    return not _PUBLIC.match(text) and any(pattern.search(text) for pattern in _SECRET_LIKE)


def hide(text: str) -> str:
    """``text``, unless it may be a secret."""
    return HIDDEN if looks_like_secret(text) else text


def shown(value: object) -> str:
    """A rejected value for display: short, on one line, hidden if it may be a secret."""
    if value is None:
        return "(empty)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if abs(value) < _LARGEST_SHOWN else "a number of more than 18 digits"
    if isinstance(value, str):
        return HIDDEN if looks_like_secret(value) else f'"{printable(value, 80)}"'
    if isinstance(value, list | tuple):
        return f"a list of {len(cast('list[object]', value))}"
    return "an object" if isinstance(value, dict) else printable(str(value))
