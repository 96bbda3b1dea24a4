"""The differences that are allowed: read from ``differences.yaml``, matched to findings, and checked themselves.

A declaration that is malformed, has no owner or has expired allows nothing. One that matches no difference is stale. No
declaration allows a later environment to have less of something that must not decrease.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import yaml

from policies.parity.compare import Difference
from policies.parity.shape import Skip

FILE = Path(__file__).with_name("differences.yaml")
LONGEST_DAYS = 366
_KEYS = ("kind", "resource", "property", "reason", "owner", "expires")
_OPTIONAL = ("property",)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One allowed difference."""

    number: int
    kind: str
    resource: str
    property: str
    reason: str
    owner: str
    expires: dt.date

    def covers(self, path: str, property_: str) -> bool:
        """Whether it covers this property of this resource; without a property, the whole resource."""
        return _fits(self.resource, path) and (_fits(self.property, property_) if property_ else not self.property)


@dataclass(frozen=True, slots=True)
class Declarations:
    """The file as read."""

    environments: tuple[str, ...]
    """In the order in which a release is promoted through them."""
    in_force: tuple[Declaration, ...] = ()
    problems: tuple[str, ...] = ()

    def of(self, difference: Difference) -> Declaration | None:
        """The first declaration that allows this difference."""
        if difference.backwards or difference.unknown:
            return None
        return next((d for d in self.in_force if d.covers(difference.path, difference.property)), None)

    def skip(self) -> Skip:
        """What a digest leaves out, so that it is the same in every environment."""
        return lambda path, property_: any(d.property and d.covers(path, property_) for d in self.in_force)

    def stale(self, differences: Iterable[Difference]) -> list[Declaration]:
        """The declarations that match none of the differences."""
        found = list(differences)
        return [d for d in self.in_force if not any(d.covers(x.path, x.property) for x in found)]

    def pairs(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Neighbours among ``names``, the earlier environment first; undeclared ones come last, by name."""
        ordered = self.ordered(names)
        return list(itertools.pairwise(ordered))

    def ordered(self, names: Sequence[str]) -> list[str]:
        """``names`` in the declared order; undeclared ones come last, by name."""
        return [n for n in self.environments if n in names] + sorted(n for n in names if n not in self.environments)


def _fits(pattern: str, text: str) -> bool:
    """``*`` and ``?`` only: brackets are part of property paths."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def read(text: str, today: dt.date) -> Declarations:
    """The declarations in a file's text, as of ``today``."""
    try:
        loaded: Any = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        return Declarations((), (), (f"is not readable YAML: {' '.join(str(error).split())}",))
    if not isinstance(loaded, Mapping):
        return Declarations((), (), ("is not a mapping with the keys environments and differences",))
    content = cast("dict[str, Any]", loaded)
    environments = tuple(map(str, content.get("environments") or ()))
    problems: list[str] = []
    declarations: list[Declaration] = []
    for number, entry in enumerate(content.get("differences") or (), start=1):
        declaration = _declaration(number, entry, today, problems)
        if declaration is not None:
            declarations.append(declaration)
    return Declarations(environments, tuple(declarations), tuple(problems))


def _declaration(number: int, entry: object, today: dt.date, problems: list[str]) -> Declaration | None:
    before = len(problems)
    if not isinstance(entry, Mapping):
        problems.append(f"entry {number} is not a mapping of {', '.join(_KEYS)}")
        return None
    given = {str(key): value for key, value in cast("Mapping[Any, Any]", entry).items()}
    problems += [f"entry {number} has an unknown key {key}" for key in sorted(set(given) - set(_KEYS))]
    missing = [key for key in _KEYS if key not in _OPTIONAL and not str(given.get(key) or "").strip()]
    problems += [f"entry {number} has no {key}" for key in missing]
    if str(given.get("resource") or "").strip("*?") == "" and "resource" not in missing:
        problems.append(f"entry {number} covers every resource: name the resource")
    expires = given.get("expires")
    if isinstance(expires, dt.datetime) or not isinstance(expires, dt.date):
        if "expires" not in missing:
            problems.append(f"entry {number} expires {expires!r}, which is not a date as YYYY-MM-DD")
        return None
    if expires <= today:
        problems.append(f"entry {number} ({given.get('kind')}) expired on {expires.isoformat()}")
    if expires > today + dt.timedelta(days=LONGEST_DAYS):
        problems.append(
            f"entry {number} expires on {expires.isoformat()}: at most {LONGEST_DAYS} days ahead are allowed"
        )
    if len(problems) > before:
        return None
    texts = {key: " ".join(str(given.get(key) or "").split()) for key in _KEYS}
    return Declaration(
        number, texts["kind"], texts["resource"], texts["property"], texts["reason"], texts["owner"], expires
    )
