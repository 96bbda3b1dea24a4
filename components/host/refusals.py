"""Errors about wrong arguments of a component: key, value, what is allowed and the fix, in the caller's
spelling. A value that may be a secret is not shown."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import Enum
from typing import Any, cast

import pulumi
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails
from pydantic import ValidationError

from components.args import Args
from components.host.models import Member, allowed, kinds_of, members, spelled

LONGEST = 80
HIDDEN = "(not shown: it may be a secret)"
OBJECT, LIST, UNSTATED = "an object", "a list of ", "see the rule"
NOT_SHOWN = " (value not shown)"
"""Ends the path of a value that must not be printed."""
_SECRET_NAME = re.compile(r"secret|password|credential|api_key|private_key", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"(?=[^\s/:,]*[a-z])(?=[^\s/:,]*[A-Z])(?=[^\s/:,]*\d)[^\s/:,]{20,}|PRIVATE KEY|\b(AKIA|ASIA|sk-)"
)
_PUBLIC = re.compile(r"ELBSecurityPolicy-[A-Za-z0-9-]{1,60}")
"""AWS names that look like secrets."""
_NAME = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
_KINDS: Mapping[type, str] = {bool: "true or false", float: "a number", int: "a whole number", str: "text"}
_LIMITS = frozenset(
    {
        "enum",
        "greater_than",
        "greater_than_equal",
        "less_than",
        "less_than_equal",
        "string_pattern_mismatch",
        "too_long",
        "too_short",
    }
)
"""The errors about a value of the right type that a constraint of the field refuses."""


def detail(path: str, *, value: str, allowed: str, fix: str) -> InputPropertyErrorDetails:
    """One wrong argument. The engine prints the value of every path that it finds among the inputs, a secret too, so the path of
    a hidden value, and of an object or a list that may contain one, is made one that it does not find."""
    hidden = value in (HIDDEN, OBJECT, UNSTATED) or value.startswith(LIST)
    where = f"{path}{NOT_SHOWN}" if hidden and path else path
    return {"property_path": where, "reason": f"value: {value}; allowed: {allowed}; fix: {fix}"}


def refused(component: str, details: Iterable[InputPropertyErrorDetails]) -> InputPropertiesError:
    """The error that the engine prints with every wrong argument, sorted by path."""
    listed = sorted(details, key=lambda one: (one["property_path"], one["reason"]))
    count = "1 argument is wrong" if len(listed) == 1 else f"{len(listed)} arguments are wrong"
    return InputPropertiesError(f"{component}: {count}", listed)


def unknown_names(model: type[Args], given: Mapping[str, object]) -> list[InputPropertyErrorDetails]:
    """The names that are no arguments, with the nearest that is one."""
    found: list[InputPropertyErrorDetails] = []
    for path, at, name, value in _unknown(model, given, ""):
        near = get_close_matches(spelled(name), at, n=1, cutoff=0.6)
        found.append(
            detail(
                path,
                value=shown(name, value),
                allowed=", ".join(sorted(at)),
                fix=f"did you mean {near[0]}?" if near else "remove it",
            )
        )
    return found


def of_validation(model: type[Args], error: ValidationError) -> list[InputPropertyErrorDetails]:
    """Every problem that pydantic found in the arguments."""
    return [_of_one(model, cast("dict[str, Any]", one)) for one in error.errors(include_url=False)]


def of_value(error: ValueError) -> str:
    """The text of an error that the component raised about its arguments, in the caller's spelling."""
    return respelled(str(error))


def respelled(text: str) -> str:
    """A text with the names of arguments in camelCase."""
    return _NAME.sub(lambda match: spelled(match.group()), text)


def shown(name: str, value: object) -> str:
    """A wrong value for display: short, on one line, hidden if it may be a secret."""
    if isinstance(value, pulumi.Output) or _SECRET_NAME.search(name):
        return HIDDEN if value is not None else "(not set)"
    match value:
        case None:
            text = "(not set)"
        case bool():
            text = str(value).lower()
        case Enum():
            text = str(cast("object", value.value))
        case int() | float():
            text = f"{value:g}"
        case str():
            text = _shown_text(value)
        case list() | tuple():
            text = f"{LIST}{len(cast('list[object]', value))}"
        case _:
            text = OBJECT
    return text


def _shown_text(value: str) -> str:
    clean = "".join(character if character.isprintable() else "?" for character in value)
    if _SECRET_TEXT.search(clean) and not _PUBLIC.fullmatch(clean):
        return HIDDEN
    return f'"{clean}"' if len(clean) <= LONGEST else f'"{clean[:LONGEST]}…"'


def kind_text(member: Member) -> str:
    """The kind of value that the argument has, in words, and its limits."""
    outer, limits = str(member.field.annotation), allowed(member.field)
    kinds = kinds_of(member.field.annotation)
    if limits and not ("list[" in outer or "dict[" in outer):
        return limits
    return ": ".join(part for part in (_kind(member, outer, kinds), limits) if part)


def _kind(member: Member, outer: str, kinds: set[type]) -> str:
    single = next((text for kind, text in _KINDS.items() if kind in kinds), "an object")
    if "list[" in outer:
        return "a list of objects" if member.model else f"a list, each entry {single}"
    if "dict[" in outer:
        return "a map of objects" if member.model else f"a map, each value {single}"
    return single


def _of_one(model: type[Args], one: dict[str, Any]) -> InputPropertyErrorDetails:
    path, member = located(model, one["loc"])
    kind, value = str(one["type"]), one.get("input")
    name = member.name if member else ""
    if kind == "missing":
        text = kind_text(member) if member else "a value"
        return detail(path, value="(not set)", allowed=text, fix=f"set {path}")
    if kind in ("value_error", "assertion_error"):
        return _of_check(model, path, one, value)
    if kind in _LIMITS and member:
        wanted, fix = allowed(member.field) or kind_text(member), f"set {path} to a value that is allowed"
    else:
        wanted = kind_text(member) if member else str(one["msg"])
        fix = f"write {wanted}"
    return detail(path, value=shown(name, value), allowed=wanted, fix=fix)


def _of_check(model: type[Args], path: str, one: dict[str, Any], value: object) -> InputPropertyErrorDetails:
    """A check of the arguments, whose text names the value and the fix. One of a whole object is about the first argument that
    the text names."""
    text = str(one.get("ctx", {}).get("error", one["msg"]))
    if isinstance(value, dict | Args):
        at = _model_at(model, one["loc"])
        named = [name for name in re.findall(r"[a-z][a-z0-9_]*", text) if at and name in at.model_fields]
        path, member = located(model, (*one["loc"], *named[:1]))
        member = member if named else None
        value = _at(cast("object", value), named[0]) if named else None
    else:
        _, member = located(model, one["loc"])
    rule, separator, fix = respelled(text).rpartition(": ")
    if not separator:
        rule, fix = respelled(text), f"change {path or 'the arguments'} so that it holds"
    elif member is not None:
        rule, fix = _without_the_value(rule, fix, member.spelling, value)
    return detail(path, value=shown(member.name, value) if member else UNSTATED, allowed=rule, fix=fix)


def _without_the_value(rule: str, fix: str, name: str, value: object) -> tuple[str, str]:
    """A rule and its fix without the wrong value, which is stated before them: a rule that states only the value allows what the
    fix asks for."""
    # The protocol knows no whole numbers: 900 arrives as 900.0.
    stated = f"{value:g}" if isinstance(value, float) else repr(value)
    given = rf"{re.escape(name)} (is )?\(?{re.escape(stated)}\)?"
    rule = re.sub(rf"^{given},? (and )?must be ", "", rule)
    if not re.fullmatch(given, rule):
        return rule, fix
    rule = re.sub(r"^(use|write|it must be) ", "", fix)
    return rule, f"write {rule}" if fix.startswith("it must be ") else fix


def _model_at(model: type[Args], location: tuple[int | str, ...]) -> type[Args] | None:
    _, member = located(model, location)
    return member.model if member else model


def _at(value: object, name: str) -> object:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).get(name)
    return cast("object", getattr(value, name, None))


def located(model: type[Args], location: tuple[int | str, ...]) -> tuple[str, Member | None]:
    """A location in the arguments as a path in the caller's spelling, and the innermost argument in it."""
    path, member, at = "", None, cast("type[Args] | None", model)
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
            continue
        found = {one.name: one for one in members(at).values()}.get(part) if at else None
        if found is not None:
            member, at = found, found.model
        path += ("." if path else "") + (found.spelling if found else part)
    return path, member


def _unknown(model: type[Args], given: Mapping[str, object], path: str) -> Iterable[tuple[str, list[str], str, object]]:
    known = members(model)
    for name, value in given.items():
        below = f"{path}.{name}" if path else name
        if name not in known:
            yield below, list(known), name, value
        elif (inner := known[name].model) is not None:
            for where, entry in _entries(known[name], value, below):
                yield from _unknown(inner, entry, where)


def _entries(member: Member, value: object, path: str) -> Iterable[tuple[str, Mapping[str, object]]]:
    """The objects in the value of an argument, with their paths."""
    if isinstance(value, list):
        for index, entry in enumerate(cast("list[object]", value)):
            if isinstance(entry, dict):
                yield f"{path}[{index}]", cast("dict[str, object]", entry)
    elif isinstance(value, dict):
        if "dict[" in str(member.field.annotation):
            for key, entry in cast("dict[str, object]", value).items():
                if isinstance(entry, dict):
                    yield f"{path}.{key}", cast("dict[str, object]", entry)
        else:
            yield path, cast("dict[str, object]", value)
