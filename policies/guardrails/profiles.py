"""Profiles: how much of the pack a stack is held to.

``data/profiles.tsv`` has one line for each policy: its id, then its level in each profile (``mandatory``, ``advisory`` or
``-``, where it does not run). A level may be followed by settings of the policy, such as ``latent=advise``: an exposure that is
one change away is then advice. Columns are separated by tabs. A policy without a line runs in ``ai-interface`` only, at its own level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from .data_files import FOLDER
from .rule import Level, Rule

FILE = FOLDER / "profiles.tsv"


class Profile(StrEnum):
    """A set of policies with their levels, each containing the ones before it."""

    EXPOSURE = "exposure"
    """Only what makes something reachable or grants it."""
    BASELINE = "baseline"
    """AWS Foundational Security Best Practices in addition."""
    AI_INTERFACE = "ai-interface"
    """Every policy, as this pack's own stacks are held to."""


DEFAULT = Profile.EXPOSURE
"""The profile of a stack for which nothing chooses one."""


@dataclass(frozen=True, slots=True)
class Place:
    """A policy in one profile: its level, and its settings where they differ from the policy's defaults."""

    level: Level
    settings: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)


@cache
def table() -> Mapping[str, Mapping[Profile, Place]]:
    """Policy → its place in each profile. Raises ``ValueError`` for a line that is not in order."""
    found: dict[str, Mapping[Profile, Place]] = {}
    for number, line in enumerate(FILE.read_text(encoding="utf-8").splitlines(), start=1):
        name, *cells = line.split("\t")
        if len(cells) != len(Profile) or name in found:
            raise ValueError(
                f"{FILE.name}:{number}: wanted one line a policy, with {len(Profile)} levels; found {line!r}"
            )
        found[name] = {profile: _place(cell) for profile, cell in zip(Profile, cells, strict=True)}
    return found


def _place(cell: str) -> Place:
    level, *settings = cell.split(" ")
    pairs = {key: value for key, _, value in (setting.partition("=") for setting in settings)}
    return Place(Level.DISABLED if level == "-" else Level(level), pairs)


def place_of(rule: Rule, profile: Profile) -> Place:
    """A policy's place in a profile."""
    row = table().get(rule.name)
    if row is not None:
        return row[profile]
    return Place(rule.level if profile is Profile.AI_INTERFACE else Level.DISABLED)
