"""Other forms in which people write an answer, and the form that the stack files take."""

from __future__ import annotations

import re

_ACCOUNT = re.compile(r"[\d\s-]+")
_ACCOUNT_DIGITS = 12
_REPOSITORY = re.compile(
    r"(?:(?:https?|ssh|git)://)?(?:git@)?(?:www\.)?github\.com[:/](?P<name>[^/\s]+/[^/\s]+?)(?:\.git)?/?", re.IGNORECASE
)
_HOST = re.compile(r"(?:https?://)?(?P<host>[^\s/:?#@]+?)\.?(?::443)?/?", re.IGNORECASE)
_ZONE = re.compile(r"/?hostedzone/(?P<id>\w+)", re.IGNORECASE)
_YES, _NO = ("y", "yes", "true"), ("n", "no", "false")


def as_written(answer: str) -> str:
    """The answer itself."""
    return answer


def account(answer: str) -> str:
    """``1111-2222-3333`` and ``1111 2222 3333``, as the console shows an account, become 12 digits."""
    digits = re.sub(r"\D", "", answer)
    return digits if _ACCOUNT.fullmatch(answer) and len(digits) == _ACCOUNT_DIGITS else answer


def repository(answer: str) -> str:
    """The URL of a repository on GitHub, as a browser or ``git remote`` shows it, becomes ``owner/name``."""
    found = _REPOSITORY.fullmatch(answer)
    return found["name"] if found else answer


def host(answer: str) -> str:
    """``https://chat.example.com/`` becomes ``chat.example.com``. A path or another port stays, and is refused."""
    found = _HOST.fullmatch(answer)
    return found["host"].lower() if found else answer


def hosts(answer: str) -> str:
    """The same for each host name in a list with commas."""
    return ", ".join(host(one.strip()) for one in answer.split(",") if one.strip())


def hosted_zone(answer: str) -> str:
    """``/hostedzone/Z0123``, as Route 53's API returns it, becomes ``Z0123``."""
    found = _ZONE.fullmatch(answer)
    return found["id"] if found else answer


def yes_or_no(answer: str) -> str:
    """``y``, ``n``, and the two values of YAML."""
    given = answer.casefold()
    return "yes" if given in _YES else "no" if given in _NO else answer


def lower(answer: str) -> str:
    """In lower case."""
    return answer.lower()
