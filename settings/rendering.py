"""Turns pydantic's validation errors into :class:`Problem` objects in terms of keys, not models.

The location of an error is followed through the model's types. That gives the key as it is written in the file (list
positions in brackets, without union tags) and the field's metadata. A field's ``description`` is the text of "allowed";
``json_schema_extra={"fix": …}`` replaces the general advice and ``json_schema_extra={"secret": True}`` keeps the value
out of every message.
"""

from __future__ import annotations

import difflib
import enum
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from settings.errors import HIDDEN, NOT_SET, FailedChecksError, Problem, hide, printable, shown

_NUMBERS = ("float_parsing", "float_type", "int_from_float", "int_parsing", "int_type")
_UNIONS = (Union, types.UnionType)


@dataclass(frozen=True, slots=True)
class Place:
    """The location of an error: the key so far, the expected type and the field's metadata."""

    key: str
    type: object
    description: str | None = None
    bounds: Mapping[str, int] = field(default_factory=dict[str, int])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


def problems_of(error: ValidationError, model: type[BaseModel], prefix: str, file: str) -> list[Problem]:
    """Every problem in ``error``; ``prefix`` precedes each key, ``file`` is the file to fix."""
    problems: list[Problem] = []
    for detail in error.errors(include_url=False):
        ctx = detail.get("ctx", {})
        if detail["type"] == "too_short" and len(detail["input"]) >= ctx["min_length"]:
            continue  # enough elements, but some are invalid and reported individually
        if isinstance(ctx.get("error"), FailedChecksError):
            problems.extend(replace(p, key=prefix + p.key) for p in ctx["error"].problems)
        else:
            problems.append(_problem(detail, model, prefix, file))
    return problems


def allowed_at(model: type[BaseModel], name: str) -> str:
    """The allowed values of the field ``name`` of ``model``, as text."""
    return _allowed(_of_field(name, model.model_fields[name]))


def unknown_key(
    key: str,
    name: str,
    model: type[BaseModel],
    *,
    without: Collection[str] = (),
    also: Mapping[str, str] | None = None,
    root: type[BaseModel] | None = None,
) -> Problem:
    """The problem of a key that ``model`` does not have, with the closest existing key or the section it belongs to.

    ``without`` lists fields that are not in the file, ``also`` contains advice for common wrong keys, and ``root`` is
    the whole model if ``model`` is a part of it.
    """
    known = [_alias(n, f) for n, f in model.model_fields.items() if n not in without]
    near = difflib.get_close_matches(name, known, n=1)
    fix = (also or {}).get(name)
    if fix is None and near:
        fix = f"did you mean {near[0]}? Otherwise remove the key"
    elif fix is None:
        places = [path.rpartition(".")[0] for path in _paths(root or model) if path.split(".")[-1] == name]
        fix = f"it belongs under {' or '.join(places)}" if places else "remove the key"
    return Problem(key, "(unknown key)", f"the keys {', '.join(known)}", fix)


def _problem(detail: ErrorDetails, model: type[BaseModel], prefix: str, file: str) -> Problem:
    kind, loc, value, ctx = detail["type"], detail["loc"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        parent = _walk(model, loc[:-1], prefix)
        name = str(loc[-1])
        key = _join(parent.key, hide(printable(name, 60)), prefix)
        owner = parent.type if isinstance(parent.type, type) and issubclass(parent.type, BaseModel) else model
        return unknown_key(key, name, owner, root=model)
    place = _walk(model, loc, prefix)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tag = ctx.get("discriminator", "kind").strip("'")
        tags = ", ".join(_tags(place.type))
        given = shown(ctx.get("tag")) if kind == "union_tag_invalid" else NOT_SET
        return Problem(_join(place.key, tag, prefix), given, f"one of {tags}", f"set {tag} to one of {tags}")
    if kind == "missing":
        leaf = place.key.removeprefix(prefix).split(".")[-1]
        return Problem(place.key, NOT_SET, _allowed(place), f"add {leaf} to {file}")
    secret = bool(place.extra.get("secret"))
    return Problem(
        place.key or file,
        HIDDEN if secret else shown(value),
        _allowed(place),
        place.extra.get("fix") or _fix(kind, value, ctx),
    )


def _plain(limit: object) -> str:
    """A limit in its usual notation: pydantic returns the limits of a decimal number as decimals."""
    return str(int(limit)) if isinstance(limit, float) and limit.is_integer() else str(limit)


def _fix(kind: str, value: object, ctx: Mapping[str, Any]) -> str:
    if value is None:
        return "set a value, or remove the key if it is optional"
    by_kind = {
        "greater_than_equal": f"set it to {_plain(ctx.get('ge'))} or more",
        "less_than_equal": f"set it to {_plain(ctx.get('le'))} or less",
        "too_short": f"write at least {ctx.get('min_length')}",
        "too_long": f"write at most {ctx.get('max_length')}",
        "tuple_type": "write it as a list, each value on a separate line that starts with '- '",
        "model_type": "write its keys below it, indented",
        "model_attributes_type": "write its keys below it, indented",
        "dict_type": "write its keys below it, indented",
        "bool_type": "write true or false, without quotes",
        "string_type": "write it as text, in quotes if it could be read as a number",
        "string_too_long": f"shorten it to {ctx.get('max_length')} characters",
        "enum": "choose one of these",
        "literal_error": "choose one of these",
    }
    if kind in _NUMBERS and isinstance(value, str) and value.strip().replace(".", "", 1).isdecimal():
        return "write the number without quotes"
    if kind in _NUMBERS and isinstance(value, str) and value.strip()[:1].isdecimal():
        return "write only the number: the unit is in the key's name"
    return by_kind.get(kind, "write a value of the allowed form")


def _walk(model: type[BaseModel], loc: Sequence[int | str], prefix: str) -> Place:
    place = Place(prefix, model)
    for piece in loc:
        place = _step(place, piece, prefix)
    return place


def _step(place: Place, piece: int | str, prefix: str) -> Place:
    expected = place.type
    if get_origin(expected) in _UNIONS:
        chosen = next((m for m in get_args(expected) if piece in _tags(m)), None)
        return place if chosen is None else Place(place.key, chosen)
    if isinstance(expected, type) and issubclass(expected, BaseModel):
        for name, info in expected.model_fields.items():
            if piece in (name, _alias(name, info)):
                return _replace_key(_of_field(name, info), _join(place.key, _alias(name, info), prefix))
        return Place(_join(place.key, printable(str(piece), 60), prefix), None)
    if isinstance(piece, int):
        return _replace_key(_of_type(get_args(expected)[0] if get_args(expected) else None), f"{place.key}[{piece}]")
    if piece == "[key]":
        return _replace_key(_of_type(get_args(expected)[0]), place.key)
    inner = get_args(expected)[1] if get_origin(expected) is dict else None
    return _replace_key(_of_type(inner), _join(place.key, hide(printable(piece, 60)), prefix))


def _join(key: str, piece: str, prefix: str) -> str:
    return f"{key}{piece}" if key == prefix else f"{key}.{piece}"


def _replace_key(place: Place, key: str) -> Place:
    return replace(place, key=key)


def _of_field(name: str, info: FieldInfo) -> Place:
    inner = _of_type(info.annotation)
    extra = _extra(info)
    return Place(
        name,
        inner.type,
        info.description or inner.description,
        {**inner.bounds, **_bounds(info.metadata)},
        {**inner.extra, **extra},
    )


def _extra(info: FieldInfo) -> Mapping[str, Any]:
    extra = cast("object", info.json_schema_extra)
    return cast("Mapping[str, Any]", extra) if isinstance(extra, dict) else {}


def _of_type(annotation: object) -> Place:
    """Unwrap ``Annotated`` and ``| None``, and keep their metadata."""
    if get_origin(annotation) is Annotated:
        base, *metadata = get_args(annotation)
        inner = _of_type(base)
        for item in metadata:
            if isinstance(item, FieldInfo):
                said = _extra(item)
                inner = Place(
                    "", inner.type, item.description or inner.description, inner.bounds, {**inner.extra, **said}
                )
        return Place("", inner.type, inner.description, {**inner.bounds, **_bounds(metadata)}, inner.extra)
    if get_origin(annotation) in _UNIONS:
        members = [m for m in get_args(annotation) if m is not type(None)]
        if len(members) == 1:
            return _of_type(members[0])
    return Place("", annotation)


def _bounds(metadata: Sequence[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in metadata:
        nested = _bounds(item.metadata) if isinstance(item, FieldInfo) else {}
        found.update(nested)
        for name in ("ge", "le", "min_length", "max_length"):
            if isinstance(bound := getattr(item, name, None), int):
                found[name] = bound
    return found


def _allowed(place: Place) -> str:  # noqa: PLR0911 - one line for each kind of type
    expected, bounds = place.type, place.bounds
    if place.description:
        return place.description
    if expected is int:
        return (
            f"a whole number from {bounds['ge']} to {bounds['le']}" if {"ge", "le"} <= set(bounds) else "a whole number"
        )
    if expected is bool:
        return "true or false"
    if get_origin(expected) is Literal or get_origin(expected) in _UNIONS:
        return _choice(_tags(expected))
    if isinstance(expected, type) and issubclass(expected, enum.Enum):
        return _choice([str(member.value) for member in expected])
    if isinstance(expected, type) and issubclass(expected, BaseModel):
        return "an object with " + _keys(expected)
    if get_origin(expected) is tuple:
        return f"a list{_count(bounds)} of: {_allowed(_of_type(get_args(expected)[0]))}"
    if get_origin(expected) is dict:
        return f"an object of: {_allowed(_of_type(get_args(expected)[1]))}"
    if expected is str and bounds:
        return f"text of {bounds.get('min_length', 0)} to {bounds.get('max_length', 'any number of')} characters"
    return "text"


def _count(bounds: Mapping[str, int]) -> str:
    least, most = bounds.get("min_length", 0), bounds.get("max_length")
    if most is None:
        return f" of {least} or more" if least else ""
    return f" of {least} to {most}"


def _keys(model: type[BaseModel]) -> str:
    needed = [_alias(n, f) for n, f in model.model_fields.items() if f.is_required()]
    optional = [_alias(n, f) for n, f in model.model_fields.items() if not f.is_required()]
    return "; optional: ".join(", ".join(part) for part in (needed, optional) if part)


def _tags(expected: object) -> list[str]:
    """The literals that distinguish a union's members, which have no default, or the values of one literal."""
    if get_origin(expected) is Annotated:
        return _tags(get_args(expected)[0])
    if get_origin(expected) is Literal:
        return [str(v) for v in get_args(expected)]
    if get_origin(expected) in _UNIONS:
        return [tag for member in get_args(expected) for tag in _tags(member)]
    if isinstance(expected, type) and issubclass(expected, BaseModel):
        return [
            tag
            for f in expected.model_fields.values()
            if get_origin(f.annotation) is Literal and f.is_required()
            for tag in _tags(f.annotation)
        ]
    return []


def _paths(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Every key below ``model``, dotted; list elements are left out."""
    for name, info in model.model_fields.items():
        path = f"{before}{_alias(name, info)}"
        yield path
        inner = _of_type(info.annotation).type
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _paths(inner, f"{path}.")


def _alias(name: str, info: FieldInfo) -> str:
    return info.alias or name


def _choice(values: Sequence[str]) -> str:
    return ("one of " if len(values) > 1 else "") + ", ".join(values)
