"""The recorded graphs of both stacks, and functions that change one of them."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from preflight.recording.recorder import RecordedResource, Recording
from tests.preflight.conform.graphs import STACKS
from tests.preflight.conform.graphs import account as bootstrap
from tests.preflight.conform.graphs import environment as stack

__all__ = ["STACKS", "bootstrap", "changed", "copies", "edited", "put", "stack", "with_type"]


def with_type(type_: str) -> Recording:
    """Prod, or its bootstrap if only that has a resource of this type."""
    return next((one for one in (stack("prod"), bootstrap("prod")) if one.of_type(type_)), stack("prod"))


def changed(recording: Recording, resources: Iterable[RecordedResource]) -> Recording:
    """The recording with these resources replacing those with the same URN, or added."""
    by_urn = {one.urn: one for one in recording.resources}
    by_urn.update({one.urn: one for one in resources})
    return replace(recording, resources=[by_urn[urn] for urn in sorted(by_urn)])


def edited(recording: Recording, type_: str, edit: Callable[[dict[str, Any]], object], name: str = "") -> Recording:
    """The recording after ``edit`` of a copy of one resource's inputs: the first of the type, or the named one."""
    resource = next(one for one in recording.of_type(type_) if name in ("", one.name))
    inputs = copy.deepcopy(resource.inputs)
    edit(inputs)
    return changed(recording, [replace(resource, inputs=inputs)])


def put(tree: Any, place: str, value: object) -> None:  # noqa: ANN401 - any JSON value
    """Write ``value`` at a path such as ``conditions[0].hostHeader``."""
    *way, last = [int(one) if one.isdecimal() else one for one in re.findall(r"[^.\[\]]+", place)]
    for step in way:
        tree = tree[step]
    tree[last] = value


def copies(recording: Recording, type_: str, count: int, **inputs: object) -> list[RecordedResource]:
    """``count`` resources of a type, copied from the first one in the graph, or generated if there is none."""
    known = recording.of_type(type_)
    first = known[0] if known else replace(recording.resources[-1], type=type_, inputs={}, outputs={}, custom=True)
    return [
        replace(first, urn=f"{first.urn}-copy-{number}", name=f"copy-{number}", inputs={**first.inputs, **inputs})
        for number in range(count)
    ]
