"""The differences that are allowed: read from ``differences.yaml`` and matched to findings.

``policies.guardrails.declarations`` reads and checks the entries. No declaration allows a later environment to have
less of a value that must not decrease.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, cast

import yaml

from policies.guardrails import declarations
from policies.guardrails.declarations import Declaration, Form, Values, Wrong, matches
from policies.guardrails.topology.graph.verdicts import Finding
from policies.parity.compare import Difference
from policies.parity.shape import Skip

FILE = Path(__file__).with_name("differences.yaml")


@dataclass(frozen=True, slots=True)
class AllowedDifference:
    """One allowed difference."""

    declaration: Declaration

    @property
    def kind(self) -> str:
        """A name for the reason, such as capacity."""
        return self.declaration.values["kind"]

    @property
    def property(self) -> str:
        """The properties, as a pattern; empty for the whole resource."""
        return self.declaration.values["property"]

    def covers(self, path: str, property_: str) -> bool:
        """Whether it covers this property of this resource; without a property, the whole resource."""
        fits = matches(self.declaration.values["resource"], path)
        return fits and (matches(self.property, property_) if property_ else not self.property)

    def unused(self) -> Finding:
        """The finding that it matches no difference."""
        subject = f"{self.declaration.values['resource']} {self.property}".strip()
        return self.declaration.unused(subject, "a declaration that matches a difference between the environments")


@dataclass(frozen=True, slots=True)
class AllowedDifferences:
    """The parsed file."""

    environments: tuple[str, ...]
    """The environments in the order in which a release is promoted through them."""
    in_force: tuple[AllowedDifference, ...] = ()
    problems: tuple[Finding, ...] = ()

    def of(self, difference: Difference) -> AllowedDifference | None:
        """The first declaration that allows this difference."""
        if difference.backwards or difference.unknown:
            return None
        return next((d for d in self.in_force if d.covers(difference.path, difference.property)), None)

    def skip(self) -> Skip:
        """The values that a digest leaves out, so that it is the same in every environment."""

        @cache
        def about(path: str) -> list[AllowedDifference]:
            return [d for d in self.in_force if d.property and matches(d.declaration.values["resource"], path)]

        return lambda path, property_: bool(property_) and any(matches(d.property, property_) for d in about(path))

    def unused(self, differences: Iterable[Difference]) -> list[AllowedDifference]:
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


@lru_cache(maxsize=8)
def read(text: str, today: dt.date) -> AllowedDifferences:
    """The declarations in a file's text, as of ``today``."""
    entries, problems = declarations.read(text, _FORM, today)
    return AllowedDifferences(_environments(text), tuple(map(AllowedDifference, entries)), problems)


def _environments(text: str) -> tuple[str, ...]:
    """Return the text; empty if the file cannot be read, which is reported as a problem."""
    try:
        loaded: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return ()
    named: Any = cast("Mapping[str, Any]", loaded).get("environments") if isinstance(loaded, Mapping) else None
    return tuple(map(str, cast("list[Any]", named))) if isinstance(named, list) else ()


def _wrong(values: Values) -> Iterator[Wrong]:
    resource = values["resource"]
    if resource and not resource.strip("*?"):
        yield "is too wide", resource, "a pattern that names a component, a type or a resource"


_FORM = Form(
    file=FILE.name,
    key="differences",
    required=("kind", "resource"),
    optional=("property",),
    others=("environments",),
    identity=("resource", "property"),
    check=_wrong,
)
