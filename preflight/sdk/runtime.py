"""The few parts of Pulumi's SDK that have no public name, in one place.

A new version of the SDK is checked here: the tests of the recorder fail when one of these moves.
"""
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import functools
import importlib
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any, TypeAlias, cast

import pulumi
from pulumi import Resource, _types
from pulumi.runtime import mocks, resource, rpc
from pulumi.runtime import settings as runtime_settings
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await

from preflight.sdk.undecided import Later, Postponed

_CONSTRUCTORS = 3
"""``Resource``, ``CustomResource`` or ``ComponentResource``, and the resource's own class."""
Getter: TypeAlias = Callable[[Any, str], Any]


def event_loop() -> asyncio.AbstractEventLoop:
    """The event loop that the SDK uses in this thread."""
    return _ensure_event_loop()


def wait_for(awaitable: Awaitable[None]) -> None:
    """Pump the SDK's loop until ``awaitable`` is done."""
    _sync_await(awaitable)


def call_inline(loop: asyncio.AbstractEventLoop, mode: object = False) -> Callable[[], None]:
    """Run the SDK's calls to the monitor, which is in this process, without threads; the returned function undoes
    it. A call whose answer depends on an undecided ``mode`` waits until nothing else can be done."""
    postponed = Postponed(loop, mode)

    def run(_: object, function: Callable[..., Any], *arguments: object) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = loop.create_future()

        def call() -> None:
            try:
                future.set_result(function(*arguments))
            except Later:
                postponed.add(call, future.set_exception)
            except Exception as error:
                future.set_exception(error)

        call()
        return future

    loop.run_in_executor = run  # pyright: ignore[reportAttributeAccessIssue]
    return lambda: loop.__dict__.pop("run_in_executor", None)


async def settled() -> None:
    """Wait until every output made so far has its value or its error, in one pass; errors are raised later.

    The SDK waits for the first of all pending outputs again and again, which takes a fifth of a run.
    """
    outputs = cast("set[asyncio.Task[Any]]", cast("Any", runtime_settings.SETTINGS).outputs)
    while pending := [task for task in outputs if not task.done()]:
        await asyncio.wait(pending)


def urn_of(resource: pulumi.Resource) -> str:
    """The URN of a resource whose registration has completed; empty otherwise."""
    future = cast("asyncio.Future[Any]", resource.urn._data)
    if not future.done() or future.cancelled() or future.exception() is not None:
        return ""
    return future.result().value or ""


@functools.cache
def resource_class(token: str) -> type[pulumi.Resource] | None:
    """The class of a type token, if its SDK is imported."""
    parts = token.split(":")
    if len(parts) != 3:  # noqa: PLR2004 - package:module:Name
        return None
    module = rpc.get_resource_module(parts[0], parts[1], "")
    described: dict[str, Any] = getattr(module, "mod_info", {})
    name = described.get("classes", {}).get(token)
    return None if name is None else getattr(importlib.import_module(described["fqn"]), name)


def resource_tokens(package: str) -> tuple[str, ...]:
    """Every type token of an imported SDK, sorted."""
    modules = (module for versions in rpc._RESOURCE_MODULES.values() for module in versions)
    described: list[dict[str, Any]] = [getattr(module, "mod_info", {}) for module in modules]
    return tuple(sorted(token for item in described if item.get("pkg") == package for token in item["classes"]))


def getters(cls: type) -> tuple[tuple[str, property], ...]:
    """Wire name and property of every output of a resource or output class."""
    return tuple((wire_name, getter) for _, wire_name, getter in _types._py_properties(cls))


@functools.cache
def wire_names(cls: type) -> dict[str, str]:
    """Python names to wire names of a resource or output class."""
    return {name: wire_name for name, wire_name, _ in _types._py_properties(cls)}


@functools.cache
def property_types(cls: type) -> dict[str, type]:
    """Wire name and type of every property of an output class, or of a resource, without ``Optional``."""
    return _types.resource_types(cls) if issubclass(cls, Resource) else _types.output_type_types(cls)


def is_output_type(cls: type) -> bool:
    """Whether ``cls`` is a nested output or the result of a look-up."""
    return _types.is_output_type(cls)


def prepare(module: object, name: str) -> None:
    """Resolve the types of a class, of its arguments and of what the engine returns for it now; the SDK caches them."""
    returned = getattr(getattr(module, "outputs", None), name.removesuffix("Args"), None)
    if isinstance(returned, type) and _types.is_output_type(returned):
        _types.output_type_types(returned)
    for each in (name, f"{name}Args"):
        cls = getattr(module, each, None)
        if isinstance(cls, type) and issubclass(cls, pulumi.Resource):
            _types.resource_types(cls)
            _types.resource_pulumi_to_py_names(cls)
        elif isinstance(cls, type) and _types.is_input_type(cls):
            _types.input_type_types(cls)


def caller(depth: int) -> FrameType:
    """The frame ``depth`` calls above the caller of this function."""
    return sys._getframe(depth + 1)


def stack_trace_of_one_frame() -> None:
    """Have registrations name the line that creates the resource, and not the whole stack, which takes a tenth of a run."""
    resource.__dict__["_get_stack_trace"] = _creating_frame


def _creating_frame() -> source_pb2.StackTrace:
    """As the SDK finds it: the caller of the third ``__init__``, which is the resource's own class."""
    frame: FrameType | None = sys._getframe(1)
    seen = 0
    while frame is not None:
        seen += frame.f_code.co_name == "__init__"
        frame = frame.f_back
        if seen == _CONSTRUCTORS:
            break
    if frame is None:
        return source_pb2.StackTrace()
    uri = _uri(frame.f_code.co_filename)
    position = source_pb2.SourcePosition(uri=uri, line=frame.f_lineno) if uri else None
    return source_pb2.StackTrace(frames=[source_pb2.StackFrame(pc=position)])


@functools.cache
def _uri(file: str) -> str:
    return Path(file).as_uri() if Path(file).is_absolute() else ""


def note_calls(note: Callable[[str, str, type | None, FrameType], None]) -> None:
    """Call ``note`` with the function, the token, the type of the result and the caller, before each look-up and each
    registration of a transform; once per process."""
    for name in ("invoke", "invoke_output", "invoke_single", "invoke_output_single"):
        _wrap(
            name, lambda function, arguments, options: note(function, str(arguments[0]), options.get("typ"), caller(2))
        )
    for name in ("register_resource_transform", "register_stack_transform", "register_invoke_transform"):
        _wrap(name, lambda function, _, __: note(function, "", None, caller(2)))


def _wrap(name: str, before: Callable[[str, tuple[Any, ...], dict[str, Any]], None]) -> None:
    function = getattr(pulumi.runtime, name, None)
    if function is None or getattr(function, "__wrapped__", None) is not None:
        return

    @functools.wraps(function)
    def noting(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - the SDK's
        before(name, arguments, options)
        return function(*arguments, **options)

    setattr(pulumi.runtime, name, noting)


def replace_getter(make: Callable[[Getter], Getter]) -> None:
    """Wrap ``pulumi.get``, once per process."""
    if getattr(pulumi.get, "__wrapped__", None) is None:
        pulumi.get = make(pulumi.get)


def configure(**settings: object) -> None:
    """Point the SDK at a monitor in this process, without a root stack."""
    stack_trace_of_one_frame()
    runtime_settings.configure(mocks.MockSettings(callbacks=None, outputs=set(), **settings))
    runtime_settings.set_root_resource(None)  # pyright: ignore[reportArgumentType] - run_in_stack wants none
