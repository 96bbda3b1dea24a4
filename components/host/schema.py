"""The package's schema: what Pulumi infers from the components, completed for the generated SDKs.

Pulumi infers names, types and texts. It infers neither defaults nor allowed values, keeps the suffix ``Args`` of a type's
name, from which the SDKs would make ``OidcArgsArgs``, and marks as plain every argument that is not an output, so that a
program could not pass an output that it has from another stack or from a configuration.
"""

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, cast

import pulumi

from components.args import Args
from components.host.models import Member, all_models, allowed, args_of, members

SUFFIX = "Args"
LONGEST_DEFAULT = 120
"""A longer default is not repeated in the text; the field's own text states it."""
KNOWN = "Must be known in a preview."
"""The end of the text of an argument that names or shapes resources. A value that another resource computes is refused."""

Schema = dict[str, Any]


def completed(inferred: str, components: list[type[pulumi.ComponentResource]]) -> str:
    """The schema as JSON text with defaults, allowed values and the SDKs' names of the types."""
    schema: Schema = json.loads(inferred)
    package = schema["name"]
    models: Mapping[str, type[Args]] = all_models(components)
    for component in components:
        entry = schema["resources"][f"{package}:index:{component.__name__}"]
        _complete(entry["inputProperties"], members(args_of(component)))
    for name, model in models.items():
        # With defaults of members, the SDKs of TypeScript and Go make one output of the whole object to add them, and the Go
        # SDK does not compile. The host adds them, and the texts state them.
        _complete(schema["types"][f"{package}:index:{name}"]["properties"], members(model), defaults=False)
    return _renamed(json.dumps(schema), package, sorted(models))


def type_name(model: str) -> str:
    """A type's name in the schema: the class's without its suffix."""
    return model.removesuffix(SUFFIX)


def _renamed(text: str, package: str, models: list[str]) -> str:
    for name in models:
        text = re.sub(
            rf'(["/]){re.escape(f"{package}:index:{name}")}"', rf'\g<1>{package}:index:{type_name(name)}"', text
        )
    return text


def _complete(properties: Schema, arguments: Mapping[str, Member], *, defaults: bool = True) -> None:
    for spelling, entry in properties.items():
        member = arguments[spelling]
        if not member.is_plain:
            _accept_outputs(entry)
        for part in ("items", "additionalProperties"):
            entry.get(part, {}).pop("description", None)
        if defaults and isinstance(default := _primitive(member.default), bool | int | float | str) and default != "":
            entry["default"] = default
        entry["description"] = described(member, entry["description"])


def one_line(text: str) -> str:
    """A text of the source without its line breaks."""
    return re.sub(r"\s*\n\s*", " ", text.strip())


def _accept_outputs(entry: Schema) -> None:
    entry.pop("plain", None)
    for part in ("items", "additionalProperties"):
        if isinstance(inner := entry.get(part), dict):
            _accept_outputs(cast("Schema", inner))


def described(member: Member, text: str) -> str:
    """The text of an argument: what it is, its allowed values, its default, and whether a preview must know it."""
    parts = [one_line(text)]
    if limits := allowed(member.field):
        parts.append(f"Allowed: {limits}.")
    if not member.field.is_required() and (default := _shown(member.default)):
        parts.append(f"Default: {default}.")
    if not (member.is_plain or member.wired or member.model):
        parts.append(KNOWN)
    return "\n\n".join(parts)


def _primitive(value: object) -> object:
    return cast("object", value.value) if isinstance(value, Enum) else value


def _shown(default: object) -> str:
    """A default as the caller would write it; empty if the text of the field states it."""
    if default is None or default == "" or isinstance(default, Args):
        return ""
    text = json.dumps(_primitive(default))
    if text in ("[]", "{}"):
        return "none"
    return f"`{text}`" if len(text) <= LONGEST_DEFAULT else ""
