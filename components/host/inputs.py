"""The inputs of a caller as the arguments of a component: names in snake_case, and values that a preview must know resolved.

The engine delivers an argument as an output if the caller's value depends on a resource or is a secret. An argument that
names or shapes resources must be a value; any other is kept as an output.
"""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
from pulumi.errors import InputPropertyErrorDetails
from pulumi.output import UNKNOWN, Unknown
from pulumi.runtime.sync_await import _sync_await  # pyright: ignore[reportPrivateUsage, reportUnknownVariableType] - construct is synchronous and runs in the host's event loop

from components.args import Args
from components.host.models import Member, members
from components.host.refusals import HIDDEN, detail

Problems = list[InputPropertyErrorDetails]


def arguments(
    model: type[Args], given: Mapping[str, object], problems: Problems, path: str = "", *, secret: bool = False
) -> dict[str, object]:
    """The arguments by field. Adds to ``problems`` each value that a preview does not know and each secret where a value is
    stored in plain text. Names that are no arguments are left out.

    The protocol may mark a whole object as secret if one of its values is: with ``secret``, every output of the object is
    kept as a secret.
    """
    known = members(model)
    found = {
        known[name].name: _argument(known[name], value, problems, f"{path}.{name}" if path else name, secret=secret)
        for name, value in given.items()
        if name in known and value is not None
    }
    return {name: value for name, value in found.items() if value is not None}


def _argument(member: Member, value: object, problems: Problems, path: str, *, secret: bool) -> object:
    if member.wired:
        return _wired(value, secret=secret)
    if member.model is None:
        return _value(value, problems, path)
    whole, hidden = _unwrapped(value, problems, path)
    secret = secret or hidden
    if isinstance(whole, list):
        return [
            _object(member.model, one, problems, f"{path}[{index}]", secret=secret)
            for index, one in enumerate(cast("list[object]", whole))
        ]
    if isinstance(whole, dict) and "dict[" in str(member.field.annotation):
        return {
            key: _object(member.model, one, problems, f"{path}.{key}", secret=secret)
            for key, one in cast("dict[str, object]", whole).items()
        }
    return _object(member.model, cast("object", whole), problems, path, secret=secret)


def _object(model: type[Args], value: object, problems: Problems, path: str, *, secret: bool) -> object:
    whole, hidden = _unwrapped(value, problems, path)
    if not isinstance(whole, dict):
        return whole
    if hidden and not any(member.wired for member in members(model).values()):
        problems.append(_in_plain_text(path))
    return arguments(model, cast("dict[str, object]", whole), problems, path, secret=secret or hidden)


def _wired(value: object, *, secret: bool) -> object:
    """The value as an output; an output of nothing is an omitted argument."""
    output = cast("pulumi.Output[Any]", pulumi.Output.from_input(value))
    if _known(output) is None:
        return None
    return pulumi.Output.secret(output) if secret else output


def _unwrapped(value: object, problems: Problems, path: str) -> tuple[object, bool]:
    """An object or a list without the output around it, and whether that was a secret. Its own outputs stay."""
    if isinstance(value, pulumi.Output):
        output = cast("pulumi.Output[Any]", value)
        return _unwrapped(_known(output), problems, path)[0], bool(_sync_await(output.is_secret()))
    if isinstance(value, Unknown):
        problems.append(_not_known(path))
        return None, False
    return value, False


def _known(output: pulumi.Output[Any]) -> object:
    """The value of an output; ``UNKNOWN`` if a preview does not know it."""
    if not _sync_await(output.is_known()):
        return UNKNOWN
    return cast("object", _sync_await(output.future(with_unknowns=True)))


def _value(value: object, problems: Problems, path: str) -> object:
    """A value that names or shapes resources, without outputs."""
    if isinstance(value, pulumi.Output):
        output = cast("pulumi.Output[Any]", value)
        if _sync_await(output.is_secret()):
            problems.append(_in_plain_text(path))
            return None
        return _value(_known(output), problems, path)
    if isinstance(value, Unknown):
        problems.append(_not_known(path))
        return None
    if isinstance(value, list):
        return [_value(one, problems, f"{path}[{index}]") for index, one in enumerate(cast("list[object]", value))]
    if isinstance(value, dict):
        return {key: _value(one, problems, f"{path}.{key}") for key, one in cast("dict[str, object]", value).items()}
    return value


def _in_plain_text(path: str) -> InputPropertyErrorDetails:
    return detail(
        path,
        value=HIDDEN,
        allowed="a value that is no secret: it becomes part of names or documents in plain text",
        fix="pass the value without secret(), or unsecret it",
    )


def _not_known(path: str) -> InputPropertyErrorDetails:
    return detail(
        path,
        value="(not known in this preview)",
        allowed="a value that a preview knows: it names or shapes resources",
        fix="pass a literal, a configuration value, a stack reference or a look-up, not the output of a resource that does not exist yet",
    )
