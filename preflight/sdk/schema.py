"""The outputs that the SDKs' resource classes declare: which ones exist, and which ones AWS always computes.

A getter of type ``Output[T]`` always has a value once the resource exists; ``Output[Optional[T]]`` only if it was set.
So an output that is not an input and not optional is a computed one.
"""

from __future__ import annotations

import functools
import types
import typing

import pulumi

from preflight.sdk import runtime as sdk


@functools.cache
def computed_outputs(token: str) -> frozenset[str]:
    """The outputs (wire names) that always exist after creation."""
    cls = sdk.resource_class(token)
    return frozenset() if cls is None else required_properties(cls)


@functools.cache
def outputs_of(token: str) -> frozenset[str]:
    """Every output (wire names), whether it always exists or not."""
    cls = sdk.resource_class(token)
    return frozenset() if cls is None else frozenset(name for name, _ in sdk.getters(cls)) - {"urn", "id"}


@functools.cache
def required_properties(cls: type) -> frozenset[str]:
    """The wire names of the getters of a resource or output class whose type is not optional."""
    found = ((name, getter) for name, getter in sdk.getters(cls) if name not in {"urn", "id"})
    return frozenset(name for name, getter in found if not _is_optional(getter))


def _is_optional(getter: property) -> bool:
    hint: object = getattr(getter.fget, "__annotations__", {}).get("return")
    if typing.get_origin(hint) is pulumi.Output:
        hint = typing.get_args(hint)[0]
    if isinstance(hint, typing.ForwardRef):
        hint = hint.__forward_arg__
    if isinstance(hint, str):
        return hint.startswith(("Optional[", "pulumi.Output[Optional["))
    return typing.get_origin(hint) in {typing.Union, types.UnionType} and type(None) in typing.get_args(hint)
