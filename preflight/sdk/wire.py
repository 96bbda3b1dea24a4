"""Properties as they travel between program, engine and pack: plain JSON values with Pulumi's signatures.

Secrets, resource references and assets are objects that carry a signature; an unknown value is a sentinel string. This
module does not depend on resource types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, cast

from google.protobuf import struct_pb2

Json: TypeAlias = Any
"""A JSON value."""
Wire: TypeAlias = dict[str, Json]
"""The properties of one resource in their wire form."""

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - Pulumi's public marker of a secret, not one
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
MASK = "[secret]"
UNKNOWN_TEXT = "[unknown]"


def is_signed(value: object, signature: str) -> bool:
    """Whether ``value`` is an object that contains ``signature``."""
    return isinstance(value, dict) and cast("Wire", value).get(SIGNATURE) == signature


def secret(value: object) -> Wire:
    """``value`` marked as a secret."""
    return {SIGNATURE: SECRET, "value": value}


def unwrap(value: Json) -> Json:
    """``value`` without the marks of secrets, at any depth."""
    return _rewrite(value, SECRET, lambda signed: unwrap(signed.get("value")))


def mask(value: Json) -> Json:
    """``value`` with every secret replaced by ``[secret]``: what may be printed."""
    return _rewrite(value, SECRET, lambda _: MASK)


def flatten_references(value: Json) -> Json:
    """Resource references as the engine gives them to packs: the id of a custom resource, else the URN."""
    return _rewrite(value, RESOURCE, lambda signed: signed.get("id") or signed.get("urn"))


def received(value: Json) -> Json:
    """``value`` as a pack receives it: flat references, lists, and whole numbers as ``int``, like those of ``from_struct``."""
    if isinstance(value, str):
        return str.__str__(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        number = float(value)
        return int(number) if number.is_integer() else number
    if isinstance(value, Mapping):
        properties = cast("Wire", value)
        if properties.get(SIGNATURE) == RESOURCE:
            return received(properties.get("id") or properties.get("urn"))
        return {key: received(item) for key, item in properties.items()}
    if isinstance(value, Iterable):
        return [received(item) for item in cast("Iterable[Json]", value)]
    raise TypeError(f"{type(value).__name__} has no wire form")


def _rewrite(value: Json, signature: str, replace: Callable[[Wire], Json]) -> Json:
    if is_signed(value, signature):
        return replace(value)
    if isinstance(value, dict):
        return {key: _rewrite(item, signature, replace) for key, item in cast("Wire", value).items()}
    if isinstance(value, list):
        return [_rewrite(item, signature, replace) for item in cast("list[Json]", value)]
    return value


def has_unknown(value: object) -> bool:
    """Whether any part of ``value`` is not known yet."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in cast("Wire", value).values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in cast("list[Json]", value))
    return isinstance(value, str) and UNKNOWN in value


def to_struct(properties: Mapping[str, Json], into: struct_pb2.Struct | None = None) -> struct_pb2.Struct:
    """A protobuf ``Struct``; several times faster than ``json_format.ParseDict``."""
    struct = struct_pb2.Struct() if into is None else into
    for key, value in properties.items():
        _fill(struct.fields[key], value)
    return struct


def _fill(target: struct_pb2.Value, value: Json) -> None:
    if isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        to_struct(cast("Mapping[str, Json]", value), target.struct_value)
    elif isinstance(value, Iterable):
        target.list_value.SetInParent()
        for item in cast("Iterable[Json]", value):
            _fill(target.list_value.values.add(), item)
    else:
        raise TypeError(f"{type(value).__name__} has no wire form")


def from_struct(struct: struct_pb2.Struct) -> Wire:
    """The wire form of a protobuf ``Struct``; whole numbers come out as ``int``."""
    return {key: _value(struct.fields[key]) for key in sorted(struct.fields)}


def _value(value: struct_pb2.Value) -> Json:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "struct_value":
            return from_struct(value.struct_value)
        case "list_value":
            return [_value(item) for item in value.list_value.values]
        case _:
            return None
