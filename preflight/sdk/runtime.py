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
from types import FrameType
from typing import Any, TypeAlias, cast

import pulumi
from pulumi import _types
from pulumi.runtime import mocks, rpc
from pulumi.runtime import settings as runtime_settings
from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await

Getter: TypeAlias = Callable[[Any, str], Any]


def event_loop() -> asyncio.AbstractEventLoop:
    """The event loop that the SDK uses in this thread."""
    return _ensure_event_loop()


def wait_for(awaitable: Awaitable[None]) -> None:
    """Pump the SDK's loop until ``awaitable`` is done."""
    _sync_await(awaitable)


def call_inline(loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    """Run the SDK's calls to the monitor, which is in this process, without threads; the returned function undoes
    it."""

    def run(_: object, function: Callable[..., Any], *arguments: object) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = loop.create_future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
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


def is_output_type(cls: type) -> bool:
    """Whether ``cls`` is a nested output or the result of a look-up."""
    return _types.is_output_type(cls)


def prepare(module: object, name: str) -> None:
    """Resolve the types of a class and of its arguments now; the SDK caches them."""
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


def replace_getter(make: Callable[[Getter], Getter]) -> None:
    """Wrap ``pulumi.get``, once per process."""
    if getattr(pulumi.get, "__wrapped__", None) is None:
        pulumi.get = make(pulumi.get)


def configure(**settings: object) -> None:
    """Point the SDK at a monitor in this process, without a root stack."""
    runtime_settings.configure(mocks.MockSettings(callbacks=None, outputs=set(), **settings))
    runtime_settings.set_root_resource(None)  # pyright: ignore[reportArgumentType] - run_in_stack wants none
