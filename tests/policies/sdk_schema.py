"""What the installed AWS SDK declares: the properties of each resource type, including nested ones."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import pulumi_aws

from policies.guardrails.topology.graph.resources import kind_of
from policies.guardrails.topology.graph.values import steps
from preflight.sdk import runtime

_NAMES = re.compile(r"\w+")


@dataclass(frozen=True)
class Property:
    """One property of a resource type: whether it is a list, and what is nested in it."""

    many: bool = False
    nested: dict[str, Property] = field(default_factory=dict["str", "Property"])


@cache
def tokens() -> dict[str, str]:
    """Every resource type of the SDK by its short name, with its type token."""
    assert pulumi_aws.__name__ in sys.modules, "importing the SDK registers its types"
    return {kind_of(token): token for token in runtime.resource_tokens("aws")}


@cache
def properties(kind: str) -> dict[str, Property]:
    """The properties of a resource type by name; empty when the SDK has no such type."""
    cls = runtime.resource_class(tokens()[kind]) if kind in tokens() else None
    return {} if cls is None else {"id": Property(), **_tree(cls, ())}


@cache
def settable(kind: str) -> dict[str, Property]:
    """Those properties of a resource type that a program may set, rather than only read."""
    cls = runtime.resource_class(tokens()[kind])
    assert cls is not None
    module = sys.modules[cls.__module__]
    arguments = getattr(module, f"{cls.__name__}Args", None) or getattr(module, f"{cls.__name__}InitArgs")
    names = {name for name, _ in runtime.getters(arguments)}
    return {name: item for name, item in properties(kind).items() if name in names}


def _tree(cls: type, above: tuple[type, ...]) -> dict[str, Property]:
    return {name: _property(cls, getter, (*above, cls)) for name, getter in runtime.getters(cls)}


def _property(cls: type, getter: property, above: tuple[type, ...]) -> Property:
    hint = str(getattr(getter.fget, "__annotations__", {}).get("return"))
    outputs = sys.modules.get(f"{cls.__module__.rpartition('.')[0]}.outputs")
    for name in _NAMES.findall(hint):
        nested = getattr(outputs, name, None)
        if isinstance(nested, type) and runtime.is_output_type(nested):
            return Property("Sequence" in hint, {} if nested in above else _tree(nested, above))
    return Property("Sequence" in hint)


def has(kind: str, path: str) -> bool:
    """Whether a resource type has a property at a path such as ``routes[0].cidrBlock``."""
    return _reaches(properties(kind), [step for step in steps(path) if not step.isdigit()])


def has_within(kind: str, path: str) -> bool:
    """Whether a resource type has a property at the end of any path, such as ``cidrBlock`` in ``routes[0].cidrBlock``."""
    wanted = [step for step in steps(path) if not step.isdigit()]
    return any(_reaches(level, wanted) for level in _levels(properties(kind)))


def _reaches(level: dict[str, Property], wanted: list[str]) -> bool:
    for step in wanted:
        if step not in level:
            return False
        level = level[step].nested
    return True


def _levels(level: dict[str, Property]) -> Iterator[dict[str, Property]]:
    yield level
    for item in level.values():
        if item.nested:
            yield from _levels(item.nested)
