"""Change one resource of a recording, as if the program had registered it that way, to plant a fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import unwrap

Inputs = dict[str, Any]
Edit = Callable[[Inputs], None]


def edited(recording: Recording, type_: str, name: str, edit: Edit) -> Recording:
    """The same recording with one resource's inputs changed. Raises ``AssertionError`` if it does not exist."""
    assert [one for one in recording.resources if (one.type, one.name) == (type_, name)], (type_, name)
    return replace(recording, resources=[_changed(one, type_, name, edit) for one in recording.resources])


def _changed(resource: RecordedResource, type_: str, name: str, edit: Edit) -> RecordedResource:
    if (resource.type, resource.name) != (type_, name):
        return resource
    inputs = json.loads(json.dumps(unwrap(resource.inputs)))
    edit(inputs)
    return replace(resource, inputs=inputs, outputs={**resource.outputs, **inputs})


def in_container(name: str, edit: Edit) -> Edit:
    """A task definition with one container changed."""

    def whole(inputs: Inputs) -> None:
        definitions = json.loads(inputs["containerDefinitions"])
        edit(next(one for one in definitions if one["name"] == name))
        inputs["containerDefinitions"] = json.dumps(definitions)

    return whole


def with_variable(name: str, value: str | None) -> Edit:
    """The interface container with another value of a variable; ``None`` removes it."""

    def edit(container: Inputs) -> None:
        others = [one for one in container["environment"] if one["name"] != name]
        container["environment"] = others if value is None else [*others, {"name": name, "value": value}]

    return in_container("interface", edit)


def with_text(old: str, new: str, path: str) -> Edit:
    """One property with every occurrence of a text replaced. The text has to occur."""

    def edit(inputs: Inputs) -> None:
        before = json.dumps(inputs[path])
        assert old in before, (old, before)
        inputs[path] = json.loads(before.replace(old, new))

    return edit


def with_value(path: str, value: object) -> Edit:
    """One property with another value."""

    def edit(inputs: Inputs) -> None:
        inputs[path] = value

    return edit


def with_ports(port: int) -> Edit:
    """A rule for another port."""

    def edit(inputs: Inputs) -> None:
        inputs.update(fromPort=port, toPort=port)

    return edit


def denied_first(inputs: Inputs) -> None:
    """A network ACL entry turned into a deny entry before all others; later entries still allow return traffic."""
    inputs.update(ruleAction="deny", ruleNumber=1)


def in_statement(path: str, sid: str, edit: Edit) -> Edit:
    """A policy with one statement changed."""

    def whole(inputs: Inputs) -> None:
        policy = json.loads(inputs[path])
        (statement,) = [one for one in policy["Statement"] if one.get("Sid") == sid]
        edit(statement)
        inputs[path] = json.dumps(policy)

    return whole


def without(path: str, value: str) -> Edit:
    """A list without one of its values. The value has to be in it."""

    def edit(inputs: Inputs) -> None:
        assert value in inputs[path], (value, inputs[path])
        inputs[path] = [one for one in inputs[path] if one != value]

    return edit
