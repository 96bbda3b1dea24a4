"""Checks inputs against the argument classes of the installed SDK, to refuse what AWS's provider would refuse at Check.

Names, nesting, required properties and value types come from ``pulumi_aws`` and ``pulumi_tls``, so the check matches the
locked versions.
"""

from __future__ import annotations

import collections.abc
import importlib
import inspect
import types
import typing
import warnings
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias, cast

import pulumi
from pulumi import _types as sdk_types  # pyright: ignore[reportPrivateUsage]
from pulumi.runtime import rpc

from preflight.sdk.wire import SECRET, SIGNATURE, UNKNOWN, Json, Wire, is_signed

Hint: TypeAlias = Json
"""A type as the SDK writes it."""

_SCALARS: dict[type, tuple[type, ...]] = {str: (str,), bool: (bool,), int: (int,), float: (int, float)}


@dataclass(frozen=True, slots=True)
class Failure:
    """One input that the provider refuses, with the property's path in the provider's notation."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The properties of one argument class: name on the wire → type, and which of them must be given."""

    types: dict[str, Hint]
    required: frozenset[str]


def load(package: str) -> None:
    """Register the resource classes of ``package`` in Pulumi's registry."""
    importlib.import_module(f"pulumi_{package}")


@cache
def resource_class(token: str) -> type | None:
    """The SDK's class for a type token, or None if the installed SDK has no such type."""
    prefix = token.rpartition(":")[0]
    modules: dict[str, list[Hint]] = rpc._RESOURCE_MODULES  # pyright: ignore[reportPrivateUsage]
    for module in modules.get(prefix, []):
        name = module.mod_info["classes"].get(token)
        if name is not None:
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                return getattr(importlib.import_module(module.mod_info["fqn"]), name)
    return None


@cache
def argument_class(token: str) -> type | None:
    """The SDK's class of inputs for a type token."""
    cls = resource_class(token)
    if cls is None:
        return None
    module = importlib.import_module(cls.__module__)
    # "InitArgs" where a nested object already has the plain name.
    return getattr(module, f"{cls.__name__}InitArgs", None) or getattr(module, f"{cls.__name__}Args", None)


@cache
def shape(cls: type) -> Shape:
    """The properties that an argument class accepts."""
    names = sdk_types.input_type_py_to_pulumi_names(cls)
    parameters = inspect.signature(cls).parameters.values()
    required = {names[p.name] for p in parameters if p.default is inspect.Parameter.empty and p.name in names}
    return Shape(dict(sdk_types.input_type_types(cls)), frozenset(required))


def check(token: str, inputs: Wire) -> list[Failure]:
    """Every problem in the inputs of a resource of this type."""
    cls = argument_class(token)
    if cls is None:
        return [Failure("", f"the installed SDK has no resource type {token}")]
    return _object(cls, inputs, "")


def _object(cls: type, value: Wire, path: str) -> list[Failure]:
    accepted = shape(cls)
    failures = [
        Failure(_join(path, name), "is required and missing")
        for name in sorted(accepted.required - {key for key, item in value.items() if item is not None})
    ]
    for name, item in sorted(value.items()):
        if name.startswith("__"):
            continue
        if name not in accepted.types:
            failures.append(Failure(_join(path, name), f"is no property of {cls.__name__.removesuffix('Args')}"))
        else:
            failures += _value(accepted.types[name], item, _join(path, name))
    return failures


def _value(hint: Hint, value: Json, path: str) -> list[Failure]:
    if is_signed(value, SECRET):
        return _value(hint, value.get("value"), path)
    if value is None or value == UNKNOWN or _is_signed_at_all(value):
        return []
    choices = _choices(hint)
    if not choices:
        return []
    verdicts = [_one(choice, value, path) for choice in choices]
    return min(verdicts, key=len)


def _one(hint: Hint, value: Json, path: str) -> list[Failure]:
    origin = typing.get_origin(hint)
    if origin in (collections.abc.Sequence, list):
        return (
            _wrong_kind("a list", value, path)
            if not isinstance(value, list)
            else _list(hint, cast("list[Json]", value), path)
        )
    if origin in (collections.abc.Mapping, dict):
        return (
            _wrong_kind("a map", value, path) if not isinstance(value, dict) else _map(hint, cast("Wire", value), path)
        )
    if isinstance(hint, type) and sdk_types.is_input_type(hint):
        return (
            _wrong_kind("an object", value, path)
            if not isinstance(value, dict)
            else _object(hint, cast("Wire", value), path)
        )
    accepted = _SCALARS.get(hint) if isinstance(hint, type) else None
    if accepted is None or (isinstance(value, accepted) and (hint is bool) == isinstance(value, bool)):
        return []
    return _wrong_kind(hint.__name__, value, path)


def _wrong_kind(wanted: str, value: object, path: str) -> list[Failure]:
    return [Failure(path, f"must be {wanted}, not {type(value).__name__}")]


def _list(hint: Hint, value: list[Json], path: str) -> list[Failure]:
    element = (typing.get_args(hint) or (object,))[0]
    return [failure for index, item in enumerate(value) for failure in _value(element, item, f"{path}[{index}]")]


def _map(hint: Hint, value: Wire, path: str) -> list[Failure]:
    element = (typing.get_args(hint) or (str, object))[1]
    return [failure for key, item in sorted(value.items()) for failure in _value(element, item, _join(path, key))]


def _is_signed_at_all(value: Json) -> bool:
    return isinstance(value, dict) and SIGNATURE in cast("Wire", value)


def _choices(hint: Hint) -> list[Hint]:
    """The types that a value may have, without the SDK's wrappers for outputs."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return [] if hint in (typing.Any, object) else [hint]
    members = [m for m in typing.get_args(hint) if m is not type(None) and not _is_plumbing(m)]
    objects = [m for m in members if isinstance(m, type) and sdk_types.is_input_type(m)]
    if objects:  # the map that stands for the same object would accept anything
        return objects + [m for m in members if m in _SCALARS]
    return [choice for member in members for choice in _choices(member)]


def _is_plumbing(hint: Hint) -> bool:
    origin = typing.get_origin(hint)
    return origin in (collections.abc.Awaitable, pulumi.Output) or hint is pulumi.Output


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
