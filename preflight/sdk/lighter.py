"""Pulumi's SDK with less work for the same registrations.

The SDK makes a future, a task and a callback for every property of every resource, resolves the types of a class again for each
resource, and formats debug messages that no engine receives. With ``install``, an output of a resource gets its future when something
awaits it, types are resolved once, and debug messages are dropped. What the program registers is the same
(``tests/preflight/sdk/test_lighter.py``).
"""
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import functools
import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Self, TypeAlias, cast

import pulumi
from google.protobuf import struct_pb2
from pulumi import _types, log, output
from pulumi.runtime import rpc

Resolver: TypeAlias = Callable[[Any, bool, bool, "set[pulumi.Resource] | None", "Exception | None"], None]
_MEMOIZED = (
    "resource_types",
    "resource_pulumi_to_py_names",
    "resource_py_to_pulumi_names",
    "input_type_py_to_pulumi_names",
)
_SCALARS = frozenset({str, int, float, bool, type(None)})


def install() -> None:
    """Use the lighter parts from now on, in this process and its forks; once is enough."""
    if rpc.__dict__["transfer_properties"] is transfer_properties:
        return
    for name in _MEMOIZED:  # nothing changes the dictionaries that they return
        _types.__dict__[name] = functools.cache(getattr(_types, name))
    for name in ("unwrap_type", "unwrap_optional_type"):
        _types.__dict__[name] = _memoized(getattr(_types, name))
    _types.__dict__["_raw_return_hints"] = functools.cache(_return_hints)
    rpc.__dict__["transfer_properties"] = transfer_properties
    rpc.__dict__["resolve_outputs"] = _resolving(rpc.resolve_outputs)
    rpc.__dict__["serialize_property"] = _serializing(rpc.serialize_property)
    rpc.__dict__["contains_unknowns"] = contains_unknowns
    output.__dict__["contains_unknowns"] = contains_unknowns
    log.__dict__["debug"] = _no_message


def _memoized(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Results by identity: hashing what the typing module makes takes longer than the function. Kept, so that no id is used again."""
    known: dict[int, tuple[Any, Any]] = {}

    def memoized(kind: Any) -> Any:  # noqa: ANN401 - a type, or what the typing module makes
        found = known.get(id(kind))
        if found is None:
            found = known[id(kind)] = (kind, function(kind))
        return found[1]

    return memoized


def _no_message(*_: object, **__: object) -> None:
    """Debug messages go to the engine, which is not there."""


class _PropertyOutput(pulumi.Output[Any]):
    """The output of one property of a resource."""

    def __init__(self, resource: pulumi.Resource) -> None:  # pyright: ignore[reportMissingSuperCall]
        self.__dict__["_resource"] = resource

    def _resolve(
        self,
        value: object,
        is_known: bool,
        is_secret: bool,
        dependencies: set[pulumi.Resource] | None,
        failed: Exception | None,
    ) -> None:
        """Take the value, or the error of the registration."""
        state = self.__dict__
        found = (value, is_known, is_secret, dependencies, failed)
        if (waiting := state.get("_waiting")) is not None:
            self._settle(waiting, found)
        state["_found"] = found

    @property
    def _data(self) -> asyncio.Future[Any]:  # pyright: ignore[reportIncompatibleVariableOverride]
        state = self.__dict__
        future: asyncio.Future[Any] | None = state.get("_waiting")
        if future is None:
            future = state["_waiting"] = asyncio.get_event_loop().create_future()
            if (found := state.get("_found")) is not None:
                self._settle(future, found)
            self._track()
        return future

    def _untrack(self) -> None:
        _ = self._data  # made before the SDK takes its lock, because making it takes the lock too
        super()._untrack()

    def _settle(self, future: asyncio.Future[Any], found: tuple[Any, bool, bool, Any, Exception | None]) -> None:
        value, is_known, is_secret, dependencies, failed = found
        if failed is not None:
            future.set_exception(failed)
            return
        resources = {*(dependencies or ()), self.__dict__["_resource"]}
        future.set_result(output._OutputData(resources, value, is_known, is_secret))


def transfer_properties(res: pulumi.Resource, props: Iterable[str], custom: bool) -> dict[str, Resolver]:
    """As the SDK's: an output for each property of the resource; returns the functions that give them their values."""
    resolvers: dict[str, Resolver] = {}
    for name in props:
        if name == "urn" or (name == "id" and custom):
            continue
        made = _PropertyOutput(res)
        res.__dict__[name] = made
        resolvers[name] = made._resolve
    return resolvers


def _resolving(resolve: Callable[..., None]) -> Callable[..., None]:
    """Components have nothing to resolve; the SDK asks for the mode of the run first, which a run puts off (``undecided``)."""

    def resolve_outputs(
        res: pulumi.Resource,
        serialized_props: struct_pb2.Struct,
        outputs: struct_pb2.Struct,
        deps: Mapping[str, Any],
        resolvers: Mapping[str, Resolver],
        *arguments: Any,  # noqa: ANN401 - the SDK's
        **options: Any,  # noqa: ANN401
    ) -> None:
        if serialized_props.fields or outputs.fields or resolvers:
            resolve(res, serialized_props, outputs, deps, resolvers, *arguments, **options)

    return resolve_outputs


class _Ready:
    """Awaiting it gives the value at once."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __await__(self) -> Self:
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> None:
        raise StopIteration(self._value)


def _serializing(serialize: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """A text, number, truth value or ``None`` is its own wire form; the SDK tests it against every other kind of value first."""

    def serialize_property(value: object, *arguments: Any, **options: Any) -> Awaitable[Any]:  # noqa: ANN401 - the SDK's
        if type(value) in _SCALARS and not options.get("return_protobuf_value"):
            return cast("Awaitable[Any]", _Ready(value))
        return serialize(value, *arguments, **options)

    return serialize_property


def contains_unknowns(value: object) -> bool:
    """As the SDK's, which enters a function for every scalar."""
    kind = type(value)
    if kind in _SCALARS:
        return False
    if kind is dict or kind is list:
        return _any_unknown([value])
    return isinstance(value, pulumi.output.Unknown) or (isinstance(value, dict | list) and _any_unknown([value]))


def _any_unknown(pending: list[Any]) -> bool:
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        if type(value) in _SCALARS:
            continue
        if isinstance(value, output.Unknown):
            return True
        if isinstance(value, dict | list) and id(value) not in seen:
            seen.add(id(value))
            if isinstance(value, dict):
                pending.extend(value[key] for key in cast("dict[Any, Any]", value))
            else:
                pending.extend(cast("list[Any]", value))
    return False


_hints: dict[tuple[tuple[str, ...], str], Any] = {}


def _return_hints(cls: type) -> dict[str, Any]:
    """As the SDK's, which resolves the same text again for every property; a text means the same in the same modules."""
    modules = tuple(base.__module__ for base in cls.__mro__)
    names: Mapping[str, Any] = {"Output": pulumi.Output, "T": type(None)}
    found: dict[str, Any] = {}
    own: dict[str, Any] | None = None
    for _, wire_name, getter in _types._py_properties(cls):
        text = getattr(getter.fget, "__annotations__", {}).get("return")
        key = (modules, text) if isinstance(text, str) else None
        if key is not None and key in _hints:
            found[wire_name] = _hints[key]
            continue
        own = own or _types._globals_for_cls(cls)
        hint = typing.get_type_hints(cast("Any", getter.fget), globalns=own, localns=dict(names)).get("return")
        if hint is not None:
            found[wire_name] = hint
            if key is not None:
                _hints[key] = hint
    return found
