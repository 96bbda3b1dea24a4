"""The arguments of the components as a tree of fields, with the names that callers of the package use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from inspect import get_annotations, isclass
from typing import Any, cast, get_args, get_origin

import pulumi
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from components.args import Args

COUNTS_AND_FLAGS = (bool, float, int)


@dataclass(frozen=True)
class Member:
    """One argument: a field of an ``Args`` with the caller's name for it."""

    name: str
    """The field, in snake_case."""
    spelling: str
    """The same in camelCase, as TypeScript, YAML and the schema write it."""
    field: FieldInfo
    wired: bool
    """Whether the value may be unknown in a preview."""
    model: type[Args] | None
    """The ``Args`` of its value, or of each item of a list or map."""

    @property
    def is_plain(self) -> bool:
        """Whether it is a number, a flag, one of several names, or one object.

        The first three decide which resources exist and what they are, so a caller passes them as plain values. An object is
        plain so that each of its members may be an output: the Go SDK makes a single output of an object that is not plain,
        which a preview does not know if it does not know one of the members.
        """
        if self.is_object:
            return True
        kinds = kinds_of(self.field.annotation)
        return not self.wired and all(kind in COUNTS_AND_FLAGS or issubclass(kind, Enum) for kind in kinds)

    @property
    def is_object(self) -> bool:
        """Whether it is one object with named members; not a list or a map of them."""
        return self.model is not None and not any(
            get_origin(one) in (dict, list) for one in (self.field.annotation, *get_args(self.field.annotation))
        )

    @property
    def default(self) -> object:
        """The value if the argument is omitted; ``None`` if there is none."""
        if self.wired:
            return None
        value: object = self.field.get_default(call_default_factory=True)
        return None if value is PydanticUndefined else value


def spelled(name: str) -> str:
    """A field's name as the schema writes it: ``hosted_zone_id`` is ``hostedZoneId``."""
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def args_of(component: type[pulumi.ComponentResource]) -> type[Args]:
    """The class of a component's arguments."""
    return cast("type[Args]", get_annotations(component.__init__)["args"])


@cache
def members(model: type[Args]) -> Mapping[str, Member]:
    """The arguments by the caller's name, in the order of the class."""
    wired = model.wired()
    return {
        spelled(name): Member(name, spelled(name), field, name in wired, _model_of(field.annotation))
        for name, field in model.model_fields.items()
    }


def all_models(components: list[type[pulumi.ComponentResource]]) -> Mapping[str, type[Args]]:
    """Every ``Args`` that is part of another one, by its class's name."""
    found: dict[str, type[Args]] = {}
    for component in components:
        for model in _below(args_of(component)):
            found[model.__name__] = model
    return dict(sorted(found.items()))


def kinds_of(annotation: object) -> set[type]:
    """The classes in an annotation; those of lists, maps and outputs are of their items."""
    if inner := [one for one in get_args(annotation) if one is not type(None)]:
        return {kind for one in inner for kind in kinds_of(one)}
    return {cast("type", annotation)} if isclass(annotation) else set()


def _model_of(annotation: object) -> type[Args] | None:
    return next((kind for kind in kinds_of(annotation) if issubclass(kind, Args)), None)


def _below(model: type[Args]) -> Iterator[type[Args]]:
    for member in members(model).values():
        if member.model is not None:
            yield member.model
            yield from _below(member.model)


def constraints(field: FieldInfo) -> dict[str, Any]:
    """The limits that pydantic validates: ``ge``, ``le``, ``min_length``, ``max_length`` and ``pattern``, those that are set."""
    found: dict[str, Any] = {}
    for one in field.metadata:
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern"):
            if (value := getattr(one, name, None)) is not None:
                found[name] = value
    return found


def allowed(field: FieldInfo) -> str:
    """The allowed values as text, from the constraints that validate them; empty if there are none."""
    found, parts = constraints(field), list[str]()
    choices = [kind for kind in kinds_of(field.annotation) if issubclass(kind, Enum)]
    if choices:
        parts.append(", ".join(sorted(str(one.value) for one in choices[0])))
    least, most = found.get("ge"), found.get("le")
    if least is not None and most is not None:
        parts.append(f"{least} to {most}")
    elif least is not None:
        parts.append(f"{least} or more")
    elif most is not None:
        parts.append(f"{most} or less")
    fewest, longest = found.get("min_length"), found.get("max_length")
    if fewest is not None and longest is not None:
        parts.append(f"{fewest} to {longest} entries")
    elif fewest is not None:
        parts.append("one entry or more" if fewest == 1 else f"{fewest} entries or more")
    elif longest is not None:
        parts.append(f"{longest} entries or fewer")
    if "pattern" in found:
        parts.append(f"text that matches {found['pattern']}")
    return "; ".join(parts)
