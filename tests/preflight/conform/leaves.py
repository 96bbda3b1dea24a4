"""Every value in a graph for which AWS publishes a constraint, with another value that breaks it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import cast

import regex

from preflight.conform import cloudformation, service_models
from preflight.conform.translate import Made, Path, translate
from preflight.conform.translation import TABLE
from preflight.recording.recorder import RecordedResource
from preflight.sdk.wire import SIGNATURE, Json, Wire
from tests.preflight.conform.graphs import managed, sample_graphs, with_value

MARKER = "\x07'\x07"
NUMBER = 987654321098
CANDIDATES = (MARKER, " ", "", "a:b*c", "é", "x" * 3000)


@dataclass(frozen=True)
class Leaf:
    """One value of a Pulumi input, which represents all values that differ only in list positions."""

    resource: RecordedResource
    path: Path
    value: Json

    @property
    def place(self) -> str:
        return f"{self.resource.type.rpartition(':')[2]}.{'.'.join(map(str, _abstract(self.path)))}"


def _abstract(path: Path) -> tuple[str, ...]:
    if path[0] == "tags":
        return ("tags", "*")
    return tuple("[]" if isinstance(part, int) else part for part in path)


def alone(leaf: Leaf) -> Leaf:
    """The leaf in its resource without its neighbours in lists of objects, which take cfn-lint seconds to validate."""
    inputs: Json = copy.deepcopy(leaf.resource.inputs)
    parent: Json = inputs
    path: list[str | int] = []
    for step in leaf.path:
        kept = step
        if isinstance(step, int) and isinstance(parent[step], dict):
            parent[:] = [parent[step]]
            kept = 0
        path.append(kept)
        parent = parent[kept]
    return Leaf(_with_inputs(leaf.resource, inputs), tuple(path), leaf.value)


def _with_inputs(resource: RecordedResource, inputs: Wire) -> RecordedResource:
    names = RecordedResource.__dataclass_fields__
    return RecordedResource(**{name: getattr(resource, name) for name in names if name != "inputs"}, inputs=inputs)


def original(leaf: Leaf) -> Made:
    """The resource's translation as it is."""
    return translate(leaf.resource, TABLE[leaf.resource.type], cloudformation.property_names)


def mutant(leaf: Leaf, value: object) -> Made:
    """The resource's translation with another value at the leaf."""
    return original(
        Leaf(_with_inputs(leaf.resource, with_value(leaf.resource.inputs, leaf.path, value)), leaf.path, value)
    )


@cache
def leaves() -> tuple[Leaf, ...]:
    """Each text and number in every graph's inputs, once, except for data of this project."""
    found: dict[tuple[str, tuple[str, ...]], Leaf] = {}
    for recording in sample_graphs():
        for resource in managed(recording):
            if resource.type in TABLE:
                for path, value in _walk(resource.inputs, ()):
                    place = resource.type, _abstract(path)
                    if place not in found:
                        found[place] = alone(Leaf(resource, path, value))
    return tuple(leaf for _, leaf in sorted(found.items()))


def broken_values(leaf: Leaf) -> list[Made]:
    """The resource with a value that the schema refuses, one that a call's model refuses, and one that is not JSON,
    if any."""
    marker = MARKER if isinstance(leaf.value, str) else NUMBER
    probe = mutant(leaf, marker)
    constraints = [schema_constraints(probe.kind.cloudformation, path) for path in places(probe.properties, marker)]
    constraints += [model_constraints(probe, path) for path in places(probe.arguments, marker)]
    values = [breaking(each, leaf.value) for each in constraints]
    made = [mutant(leaf, value) for value in values if value is not None]
    return [*made, probe] if _is_document(leaf, probe) else made


def _is_document(leaf: Leaf, probe: Made) -> bool:
    """Whether AWS parses this value as JSON: then the marker, which is not JSON, already breaks it."""
    try:
        content = json.loads(leaf.value)
    except (TypeError, ValueError):
        return False
    # ``translation.kind.parsed`` turns text that is not JSON into a list.
    lists = [path for path in places(probe.properties, MARKER) if path[-1] == 0]
    return isinstance(content, dict) and bool(lists)


def swallowed(leaf: Leaf) -> bool:
    """Whether the translation drops the value, so that it cannot be checked."""
    marker = MARKER if isinstance(leaf.value, str) else NUMBER
    probe = mutant(leaf, marker)
    return str(marker) not in {part for path, found in _walk(probe.arguments, ()) for part in (*path, str(found))}


def _walk(value: Json, path: Path) -> Iterator[tuple[Path, Json]]:
    if isinstance(value, dict):
        for key, item in cast("Wire", value).items():
            if key != SIGNATURE:
                yield from _walk(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(cast("list[Json]", value)):
            yield from _walk(item, (*path, number))
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield path, value


def places(value: Json, wanted: object) -> list[Path]:
    """Where a value is in a translated resource."""
    return [path for path, found in _walk(value, ()) if found == wanted and type(found) is type(wanted)]


def schema_constraints(kind: str, path: Path) -> dict[str, Json]:
    """What CloudFormation's schema says about the value at a path."""
    root = cloudformation.schema(kind)
    schemas = [root]
    for part in path:
        schemas = [inner for schema in schemas for inner in _step(root, schema, part)]
    merged: dict[str, Json] = {}
    for schema in schemas:
        merged |= _resolved(root, schema)
    return merged


def _resolved(root: Json, schema: Json) -> Json:
    while "$ref" in schema:
        target = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema


def _step(root: Json, schema: Json, part: str | int) -> Iterator[Json]:
    schema = _resolved(root, schema)
    if isinstance(part, int):
        if isinstance(schema.get("items"), dict):
            yield schema["items"]
        return
    if part in schema.get("properties", {}):
        yield schema["properties"][part]
    for pattern, inner in schema.get("patternProperties", {}).items():
        if regex.search(pattern, part):
            yield inner


def model_constraints(made: Made, path: Path) -> dict[str, Json]:
    """What botocore's models say about the value at a path of the arguments."""
    for call in made.kind.calls:
        shape = service_models.member(call, str(path[0]))
        if shape is None or path[0] in made.kind.uncalled:
            continue
        rest = list(path[1:])
        if path[0] in call.split and rest:
            shape, rest = shape.member, rest[1:]
        for part in rest:
            if shape.type_name == "list" and isinstance(part, int):
                shape = shape.member
            elif shape.type_name == "structure" and (name := service_models.member_of(shape, call, str(part))):
                shape = shape.members[name]
            elif shape.type_name == "map":
                shape = shape.value
            else:
                return {}
        enum = {"enum": list(shape.enum)} if shape.type_name == "string" and shape.enum else {}
        names = (
            {"min": "minLength", "max": "maxLength"}
            if shape.type_name == "string"
            else {"min": "minimum", "max": "maximum"}
        )
        bounds = {names[key]: value for key, value in shape.metadata.items() if key in names}
        pattern = {"pattern": rf"\A(?:{shape.metadata['pattern']})\Z"} if "pattern" in shape.metadata else {}
        return (
            {**enum, **bounds, **pattern} if shape.type_name in {"string", "integer", "long", "float", "double"} else {}
        )
    return {}


def breaking(constraints: dict[str, Json], value: object) -> Json:
    """A value that breaks one of some constraints; ``None`` if there is none to break."""
    return _breaking_text(constraints) if isinstance(value, str) else _breaking_number(constraints)


def _breaking_text(constraints: dict[str, Json]) -> str | None:
    if "enum" in constraints:
        return MARKER
    if pattern := constraints.get("pattern"):
        pattern = pattern.replace(service_models.SURROGATES, service_models.BEYOND)
        return next((text for text in CANDIDATES if not regex.search(pattern, text, timeout=5)), None)
    if constraints.get("maxLength"):
        return "x" * (constraints["maxLength"] + 1)
    return "" if constraints.get("minLength") else None


def _breaking_number(constraints: dict[str, Json]) -> float | None:
    if "enum" in constraints:
        return NUMBER
    if "maximum" in constraints:
        return constraints["maximum"] + 1
    return constraints["minimum"] - 1 if "minimum" in constraints else None
