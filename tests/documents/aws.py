"""Checks a call of the AWS CLI against botocore's models: service, operation, waiter and parameters exist."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

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
        if shape is None or value.startswith("--") or (value.isupper() and value.isalpha()):
            continue
        if shape.type_name == "string" and shape.enum and value not in shape.enum:
            return f"{option} takes one of {', '.join(shape.enum)}"
        if shape.type_name in {"integer", "long"} and not value.isdigit():
            return f"{option} takes a number"
    return ""
