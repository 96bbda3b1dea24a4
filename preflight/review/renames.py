"""Resources that only have another name in the state: a change is compared under the names and identifiers that they have at AWS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, cast

from preflight.changes.plan import Plan
from preflight.recording.recorder import RecordedResource, Recording

_SHORTEST = 8
"""Shorter values are not replaced: they may be part of others."""


def as_running(after: Recording, plan: Plan) -> Recording:
    """``after`` with each renamed resource under its running name, with the computed values that it keeps at AWS."""
    if not plan.renamed:
        return after
    running = {one.urn: one for one in plan.before.resources}
    now = {one.urn: one for one in after.resources}
    values: dict[str, str] = {}
    for urn, former in plan.renamed.items():
        if urn in now and former in running:
            values |= {urn: former, **dict(_kept(now[urn], running[former]))}
    names = {urn: running[former].name for urn, former in plan.renamed.items() if former in running}
    replaced = _Replacing(values)
    resources = [
        replace(_with(one, replaced), name=names.get(one.urn, one.name)) if one.urn in names else _with(one, replaced)
        for one in after.resources
    ]
    return replace(after, resources=sorted(resources, key=lambda one: one.urn))


def lines(plan: Plan) -> list[str]:
    """Each renamed resource with both names, by type; children that follow their component are counted."""
    running = {one.urn: one for one in plan.before.resources}
    now = {one.urn: one for one in plan.after.resources}
    own = [(now[urn], running[former]) for urn, former in plan.renamed.items() if urn in now and former in running]
    found = [f"{_short(one)} {was.name} → {one.name}" for one, was in own if one.name != was.name]
    moved = sum(one.name == was.name for one, was in own)
    return [*sorted(found), *([f"{moved} resources of a component with another type or parent"] if moved else [])]


def _short(resource: RecordedResource) -> str:
    return resource.type.rpartition(":")[2]


def _kept(new: RecordedResource, old: RecordedResource) -> Iterator[tuple[str, str]]:
    """Computed values of the recording after the change → those that the resource keeps."""
    if new.id and old.id and new.id != old.id:
        yield new.id, old.id
    for name, value in new.outputs.items():
        was = old.outputs.get(name)
        if name not in new.inputs and isinstance(value, str) and isinstance(was, str) and value != was:
            yield value, was


class _Replacing:
    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {value: was for value, was in values.items() if len(value) >= _SHORTEST}
        longest_first = sorted(self._values, key=lambda value: (-len(value), value))
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def __call__(self, value: Any) -> Any:  # noqa: ANN401 - any part of the wire form
        if isinstance(value, str):
            return self._pattern.sub(lambda found: self._values[found[0]], value)
        if isinstance(value, dict):
            return {self(key): self(item) for key, item in cast("dict[str, Any]", value).items()}
        if isinstance(value, list | tuple):
            items = [self(item) for item in cast("list[Any]", value)]
            return tuple(items) if isinstance(value, tuple) else items
        return value


def _with(resource: RecordedResource, replaced: _Replacing) -> RecordedResource:
    return replace(
        resource,
        **{
            one.name: replaced(getattr(resource, one.name))
            for one in fields(resource)
            if one.name
            in ("urn", "parent", "inputs", "outputs", "dependencies", "property_dependencies", "id", "provider")
        },
    )
