"""Checks the JMESPath expression of ``--query`` against botocore's model of the operation's output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, cast

# The package has no types.
JMESPATH: Any = import_module("jmespath")
MODEL: Any = import_module("botocore.session").get_session()
XFORM_NAME: Any = import_module("botocore").xform_name
_FILTER = re.compile(r"\[\?[^\]]*\]")
_DEEPEST = 8
"""Levels of a sample: some shapes contain themselves."""
_SAMPLES = {"boolean": True, "integer": 1, "long": 1, "double": 1, "float": 1}


def problem(service: str, operation: str, expression: str) -> str:
    """What the expression reads and the output does not have; empty if nothing."""
    model = MODEL.get_service_model(service)
    (name,) = [one for one in model.operation_names if XFORM_NAME(one, "-") == operation]
    shape = model.operation_model(name).output_shape
    try:
        parsed = JMESPATH.compile(expression)
    except JMESPATH.exceptions.JMESPathError as error:
        return f"it is no JMESPath: {str(error).splitlines()[0]}"
    if unknown := sorted(set(_fields(parsed.parsed)) - set(_members(shape))):
        return f"the output of {operation} has no {unknown[0]}"
    # A sample passes no filter.
    found = JMESPATH.search(_FILTER.sub("[]", expression), _sample(shape))
    return f"it finds nothing in the output of {operation}: {found}" if _empty(found) else ""


def _fields(node: dict[str, Any]) -> Iterator[str]:
    if node["type"] == "field":
        yield node["value"]
    for child in node["children"]:
        if isinstance(child, dict):  # the others are the numbers of a slice
            yield from _fields(cast("dict[str, Any]", child))


def _members(shape: Any, level: int = 0) -> Iterator[str]:  # noqa: ANN401 - botocore's
    if level > _DEEPEST:
        return
    if shape.type_name == "structure":
        yield from shape.members
        for member in shape.members.values():
            yield from _members(member, level + 1)
    elif shape.type_name in {"list", "map"}:
        yield from _members(shape.member if shape.type_name == "list" else shape.value, level + 1)


def _sample(shape: Any, level: int = 0) -> object:  # noqa: ANN401 - botocore's
    """An output with one element in each list."""
    if shape.type_name == "structure" and level <= _DEEPEST:
        return {name: _sample(member, level + 1) for name, member in shape.members.items()}
    if shape.type_name == "list" and level <= _DEEPEST:
        return [_sample(shape.member, level + 1)]
    return _SAMPLES.get(shape.type_name, "sample")


def _empty(found: object) -> bool:
    """Whether a result has no value, or has one without a value."""
    if isinstance(found, list):
        elements = cast("list[object]", found)
        return not elements or any(_empty(one) for one in elements)
    return found is None
