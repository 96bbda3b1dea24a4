"""Refusals that are intended: ``policies/accepted-changes.yaml``, each with reason, owner and expiry.

An entry makes the check of a pull request pass. It changes nothing about what Pulumi and AWS refuse.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import yaml

from preflight.changes.refusals import Refusal
from preflight.errors import ConfigurationError

FILE = "policies/accepted-changes.yaml"
LONGEST_DAYS = 31
"""The longest time between acceptance and expiry, in days: an accepted change is expected to be made soon."""
_KEYS = ("environment", "place", "reason", "owner", "expires")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One entry."""

    environment: str
    place: str
    """A pattern for refusals such as ``ec2.Vpc network-vpc.cidrBlock``; ``*`` matches all of them."""
    reason: str
    owner: str
    expires: dt.date
    """The first day on which the entry is no longer valid."""

    def covers(self, environment: str, refusal: Refusal) -> bool:
        """Whether the entry accepts this refusal in this environment."""
        return self.environment == environment and fnmatchcase(refusal.place, self.place)


def read(root: Path, today: dt.date) -> list[Accepted]:
    """The entries that are valid on ``today``; none if there is no file.

    :raises ConfigurationError: for a malformed file or entry; the message names the entry and what is allowed
    """
    path = root / FILE
    if not path.is_file():
        return []
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{FILE} is not readable YAML: {' '.join(str(error).split())}") from None
    listed: Any = cast("dict[str, Any]", content).get("accepted") if isinstance(content, Mapping) else content
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise ConfigurationError(f"{FILE} has no list named accepted: write `accepted: []`, or entries below it")
    entries = [_entry(number, entry, today) for number, entry in enumerate(cast("list[Any]", listed), start=1)]
    return [entry for entry in entries if entry.expires > today]


def _entry(number: int, entry: object, today: dt.date) -> Accepted:
    place = f"{FILE}, entry {number}"
    if not isinstance(entry, Mapping):
        raise ConfigurationError(f"{place} is not a mapping with the keys {', '.join(_KEYS)}")
    given = {str(key): value for key, value in cast("Mapping[Any, Any]", entry).items()}
    if unknown := sorted(given.keys() - set(_KEYS)):
        raise ConfigurationError(f"{place} has an unknown key {unknown[0]}; allowed: {', '.join(_KEYS)}")
    for key in _KEYS:
        if not str(given.get(key) or "").strip():
            raise ConfigurationError(f"{place} has no {key}: every entry has {', '.join(_KEYS)}")
    expires: object = given["expires"]
    if isinstance(expires, dt.datetime) or not isinstance(expires, dt.date):
        raise ConfigurationError(f"{place}: expires is {expires!r}, not a date as YYYY-MM-DD")
    if expires > today + dt.timedelta(days=LONGEST_DAYS):
        raise ConfigurationError(
            f"{place} is valid until {expires.isoformat()}; the latest allowed date is {LONGEST_DAYS} days ahead"
        )
    texts = {key: " ".join(str(given[key]).split()) for key in _KEYS[:-1]}
    return Accepted(**texts, expires=expires)


def accepting(entries: Sequence[Accepted], environment: str, refusal: Refusal) -> Accepted | None:
    """The first entry that accepts this refusal."""
    return next((entry for entry in entries if entry.covers(environment, refusal)), None)
