"""Documented constraints: the source, the constrained values, and the way to read them from a recorded graph.

A row is data. Four kinds cover nearly everything: the characters and length of a text, the range of a number, the
number of entries in a list, and the number of resources with the same owner. The rest are functions of the whole graph.
Every kind can produce values that break it, so that a test can generate a violation from any recorded stack.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import SECRET, UNKNOWN, is_signed, unwrap

Json: TypeAlias = Any
Numbers: TypeAlias = Iterator[tuple[RecordedResource, str, float]]
"""Resource, property and the number found there."""


@dataclass(frozen=True, slots=True)
class BrokenConstraint:
    """One violation: the resource, the property, and the value found there; never a secret's value."""

    resource: RecordedResource
    path: str
    found: str


@dataclass(frozen=True, kw_only=True)
class Constraint(ABC):
    """One documented constraint. ``source`` is a public URL, ``wanted`` the requirement in one clause."""

    name: str
    source: str
    wanted: str
    fix: str

    @abstractmethod
    def broken(self, recording: Recording) -> Iterator[BrokenConstraint]:
        """Every violation of the constraint in the graph."""


@dataclass(frozen=True, kw_only=True)
class Text(Constraint):
    """The allowed characters and length of a text, or of the compact JSON in it.

    ``types`` maps a resource type to the paths of its texts; a path steps into objects by name and into every entry of
    a list by ``[]``. A path that begins with ``=`` is read from the outputs, for names that Pulumi
    generates.
    """

    types: Mapping[str, tuple[str, ...]]
    pattern: str = ""
    """A regular expression for the whole text; empty: any characters."""
    most: int = 0
    """The longest text; 0: any length."""
    least: int = 0
    measure: str = "characters"
    """``characters``, ``bytes`` (UTF-8) or ``visible``: characters without white space."""

    def broken(self, recording: Recording) -> Iterator[BrokenConstraint]:
        """Texts that are too long or too short, or that have other characters."""
        for resource, path, value in read(recording, self.types):
            if is_signed(value, SECRET):
                yield from self._evaluate(resource, path, str(unwrap(value)), secret=True)
            elif isinstance(value, str):
                yield from self._evaluate(resource, path, value, secret=False)

    def _evaluate(
        self, resource: RecordedResource, path: str, text: str, *, secret: bool
    ) -> Iterator[BrokenConstraint]:
        size = measured(text, self.measure)
        if size < self.least or (self.most and size > self.most):
            yield BrokenConstraint(resource, path, f"{size} {self.measure}")
        elif self.pattern and not re.fullmatch(self.pattern, text):
            yield BrokenConstraint(resource, path, "a secret value of another form" if secret else repr(text))


@dataclass(frozen=True, kw_only=True)
class Number(Constraint):
    """The allowed range of a number."""

    types: Mapping[str, tuple[str, ...]]
    least: float = 0
    most: float = float("inf")

    def broken(self, recording: Recording) -> Iterator[BrokenConstraint]:
        """Numbers outside the range."""
        for resource, path, value in read(recording, self.types):
            if isinstance(value, int | float) and not self.least <= value <= self.most:
                yield BrokenConstraint(resource, path, str(value))


@dataclass(frozen=True, kw_only=True)
class Entries(Constraint):
    """The allowed number of entries in a list or a map of one resource."""

    types: Mapping[str, tuple[str, ...]]
    most: int

    def broken(self, recording: Recording) -> Iterator[BrokenConstraint]:
        """Lists and maps with too many entries."""
        for resource, path, value in read(recording, self.types):
            if isinstance(value, list | dict):
                size = len(cast("list[Json]", value))
                if size > self.most:
                    yield BrokenConstraint(resource, path, f"{size} entries")


@dataclass(frozen=True, kw_only=True)
class Shared(Constraint):
    """The allowed number of resources of one kind with the same owner, such as rules of a security group.

    ``owner`` is the property that refers to the owner; ``""`` counts all resources of the stack. ``only`` selects the
    resources that count. ``weight`` is the number that one resource counts for.
    """

    type: str
    owner: str = ""
    most: int
    only: Callable[[Mapping[str, Json]], bool] = field(default=lambda _: True)
    weight: Callable[[Recording, Mapping[str, Json]], int] = field(default=lambda _recording, _inputs: 1)

    def members(self, recording: Recording) -> dict[str, list[RecordedResource]]:
        """Owner → the resources that count."""
        found: dict[str, list[RecordedResource]] = {}
        for resource in recording.of_type(self.type):
            if self.only(resource.inputs):
                owner = str(resource.inputs.get(self.owner, "")) if self.owner else "the stack"
                found.setdefault(owner, []).append(resource)
        return found

    def broken(self, recording: Recording) -> Iterator[BrokenConstraint]:
        """For each owner with too many resources, yield the last one."""
        for owner, members in sorted(self.members(recording).items()):
            count = sum(self.weight(recording, one.inputs) for one in members)
            if count > self.most:
                yield BrokenConstraint(members[-1], self.owner or "", f"{count} for {owner}")


@dataclass(frozen=True, kw_only=True)
class DocumentedRule(Constraint):
    """A constraint that is a function of the whole graph."""

    find: Callable[[Recording], Iterator[BrokenConstraint]]

    def broken(self, recording: Recording) -> Iterator[BrokenConstraint]:
        """The violations that the function finds."""
        yield from self.find(recording)


@dataclass(frozen=True, kw_only=True)
class Measured(Constraint):
    """The allowed range of numbers that a function computes from the graph, such as the values in a rule's conditions."""

    numbers: Callable[[Recording], Numbers]
    unit: str
    least: float = 0
    most: float = float("inf")

    def broken(self, recording: Recording) -> Iterator[BrokenConstraint]:
        """Numbers outside the range."""
        for resource, path, number in self.numbers(recording):
            if not self.least <= number <= self.most:
                yield BrokenConstraint(resource, path, f"{number:g} {self.unit}")


def read(recording: Recording, types: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[RecordedResource, str, Json]]:
    """Every value at the paths of the types, with its path; absent and unknown values are left out."""
    for type_ in sorted(types):
        for resource in recording.of_type(type_):
            for path in types[type_]:
                tree = resource.outputs if path.startswith("=") else resource.inputs
                for place, value in at(tree, path.removeprefix("=")):
                    if value is not None and value != UNKNOWN:
                        yield resource, place, value


def at(tree: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Path and value of every match of a path such as ``rules[].name``, including inside secrets."""
    yield from _at(tree, tuple(step for step in path.replace("[]", ".[]").split(".") if step), "")


def _at(value: Json, steps: tuple[str, ...], place: str) -> Iterator[tuple[str, Json]]:
    if not steps:
        yield place, value
        return
    if is_signed(value, SECRET):
        value = unwrap(value)
    step, rest = steps[0], steps[1:]
    if step == "[]" and isinstance(value, list):
        for position, item in enumerate(cast("list[Json]", value)):
            yield from _at(item, rest, f"{place}[{position}]")
    elif step == "*" and isinstance(value, dict):
        for key, item in sorted(cast("dict[str, Json]", value).items()):
            yield from _at(item, rest, f"{place}.{key}" if place else key)
    elif step == "keys" and isinstance(value, dict):
        for key in sorted(cast("dict[str, Json]", value)):
            yield from _at(key, rest, place)
    elif isinstance(value, dict) and step in value:
        yield from _at(cast("dict[str, Json]", value)[step], rest, f"{place}.{step}" if place else step)


def measured(text: str, measure: str) -> int:
    """The size of a text: ``bytes``, ``characters``, or ``visible`` characters, as IAM counts a policy."""
    if measure == "bytes":
        return len(text.encode("utf-8"))
    return len(re.sub(r"\s", "", text)) if measure == "visible" else len(text)


def mapping(value: Json) -> dict[str, Json]:
    """Return the value if it is an object, otherwise an empty object."""
    return cast("dict[str, Json]", value) if isinstance(value, dict) else {}


def listed(value: Json) -> list[Json]:
    """Return the value if it is a list, otherwise an empty list."""
    return cast("list[Json]", value) if isinstance(value, list) else []


def inside(tree: Json, *keys: str) -> Iterator[Json]:
    """Every value of the keys, at any depth."""
    for name, value in sorted(mapping(tree).items()):
        if name in keys and value is not None:
            yield value
        yield from inside(value, *keys)
    for item in listed(tree):
        yield from inside(item, *keys)


def document(value: Json) -> Json:
    """A JSON document given as text or as an object; ``None`` for anything else."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None
