"""Properties between the SDK and a monitor in this process, without protobuf and without a coroutine for each value.

A value that contains an output, a resource, an asset or anything else that is not plain is left to the SDK, and so is one whose type
it refuses: its message names the property. ``tests/preflight/sdk/test_plain.py`` compares each part with the SDK's own.
"""
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import inspect
import typing
from collections import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pulumi
from google.protobuf import struct_pb2
from pulumi import _types
from pulumi.runtime import rpc, settings
from pulumi.runtime.proto import resource_pb2

from preflight.sdk.wire import SECRET, SIGNATURE, UNKNOWN, Json, Wire, to_struct

SCALARS = frozenset({str, int, float, bool, type(None)})
_MAPPINGS = (dict, abc.Mapping)
_PAIR = 2


class NotPlainError(Exception):
    """The SDK has to do it."""


@dataclass(slots=True)
class Registered:
    """The response to a registration, with the parts of ``RegisterResourceResponse`` that the SDK reads."""

    urn: str
    id: str
    object: Wire
    propertyDependencies: Mapping[str, Any] = field(default_factory=dict[str, Any])  # noqa: N815 - protobuf's name
    result: int = resource_pb2.Result.SUCCESS
    unknown: bool = False


def serialized(value: object, typ: Any, transformer: Callable[[str], str] | None) -> Json:  # noqa: ANN401 - a type
    """As ``rpc.serialize_property`` makes it of a value that depends on no output.

    :raises NotPlainError: the value may depend on one
    """
    kind = type(value)
    if kind in SCALARS:
        return value
    typ = _types.unwrap_type(typ) if typ else typ
    if isinstance(value, list) and kind is list:
        element = _element(typ)
        return [serialized(item, element, transformer) for item in typing.cast("list[object]", value)]
    if _types.is_input_type(kind):
        types = _types.input_type_types(kind)
        properties = _types.input_type_to_dict(value)
        return {key: serialized(item, types.get(key), transformer) for key, item in properties.items()}
    if isinstance(value, dict) and kind is dict and transformer is None:
        element = _element_of_mapping(typ)
        return {key: serialized(item, element, None) for key, item in typing.cast("Wire", value).items()}
    raise NotPlainError


def deserialized(value: Json, *, keep_unknowns: bool) -> Json:  # noqa: PLR0911 - one return for each kind of value
    """As ``rpc.deserialize_property`` makes it of a protobuf value: numbers are ``float``, secrets are marked as a whole.

    :raises NotPlainError: it contains a signed value other than a secret
    """
    if value == UNKNOWN:
        return pulumi.output.Unknown() if settings.is_dry_run() or keep_unknowns else None
    kind = type(value)
    if kind is int:
        return float(value)
    if kind in SCALARS:
        return value
    if kind is list:
        items = [deserialized(item, keep_unknowns=keep_unknowns) for item in value]
        if any(type(item) is dict and rpc.is_rpc_secret(item) for item in items):
            return rpc.wrap_rpc_secret([rpc.unwrap_rpc_secret(item) for item in items])
        return items
    if kind is not dict:
        raise NotPlainError
    if SIGNATURE in value:
        if value[SIGNATURE] != SECRET:
            raise NotPlainError
        return rpc.wrap_rpc_secret(deserialized(value["value"], keep_unknowns=False))
    found = {
        key: item
        for key, each in value.items()
        if (item := deserialized(each, keep_unknowns=keep_unknowns)) is not None
    }
    if any(type(item) is dict and rpc.is_rpc_secret(item) for item in found.values()):
        return rpc.wrap_rpc_secret({key: rpc.unwrap_rpc_secret(item) for key, item in found.items()})
    return found


def translated(value: Json, typ: Any) -> Any:  # noqa: ANN401 - a value of the type
    """As ``rpc.translate_output_properties`` makes it with the metadata of ``typ``.

    :raises NotPlainError: the type is a union of several, or not the value's
    """
    kind = type(value)
    if kind is dict:
        if rpc.is_rpc_secret(value):
            return rpc.wrap_rpc_secret(translated(value["value"], typ))
        typ = _known(typ)
        if typ is not None and _types.is_output_type(typ):
            types = _types.output_type_types(typ)
            return _types.output_type_from_dict(
                typ, {key: translated(item, types.get(key)) for key, item in value.items()}
            )
        element = _element_of_mapping(typ)
        return {key: translated(item, element) for key, item in value.items()}
    if kind is list:
        element = _element(_known(typ))
        return [translated(item, element) for item in value]
    if typ is None or typ is str:
        return value
    make = _scalar(typ)
    return value if make is None else make(value)


def _known(typ: Any) -> Any:  # noqa: ANN401 - a type
    typ = _types.unwrap_optional_type(typ) if typ else typ
    return None if typ is Any else typ


_elements: dict[int, tuple[Any, Any]] = {}
_elements_of_mappings: dict[int, tuple[Any, Any]] = {}
_scalars: dict[int, tuple[Any, Callable[[Any], Any] | None]] = {}
"""Keyed by identity: hashing what the typing module makes takes longer. The types are kept, so that no id is used again."""


def _element(typ: Any) -> Any:  # noqa: ANN401 - a type
    """The type of the elements of a list type."""
    found = _elements.get(id(typ))
    if found is None:
        try:
            found = _elements[id(typ)] = (typ, rpc._get_list_element_type(typ))
        except AssertionError:
            raise NotPlainError from None
    return found[1]


def _element_of_mapping(typ: Any) -> Any:  # noqa: ANN401 - a type
    """The type of the values of a mapping type whose keys are the user's."""
    if typ is None:
        return None
    found = _elements_of_mappings.get(id(typ))
    if found is None:
        arguments = typing.get_args(typ)
        if typing.get_origin(typ) not in _MAPPINGS or len(arguments) != _PAIR or arguments[0] is not str:
            raise NotPlainError
        found = _elements_of_mappings[id(typ)] = (typ, arguments[1])
    return found[1]


def _scalar(typ: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401 - a type
    """The function that makes a value of the type from a value that is neither a list nor a mapping; ``None`` if it stays as it is."""
    found = _scalars.get(id(typ))
    if found is None:
        make: Callable[[Any], Any] | None = None
        kind = _known(typ)
        if kind is int:
            make = _whole
        elif inspect.isclass(kind) and issubclass(kind, Enum):

            def member(value: Any, kind: type[Enum] = kind) -> Any:  # noqa: ANN401 - a value, or what is not known
                return kind(value) if isinstance(value, int | float | str) else value

            make = member
        found = _scalars[id(typ)] = (typ, make)
    return found[1]


def _whole(value: Any) -> Any:  # noqa: ANN401 - a value, or what is not known
    return int(value) if isinstance(value, float) else value


def resolving(resolve: Callable[..., None]) -> Callable[..., None]:
    """Components have nothing to resolve; the SDK asks for the mode of the run first, which a run puts off (``undecided``)."""

    def resolve_outputs(  # noqa: PLR0917 - the SDK's
        res: pulumi.Resource,
        serialized_props: struct_pb2.Struct,
        outputs: struct_pb2.Struct | Wire,
        deps: Mapping[str, Any],
        resolvers: Mapping[str, Any],
        custom: bool,
        by_type: bool = False,
        keep_unknowns: bool = False,
        resolve_missing_as_unknown: bool = False,
    ) -> None:
        fields = outputs if isinstance(outputs, dict) else outputs.fields
        if not (serialized_props.fields or fields or resolvers):
            return
        if isinstance(outputs, dict) and by_type:
            try:
                properties = _properties(res, serialized_props, outputs, keep_unknowns=keep_unknowns)
            except NotPlainError:
                pass
            else:
                names = _types.resource_pulumi_to_py_names(type(res))
                depending = {names.get(key) or key: found for key, found in deps.items()}
                _resolve(resolvers, properties, depending, custom=custom, missing_is_unknown=resolve_missing_as_unknown)
                return
        struct = to_struct(outputs) if isinstance(outputs, dict) else outputs
        resolve(
            res, serialized_props, struct, deps, resolvers, custom, by_type, keep_unknowns, resolve_missing_as_unknown
        )

    return resolve_outputs


def _resolve(
    resolvers: Mapping[str, Any],
    properties: Mapping[str, Any],
    deps: Mapping[str, Any],
    *,
    custom: bool,
    missing_is_unknown: bool,
) -> None:
    """As ``rpc.resolve_properties``, which asks for the mode again for every property."""
    preview = settings.is_dry_run()
    for key, value in properties.items():
        resolve = resolvers.get(key)
        if resolve is not None and key != "urn" and (key != "id" or not custom):
            inner = rpc.unwrap_rpc_secret(value)
            resolve(inner, not preview or inner is not None, inner is not value, deps.get(key), None)
    for key, resolve in resolvers.items():
        if key not in properties:
            resolve(None, not preview and not missing_is_unknown, False, deps.get(key), None)


def _properties(
    res: pulumi.Resource, serialized_props: struct_pb2.Struct, outputs: Wire, *, keep_unknowns: bool
) -> dict[str, Any]:
    """The outputs by Python name, completed with the inputs where they are known."""
    types = _types.resource_types(type(res))
    names = _types.resource_pulumi_to_py_names(type(res))
    found: dict[str, Any] = {}
    for key, value in outputs.items():
        if (plain := deserialized(value, keep_unknowns=keep_unknowns)) is not None:
            found[names.get(key) or key] = translated(plain, types.get(key))
    if not settings.is_dry_run() or settings.is_legacy_apply_enabled():
        for key in serialized_props.fields:
            name = names.get(key) or key
            if name not in found:
                found[name] = rpc.translate_output_properties(
                    rpc.deserialize_property(serialized_props[key]),
                    _same,
                    types.get(key),
                    transform_using_type_metadata=True,
                    path=rpc._Path(name, resource=f"{res._name}"),
                    return_none_on_dict_type_mismatch=True,
                )
    return found


def _same(name: str) -> str:
    return name
