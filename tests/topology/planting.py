"""A table of changes to the compliant stack, each with where it has to be reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.topology.builders import Stack

Change = Callable[[Stack], None]


@dataclass(frozen=True)
class Plant:
    """One change and the places (``resource.property``) that have to be reported as violated or not modelled."""

    change: Change
    section: str
    places: tuple[str, ...]
    any_of: bool

    @property
    def name(self) -> str:
        """The change in words."""
        return self.change.__name__.replace("_", " ")


PLANTS: list[Plant] = []


def planted(section: str, *places: str, any_of: bool = False) -> Callable[[Change], Change]:
    """Register a planted exposure; with ``any_of`` one of the places is enough."""

    def register(change: Change) -> Change:
        PLANTS.append(Plant(change, section, places, any_of))
        return change

    return register
