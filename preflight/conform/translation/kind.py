"""How one Pulumi resource type is translated to CloudFormation properties: the building blocks of this package's tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from preflight.sdk.wire import Json, Wire

Shape: TypeAlias = Callable[[Json], Wire]
"""Turns the value of one Pulumi property into CloudFormation properties; several may contribute to the same one."""


@dataclass(frozen=True, slots=True)
class ModelledCall:
    """An API call that also receives the values, as described by botocore's service model."""

    service: str
    """botocore's name of the service, for example ``elbv2``."""
    operation: str
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """CloudFormation's name of a field, at any depth → the call's name, if they differ by more than case."""
    inside: str = ""
    """The member of the call's input that contains the values, for example ``Budget``; lists in the path are entered."""
    split: frozenset[str] = frozenset()
    """CloudFormation properties that the provider splits over several calls if they have too many items."""


@dataclass(frozen=True, slots=True)
class Like:
    """A CloudFormation type that has constraints which the resource's own type lacks."""

    cloudformation: str
    names: Mapping[str, str]
    """Property of the resource → property of this type."""
    placeholders: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Other properties that this type requires."""


@dataclass(frozen=True, slots=True)
class TranslatedKind:
    """The translation of one Pulumi type.

    A property without an entry has the same name in CloudFormation, ignoring case. The schema allows no property that it
    does not define, so a wrong name here is reported and never skipped.
    """

    cloudformation: str
    """The CloudFormation type, for example ``AWS::EC2::VPC``; empty if CloudFormation has no such type, with the reason
    in ``why``."""
    properties: Mapping[str, str | Shape] = field(default_factory=dict[str, "str | Shape"])
    """Pulumi property → CloudFormation property, or a shape.

    ``PortRange.From`` is a field of another property.
    """
    nested: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names below the top level that differ by more than case."""
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    """Pulumi property → why it is not checked against the schema."""
    added: Mapping[str, str] = field(default_factory=dict[str, str])
    """Required CloudFormation property → output of the Pulumi resource with the value."""
    calls: tuple[ModelledCall, ...] = ()
    """The calls that the provider makes with these values."""
    called: Mapping[str, Shape] = field(default_factory=dict[str, Shape])
    """Pulumi property → its form in the calls, if it differs from CloudFormation's."""
    uncalled: Mapping[str, str] = field(default_factory=dict[str, str])
    """CloudFormation property that no call in ``calls`` receives → why."""
    single: frozenset[str] = frozenset()
    """Fields below the top level that are a list in Pulumi and one object in CloudFormation."""
    placeholders: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Required CloudFormation property of another resource, which is checked separately → a placeholder value."""
    like: Like | None = None
    """Another type whose constraints also apply to some properties."""
    part: bool = False
    """Whether this is a part of a CloudFormation resource that is another resource in Pulumi, so that names repeat."""
    within: str = ""
    """The path of the properties in the CloudFormation resource; ``[Name]``: in a list of one."""
    outside: frozenset[str] = frozenset()
    """Pulumi properties, and placeholders, that are not in ``within``."""
    home: str = ""
    """The region whose schema is used in all regions, for a global service."""
    why: str = ""
    """The reason why there is no CloudFormation type, or no call."""


def tags(name: str = "Tags") -> Shape:
    """Tags as a list of ``Key`` and ``Value``."""
    return pairs(name, "Key")


def pairs(name: str, key: str = "Name") -> Shape:
    """A map of strings as a list of objects."""
    return lambda value: {name: [{key: k, "Value": v} for k, v in sorted(cast("Wire", value).items())]}


def verbatim(name: str) -> Shape:
    """A value whose keys are data, not names of properties."""
    return lambda value: inside(name, value)


def document(name: str) -> Shape:
    """A JSON document that Pulumi stores as text, as an object."""
    return lambda value: inside(name, parsed(value))


def parsed(value: Json) -> Json:
    """Parsed JSON text. Invalid JSON becomes a list, which no document's schema accepts."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return [value]


def attribute(name: str, key: str) -> Shape:
    """One entry of a list of attributes: ELB stores settings as key and text."""
    return lambda value: {name: [{"Key": key, "Value": _text(value)}]}


def attributes(name: str, keys: Mapping[str, str]) -> Shape:
    """A block whose fields are entries of a list of attributes. A field without a key is kept and reported."""
    return lambda value: {
        name: [{"Key": keys.get(k, f"unknown:{k}"), "Value": _text(v)} for k, v in sorted(cast("Wire", value).items())]
    }


def renamed(value: Json, names: Mapping[str, str]) -> Wire:
    """A block with renamed fields. A field without a new name is kept under a name that the schema refuses."""
    return {names.get(key, f"Unknown{key}"): item for key, item in cast("Wire", value).items()}


def capitalised(value: Json, data: Collection[str] = ()) -> Json:
    """Blocks with capitalized field names, as in CloudFormation. Fields in ``data`` are kept: their keys are data."""
    if isinstance(value, dict):
        return {_upper(k): v if k in data else capitalised(v, data) for k, v in cast("Wire", value).items()}
    return [capitalised(item, data) for item in cast("list[Json]", value)] if isinstance(value, list) else value


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]


def fields(names: Mapping[str, str]) -> Shape:
    """A block whose fields are properties of the resource. A field without a name is kept and reported."""

    def shape(value: Json) -> Wire:
        result: Wire = {}
        for key, item in sorted(cast("Wire", value).items()):
            result = joined(result, inside(names.get(key, f"Unknown{key}"), item))
        return result

    return shape


def inside(path: str, value: Json) -> Wire:
    """``value`` at a dotted path; a part in square brackets is the only item of a list."""
    for part in reversed(path.split(".")):
        value = {part[1:-1]: [value]} if part.startswith("[") else {part: value}
    return value


def joined(left: Wire, right: Wire) -> Wire:
    """Merge objects field by field and concatenate lists. The same field twice is a mistake in a table."""
    result = dict(left)
    for key, value in right.items():
        before = result.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            result[key] = joined(cast("Wire", before), cast("Wire", value))
        elif isinstance(before, list) and isinstance(value, list):
            result[key] = [*cast("list[Json]", before), *cast("list[Json]", value)]
        elif key in result:
            raise ValueError(f"two properties are translated to {key}")
        else:
            result[key] = value
    return result


def _text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
