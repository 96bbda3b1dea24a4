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
import contextlib
import functools
import re
import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Self, TypeAlias, cast

import pulumi
from pulumi import _types, _utils, log, output
from pulumi.runtime import _depends_on, resource, resource_cycle_breaker, rpc
from pulumi.runtime.proto import resource_pb2

from preflight.sdk import plain
from preflight.sdk import runtime as sdk
from preflight.sdk.wire import Wire, to_struct

Resolver: TypeAlias = Callable[[Any, bool, bool, "set[pulumi.Resource] | None", "Exception | None"], None]
_MEMOIZED = (
    "resource_types",
    "resource_pulumi_to_py_names",
    "resource_py_to_pulumi_names",
    "input_type_py_to_pulumi_names",
)
_SCALARS = plain.SCALARS


def install() -> None:
    """Use the lighter parts from now on, in this process and its forks; once is enough."""
    if installed():
        return
    for name in _MEMOIZED:  # nothing changes the dictionaries that they return
        _types.__dict__[name] = functools.cache(getattr(_types, name))
    for name in ("unwrap_type", "unwrap_optional_type"):
        _types.__dict__[name] = _memoized(getattr(_types, name))
    _types.__dict__["_raw_return_hints"] = functools.cache(_return_hints)
    rpc.__dict__["transfer_properties"] = transfer_properties
    rpc.__dict__["resolve_outputs"] = plain.resolving(rpc.resolve_outputs)
    rpc.__dict__["serialize_property"] = _serializing(rpc.serialize_property)
    rpc.__dict__["contains_unknowns"] = contains_unknowns
    output.__dict__["contains_unknowns"] = contains_unknowns
    rpc.__dict__["declare_dependency"] = declare_dependency
    for module in (rpc, resource, _depends_on):
        module.__dict__["_expand_dependencies"] = expand_dependencies
    resource.__dict__["create_urn"] = _naming(resource.create_urn)
    setattr(_utils.ContextProperty, "__get__", _value_in_context)  # noqa: B010 - a type checker takes it for a method
    setattr(pulumi.Output, "_track", _tracking(pulumi.Output._track))  # noqa: B010
    log.__dict__["debug"] = _no_message


def installed() -> bool:
    """Whether this process uses the lighter parts."""
    return rpc.__dict__["transfer_properties"] is transfer_properties


def response(urn: str, identifier: str, outputs: Wire) -> object:
    """The response to a registration: without protobuf where the lighter parts read it."""
    if installed():
        return plain.Registered(urn, identifier, outputs)
    return resource_pb2.RegisterResourceResponse(urn=urn, id=identifier, object=to_struct(outputs))


def _tracking(track: Callable[[Any], None]) -> Callable[[Any], None]:
    """The SDK waits for every output that has no value yet, and gets a callback when it has; one that has a value needs neither."""

    def tracked(self: Any) -> None:  # noqa: ANN401 - an output
        data: asyncio.Future[Any] = self._data
        if not data.done() or data.cancelled() or data.exception() is not None:
            track(self)

    return tracked


def _value_in_context(self: _utils.ContextProperty, owner: object, _: object) -> Any:  # noqa: ANN401 - any value
    """As the SDK's, which looks the value up twice."""
    if owner is None:
        return self
    value = self._data.get(self._ContextProperty__default)  # pyright: ignore[reportAttributeAccessIssue]
    return self if isinstance(value, dict) else value


_DEPENDED_ON = "_preflight_depended_on"


def declare_dependency(from_resource: pulumi.Resource, to_resource: pulumi.Resource) -> bool:
    """As the SDK's, which follows every dependency again for each that is declared, and copies the set.

    Only a resource that another one depends on can be in a cycle, and a program usually declares what a resource depends on
    before anything depends on it.
    """
    name = resource_cycle_breaker._DEPENDENCIES_PROPERTY
    known: set[pulumi.Resource] = from_resource.__dict__.setdefault(name, set())
    if to_resource in known:
        return True
    if from_resource is to_resource or (
        _DEPENDED_ON in from_resource.__dict__ and _reaches(to_resource, from_resource)
    ):
        return False
    known.add(to_resource)
    to_resource.__dict__[_DEPENDED_ON] = True
    return True


def _reaches(first: pulumi.Resource, last: pulumi.Resource) -> bool:
    pending, seen = [first], {first}
    while pending:
        one = pending.pop()
        if one is last:
            return True
        for other in one.__dict__.get(resource_cycle_breaker._DEPENDENCIES_PROPERTY, ()):
            if other not in seen:
                seen.add(other)
                pending.append(other)
    return False


async def expand_dependencies(
    deps: Iterable[pulumi.Resource], from_resource: pulumi.Resource | None
) -> dict[str, pulumi.Resource]:
    """As the SDK's, which makes coroutines and awaits the URN also of a resource that has one already."""
    found: dict[str, pulumi.Resource] = {}
    for one in deps:
        urn = sdk.urn_of(one) if isinstance(one, pulumi.CustomResource) else ""
        if urn and (from_resource is None or declare_dependency(from_resource, one)):
            found[urn] = one
        else:
            await rpc._add_dependency(found, one, from_resource)
    return found


class _Name:
    """The URN that a registration computes for a program without a monitor: no one awaits its value."""

    async def future(self) -> str:
        """Empty."""
        return ""


def _naming(create_urn: Callable[..., pulumi.Output[str]]) -> Callable[..., Any]:
    """The SDK makes nine outputs for the URN of each registration, and uses it only if there is no monitor."""

    def named(name: object, type_: object, parent: object = None, *arguments: Any) -> Any:  # noqa: ANN401 - the SDK's
        if sdk.caller(1).f_code.co_name == "do_register" and not arguments:
            return _Name()
        return create_urn(name, type_, parent, *arguments)

    return named


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
    """Values that depend on no output have their wire form at once; the SDK makes a coroutine for each part of them."""

    def serialize_property(  # noqa: PLR0917 - the SDK's
        value: object,
        deps: list[pulumi.Resource] | None,
        property_key: str | None,
        resource_obj: pulumi.Resource | None = None,
        input_transformer: Callable[[str], str] | None = None,
        typ: type | None = None,
        *arguments: Any,  # noqa: ANN401 - the SDK's
        **options: Any,  # noqa: ANN401
    ) -> Awaitable[Any]:
        if not options.get("return_protobuf_value"):
            with contextlib.suppress(plain.NotPlainError):
                return cast("Awaitable[Any]", _Ready(plain.serialized(value, typ, input_transformer)))
        return serialize(value, deps, property_key, resource_obj, input_transformer, typ, *arguments, **options)

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
    own: dict[str, Any] = {}
    for _, wire_name, getter in _types._py_properties(cls):
        text = getattr(getter.fget, "__annotations__", {}).get("return")
        key = (modules, text) if isinstance(text, str) else None
        if key is not None and key in _hints:
            found[wire_name] = _hints[key]
            continue
        if not own:
            own = _types._globals_for_cls(cls) or {}
        hint = _evaluated(text, own, names)
        if hint is None:
            hint = typing.get_type_hints(cast("Any", getter.fget), globalns=own, localns=dict(names)).get("return")
        if hint is not None:
            found[wire_name] = hint
            if key is not None:
                _hints[key] = hint
    return found


class _Input:
    """``pulumi.Input`` without the text that stands for ``Output`` in it; the type argument of that is ``None`` in the SDK too."""

    def __class_getitem__(cls, kind: Any) -> Any:  # noqa: ANN401 - types
        return typing.Union[kind, Awaitable[kind], pulumi.Output[type(None)]]  # noqa: UP007 - made at run time


_GENERATED = re.compile(r"(?:'?[A-Za-z_][\w.]*'?|\[|\]|, )+")
"""A type as the SDK's generator writes it: names, some of them quoted, and what is in brackets."""


def _evaluated(text: object, own: dict[str, Any], names: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a type
    """The type that a text names, evaluated at once: ``typing`` evaluates each quoted part by itself and makes the rest again.
    ``None`` if it is not such a text, or a name in it is not known."""
    if not isinstance(text, str) or "Literal" in text or "InputType" in text or not _GENERATED.fullmatch(text):
        return None
    plain_text = text.replace("'", "").replace("pulumi.Input[", "_Input[")
    try:
        return eval(plain_text, own, {**names, "_Input": _Input})  # noqa: S307 - the SDK's own annotation
    except (AttributeError, NameError, TypeError, SyntaxError):
        return None
