"""botocore's service models: lengths, patterns, ranges and enumerations of the arguments of the provider's calls."""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from preflight.conform.installed import install
from preflight.conform.translate import Made, Path
from preflight.conform.translation.kind import ModelledCall
from preflight.errors import PreflightError
from preflight.sdk.wire import Json, Wire

if TYPE_CHECKING:
    import regex

SURROGATES, BEYOND = r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"
"""Characters above U+FFFF as some patterns write them in UTF-16, and the same in Python."""

ModelShape: TypeAlias = Any
"""A shape of botocore."""


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """A value that breaks a constraint of a call."""

    path: Path
    """The path into the arguments, with CloudFormation's names."""
    constraint: str
    """The values that the model allows, without the value found."""


def broken(made: Made) -> Iterator[tuple[ModelledCall, InvalidValue]]:
    """Every argument that the model of its call refuses."""
    for call in made.kind.calls:
        for name, value in made.arguments.items():
            model = None if name in made.kind.uncalled else member(call, name)
            if model is None:
                continue
            if name in call.split:
                for number, item in enumerate(cast("list[Json]", value)):
                    yield from ((call, each) for each in _check(call, model.member, item, (name, number)))
            else:
                yield from ((call, each) for each in _check(call, model, value, (name,)))


def unmatched(made: Made) -> set[str]:
    """The arguments that no call accepts."""
    return {name for name in made.arguments if all(member(call, name) is None for call in made.kind.calls)}


def member(call: ModelledCall, name: str) -> ModelShape | None:
    """The member of a call's input for a CloudFormation property: in the structure that contains the values, or at the
    top level."""
    top = input_shape(call)
    place = top
    for part in call.inside.split(".") if call.inside else ():
        place = place.members[part]
        while place.type_name == "list":
            place = place.member
    for shape in (place, top):
        if member := member_of(shape, call, name):
            return shape.members[member]
    return None


def member_of(shape: ModelShape, call: ModelledCall, name: str) -> str:
    """The member of a structure for a CloudFormation property; empty if there is none."""
    for wanted in (call.names.get(name, name), name):
        for member in shape.members:
            if member.lower() == wanted.lower():
                return member
    return ""


@functools.cache
def _botocore() -> tuple[Any, Any]:
    """botocore's loader and models, imported when first needed."""
    try:
        loaders, model = (importlib.import_module(f"botocore.{part}") for part in ("loaders", "model"))
    except ImportError as error:
        raise PreflightError(install(f"{error.name} is")) from error
    return loaders.Loader(), model


@functools.cache
def _service(name: str) -> ModelShape:
    loader, model = _botocore()
    return model.ServiceModel(loader.load_service_model(name, "service-2"), name)


def input_shape(call: ModelledCall) -> ModelShape:
    """The input structure of a call."""
    return _service(call.service).operation_model(call.operation).input_shape


def _check(call: ModelledCall, shape: ModelShape, value: Json, path: Path) -> Iterator[InvalidValue]:
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(call, shape, value, path)
    elif kind == "list":
        yield from _list(call, shape, value, path)
    elif kind == "map":
        yield from _map(call, shape, value, path)
    elif kind == "string":
        yield from _string(shape, value, path)
    elif kind in {"integer", "long", "float", "double"}:
        yield from _number(shape, value, path)
    elif kind == "boolean" and str(value).lower() not in {"true", "false"}:
        yield InvalidValue(path, "must be true or false")


def _structure(call: ModelledCall, shape: ModelShape, value: Json, path: Path) -> Iterator[InvalidValue]:
    if isinstance(value, str) and len(shape.members) == 1:
        yield from _check(
            call, next(iter(shape.members.values())), value, path
        )  # CloudFormation has the value without the enclosing object
        return
    if not isinstance(value, dict):
        yield InvalidValue(path, f"must be an object with {', '.join(sorted(shape.members))}")
        return
    fields = cast("Wire", value)
    for name, item in fields.items():
        if member := member_of(shape, call, name):
            yield from _check(call, shape.members[member], item, (*path, name))
        else:
            yield InvalidValue((*path, name), f"is none of {', '.join(sorted(shape.members))}")
    given = {member_of(shape, call, name) for name in fields}
    for name in shape.required_members:
        if name not in given:
            yield InvalidValue(path, f"must have {name}")


def _list(call: ModelledCall, shape: ModelShape, value: Json, path: Path) -> Iterator[InvalidValue]:
    items = cast("list[Json]", value) if isinstance(value, list) else [value]
    yield from _within(shape.metadata, len(items), path, "items")
    for number, item in enumerate(items):
        yield from _check(call, shape.member, item, (*path, number))


def _map(call: ModelledCall, shape: ModelShape, value: Json, path: Path) -> Iterator[InvalidValue]:
    pairs = _pairs(value)
    if pairs is None:
        yield InvalidValue(path, "must be a map")
        return
    yield from _within(shape.metadata, len(pairs), path, "entries")
    for place, key, item in pairs:
        yield from _check(call, shape.key, key, (*path, place))
        yield from _check(call, shape.value, item, (*path, place))


def _pairs(value: Json) -> list[tuple[str | int, str, Json]] | None:
    """Path, key and value of each entry of a map, or of tags in a list."""
    if isinstance(value, dict):
        return [(key, key, item) for key, item in cast("Wire", value).items()]
    if isinstance(value, list):
        entries = [cast("Wire", entry) for entry in cast("list[Json]", value) if isinstance(entry, dict)]
        if all(set(entry) == {"Key", "Value"} for entry in entries) and len(entries) == len(cast("list[Json]", value)):
            return [(number, entry["Key"], entry["Value"]) for number, entry in enumerate(entries)]
    return None


def _string(shape: ModelShape, value: Json, path: Path) -> Iterator[InvalidValue]:
    if isinstance(value, dict | list):
        value = json.dumps(value, separators=(",", ":"), sort_keys=True)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    yield from _within(shape.metadata, len(text), path, "characters")
    if shape.enum and text not in shape.enum:
        yield InvalidValue(path, f"must be one of {', '.join(sorted(shape.enum))}")
    pattern = shape.metadata.get("pattern")
    if pattern and not _pattern(pattern).search(text):
        yield InvalidValue(path, f"must match {pattern}")


@functools.cache
def _pattern(pattern: str) -> regex.Pattern[str]:
    """A pattern of the model, which has to match the whole value, as in the services."""
    import regex  # noqa: PLC0415 - cfn-lint depends on it; it supports the character classes of Java's patterns

    return regex.compile(rf"\A(?:{pattern.replace(SURROGATES, BEYOND)})\Z")


def _number(shape: ModelShape, value: Json, path: Path) -> Iterator[InvalidValue]:
    try:
        number = float(value)
    except (TypeError, ValueError):
        yield InvalidValue(path, "must be a number")
        return
    yield from _within(shape.metadata, number, path, "")


def _within(metadata: Mapping[str, Any], size: float, path: Path, unit: str) -> Iterator[InvalidValue]:
    low, high = metadata.get("min"), metadata.get("max")
    unit = f" {unit}" if unit else ""
    if low is not None and size < low:
        yield InvalidValue(path, f"must be at least {low}{unit}")
    if high is not None and size > high:
        yield InvalidValue(path, f"must be at most {high}{unit}")


def forget() -> None:
    """Forget the imported botocore, so that the next call imports it again. Tests use it to remove the package."""
    for cached in (_botocore, _service):
        cached.cache_clear()
