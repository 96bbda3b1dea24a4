"""Checks a call of the AWS CLI against botocore's models: service, operation, waiter and parameters exist."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from tests.documents.extract import SAMPLE

SERVICES = {"s3api": "s3"}
"""Where the command line names a service otherwise than the API."""

GLOBAL_OPTIONS = frozenset({"region", "profile", "output", "query", "no-cli-pager", "endpoint-url", "cli-input-json"})
"""Options of every command (docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html)."""

CUSTOM = {
    ("sso", "login"): frozenset({"profile", "sso-session", "no-browser", "use-device-code"}),
    ("configure", "sso"): frozenset({"profile"}),
    ("ecr", "get-login-password"): frozenset({"region", "profile"}),
}
"""Commands that the CLI adds to the API, with their options (docs.aws.amazon.com/cli/latest/reference)."""

# The package has no types.
XFORM_NAME: Any = import_module("botocore").xform_name
MODEL: Any = import_module("botocore.model")
LOADER: Any = import_module("botocore.loaders").Loader()


def problem(words: Sequence[str], *, whole: bool) -> str:
    """What AWS's CLI would refuse in the words after ``aws``; empty if nothing. ``whole``: required options are given."""
    service, name, *arguments = [*words, "", ""]
    arguments = [argument for argument in arguments if argument]
    if (service, name) in CUSTOM:
        return _unknown(options(arguments), CUSTOM[service, name])
    api = SERVICES.get(service, service)
    if api not in LOADER.list_available_services("service-2"):
        return f"AWS has no service {service}"
    if name == "wait":
        return _waiter_problem(api, arguments[0] if arguments else "")
    return _operation_problem(api, name, arguments, whole=whole)


def _waiter_problem(api: str, waiter: str) -> str:
    waiters = {_kebab(name) for name in LOADER.load_service_model(api, "waiters-2")["waiters"]}
    return "" if waiter in waiters else f"{api} has no waiter {waiter}"


def _operation_problem(api: str, name: str, arguments: Sequence[str], *, whole: bool) -> str:
    operation = _operation(api, name)
    if operation is None:
        return f"{api} has no operation {name}"
    shape = operation.input_shape
    members = dict(shape.members) if shape is not None else {}
    taken = {_kebab(member): member for member in members}
    given = options(arguments)
    booleans = {f"no-{option}" for option, member in taken.items() if members[member].type_name == "boolean"}
    if found := _unknown(given, {*taken, *booleans, *GLOBAL_OPTIONS}):
        return found
    needed = {_kebab(member) for member in (shape.required_members if shape is not None else ())}
    if whole and (missing := needed - set(given)):
        return f"--{sorted(missing)[0]} is missing"
    return _wrong_value(arguments, {option: members[member] for option, member in taken.items()})


def wrong_values(words: Sequence[str]) -> str:
    """What the API's model refuses in the values after ``aws``: patterns, lengths, enumerations, numbers, members.

    A value that the shell computes, and the sample of a placeholder, are not known.
    """
    service, name, *arguments = words
    api = SERVICES.get(service, service)
    operation = None if (service, name) in CUSTOM or name == "wait" else _operation(api, name)
    if operation is None or operation.input_shape is None:
        return ""
    shapes = {_kebab(member): shape for member, shape in operation.input_shape.members.items()}
    for option, values in _given(arguments):
        if option in shapes and (found := _refused(shapes[option], values)):
            return f"--{option}: {found}"
    return ""


def _given(arguments: Sequence[str]) -> Iterable[tuple[str, list[str]]]:
    """Each option with the words up to the next one."""
    name, values = "", list[str]()
    for word in arguments:
        if word.startswith("--"):
            if name:
                yield name, values
            name, equals, value = word.removeprefix("--").partition("=")
            values = [value] if equals else []
        else:
            values.append(word)
    if name:
        yield name, values


def _refused(shape: Any, values: Sequence[str]) -> str:  # noqa: ANN401 - botocore's
    if shape.type_name == "list":
        found = (_refused(shape.member, [value]) for value in values)
        return next((one for one in found if one), "")
    if shape.type_name == "structure":
        return _wrong_member(shape, values[0] if values else "")
    return _wrong_scalar(shape, values[0] if values else "")


def _wrong_member(shape: Any, value: str) -> str:  # noqa: ANN401
    """``Key=value,Key=value``, the CLI's short form. The values of a list follow each other."""
    if "=" not in value:
        return "" if _open(value) else f"{value} is not of the form Key=value"
    member = ""
    for part in value.split(","):
        key, equals, given = part.partition("=")
        member, text = (key, given) if equals else (member, part)
        if member not in shape.members:
            return f"{shape.name} has no {member}"
        if found := _refused(shape.members[member], [text]):
            return found
    return ""


def _wrong_scalar(shape: Any, value: str) -> str:  # noqa: ANN401
    if _open(value):
        return ""
    if shape.type_name in {"integer", "long", "double", "float"} and not value.replace(".", "", 1).isdigit():
        return f"{value} is refused: it takes a number"
    return _wrong_text(shape, value) if shape.type_name == "string" else ""


def _wrong_text(shape: Any, value: str) -> str:  # noqa: ANN401
    if shape.enum:
        return "" if value in shape.enum else f"{value} is refused: it takes one of {', '.join(shape.enum)}"
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", len(value))
    if not least <= len(value) <= most:
        return f"{value!r} is refused: its length is {len(value)}, and it has at least {least} and at most {most}"
    pattern = shape.metadata.get("pattern")
    return f"{value} does not match {pattern}" if pattern and not _matches(pattern, value) else ""


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(rf"\A(?:{pattern})\Z", value) is not None
    except re.error:
        return True  # in another dialect of regular expressions: AWS's classes \\p{…} and \\u{…}


def _open(value: str) -> bool:
    """Whether the shell, or the reader, has the value."""
    return SAMPLE in value or "$" in value


def options(words: Iterable[str]) -> list[str]:
    """The names of the options among the words."""
    return [word.removeprefix("--").partition("=")[0] for word in words if word.startswith("--")]


def _kebab(name: str) -> str:
    return str(XFORM_NAME(name, "-"))


def _operation(api: str, command: str) -> Any:  # noqa: ANN401 - botocore's
    model = MODEL.ServiceModel(LOADER.load_service_model(api, "service-2"), api)
    names = {_kebab(operation): operation for operation in model.operation_names}
    return model.operation_model(names[command]) if command in names else None


def _unknown(given: Iterable[str], taken: Iterable[str]) -> str:
    unknown = sorted(set(given) - set(taken))
    return f"there is no option --{unknown[0]}" if unknown else ""


def _wrong_value(arguments: Sequence[str], shapes: dict[str, Any]) -> str:
    for option, value in itertools.pairwise(arguments):
        shape = shapes.get(option.removeprefix("--")) if option.startswith("--") else None
        if shape is None or value.startswith("--") or value == SAMPLE or (value.isupper() and value.isalpha()):
            continue
        if shape.type_name == "string" and shape.enum and value not in shape.enum:
            return f"{option} takes one of {', '.join(shape.enum)}"
        if shape.type_name in {"integer", "long"} and not value.isdigit():
            return f"{option} takes a number"
    return ""
