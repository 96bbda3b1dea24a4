"""CloudFormation's resource schemas and cfn-lint's rules, applied to a template."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from preflight.conform.linter import Linter
from preflight.conform.references import linked, values_of
from preflight.conform.translate import Made, Path
from preflight.errors import PreflightError
from preflight.sdk.wire import Json, Wire

NOT_OURS = {
    "E1029": "text with ${…} is data here: nothing is substituted",
    "E3010": "the limit of 500 resources per template does not apply",
}
"""Rules about templates, which do not apply to recorded resources."""

NOT_OF_PARTS = {"E3019": "several parts of one resource have the same name"}
"""Rules that apply to whole resources only."""

CANNOT_CHECK = "cfn-lint cannot check this resource"
"""The message, up to the reason, about a resource that stops one of cfn-lint's rules."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that breaks a constraint."""

    made: Made
    path: Path
    """The path into the properties."""
    rule: str
    message: str
    """cfn-lint's message; it contains the value."""


def lint(resources: Sequence[Made], region: str) -> list[Refused]:
    """The values that the schemas of ``region`` and the rules refuse.

    :raises PreflightError: cfn-lint has no schemas of that region
    """
    cfnlint = _cfnlint()
    if region not in cfnlint.regions:
        raise PreflightError(
            f"cfn-lint {cfnlint.version} has no schemas of the region {region}, so no value can be checked;"
            " update cfn-lint (make lock), or change aws:region"
        )
    complete = [made for made in resources if made.kind.cloudformation and not made.kind.part]
    identified = values_of(complete)
    whole = [_entry(made, linked(made, identified)) for made in complete]
    parts = [_entry(made, made.properties) for made in resources if made.kind.cloudformation and made.kind.part]
    parts += [entry for made in resources for entry in _alike(made)]
    return [
        *_evaluated(whole, region, NOT_OURS),
        *_evaluated(parts, region, {**NOT_OURS, **NOT_OF_PARTS}),
    ]


def _evaluated(entries: Sequence[_Entry], region: str, ignored: Mapping[str, str]) -> Iterator[Refused]:
    matches = _cfnlint().matches(_template(entries), region, ignored)
    if all(_is_inside(path) for _, path, _ in matches):
        yield from (_refused(entries[int(str(path[1])[1:])], path[3:], rule, text) for rule, path, text in matches)
    elif len(entries) > 1:
        # An unexpected value has stopped a rule for all resources: halve them until the one that has it is alone.
        middle = len(entries) // 2
        yield from _evaluated(entries[:middle], region, ignored)
        yield from _evaluated(entries[middle:], region, ignored)
    else:
        rule, _, text = matches[0]
        yield Refused(entries[0].made, (), rule, f"{CANNOT_CHECK}: {text}")


def _is_inside(path: Path) -> bool:
    return len(path) > 1 and path[0] == "Resources"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A resource in the template."""

    made: Made
    type: str
    properties: Wire
    instead: Mapping[str, str]
    """Property in the template → property of the real resource."""


def _entry(made: Made, properties: Wire) -> _Entry:
    return _Entry(made, made.kind.cloudformation, properties, {})


def _alike(made: Made) -> Iterator[_Entry]:
    if like := made.kind.like:
        shared = {other: made.properties[name] for name, other in like.names.items() if name in made.properties}
        if shared:
            instead = {other: name for name, other in like.names.items()}
            yield _Entry(made, like.cloudformation, {**like.placeholders, **shared}, instead)


def _template(entries: Sequence[_Entry]) -> Wire:
    resources = {f"R{n}": {"Type": entry.type, "Properties": entry.properties} for n, entry in enumerate(entries)}
    return {"Resources": resources}


def _refused(entry: _Entry, path: Path, rule: str, message: str) -> Refused:
    if path and str(path[0]) in entry.instead:
        path = (entry.instead[str(path[0])], *path[1:])
    return Refused(entry.made, path, rule, message)


@functools.cache
def property_names(cloudformation: str) -> Mapping[str, str]:
    """Every property name in a type's schema, at any depth, by its lower-case form."""
    found = {name: name for name in sorted(_names(schema(cloudformation)), reverse=True)}
    return {name.lower(): name for name in found}


@functools.cache
def schema(cloudformation: str, region: str = "us-east-1") -> Wire:
    """The resource schema of one type in one region; empty if there is none."""
    return _cfnlint().schema(cloudformation, region)


def _names(part: Json) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in cast("Wire", part).items():
            if key in {"properties", "definitions"} and isinstance(value, dict):
                names = cast("Wire", value)
                if key == "properties":
                    yield from names
                for item in names.values():
                    yield from _names(item)
            else:
                yield from _names(value)
    elif isinstance(part, list):
        for item in cast("list[Json]", part):
            yield from _names(item)


@functools.cache
def _cfnlint() -> Linter:
    return Linter()


def prepare() -> None:
    """Load cfn-lint and its rules, so that every fork of this process has them.

    :raises PreflightError: it is not installed
    """
    _cfnlint().rules  # noqa: B018 - it is loaded when it is read


def forget() -> None:
    """Forget the imported cfn-lint, so that the next call imports it again. Tests use it to remove the package."""
    for cached in (_cfnlint, property_names, schema):
        cached.cache_clear()
