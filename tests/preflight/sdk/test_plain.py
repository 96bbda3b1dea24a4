"""Values without protobuf are those that the SDK makes, and what it refuses is left to it."""
# pyright: reportUnknownMemberType=false, reportPrivateUsage=false

from __future__ import annotations

import asyncio
import collections.abc
import itertools
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, cast

import pulumi
import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from pulumi import _types, output
from pulumi.runtime import resource_cycle_breaker, rpc

from preflight.pulumi import program
from preflight.pulumi.project import Project
from preflight.sdk import lighter, plain
from preflight.sdk.wire import RESOURCE, SIGNATURE, UNKNOWN, Json, Wire, secret, to_struct
from tests.settings.stack_files import ROOT


class Mode(StrEnum):
    ON = "on"


@pulumi.output_type
class Rule(dict[str, Any]):
    def __init__(self, *, rule_name: str, weight: int | None = None, mode: Mode | None = None) -> None:
        pulumi.set(self, "rule_name", rule_name)
        pulumi.set(self, "weight", weight)
        pulumi.set(self, "mode", mode)

    @property
    @pulumi.getter(name="ruleName")
    def rule_name(self) -> str:
        return cast("str", pulumi.get(self, "rule_name"))

    @property
    @pulumi.getter
    def weight(self) -> int | None:
        return cast("int | None", pulumi.get(self, "weight"))

    @property
    @pulumi.getter
    def mode(self) -> Mode | None:
        return cast("Mode | None", pulumi.get(self, "mode"))


SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=3) | st.just(UNKNOWN)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3) | st.builds(secret, inner)
    ),
    max_leaves=10,
)
RULES: list[Wire] = [{"ruleName": "a", "weight": 2.0}, {"ruleName": "b", "mode": "on"}, {"ruleName": output.Unknown()}]
TYPED: list[tuple[Any, Any]] = [
    ("text", str),
    (2.0, int),
    (2.0, float),
    (True, bool),
    ("on", Mode),
    (output.Unknown(), Mode),
    (["on"], Sequence[Mode]),
    ([1.0, 2.0], list[int]),
    ({"some_key": 1.0}, Mapping[str, int]),
    ({"some_key": {"other_key": "x"}}, Mapping[str, Any]),
    (RULES, Sequence[Rule]),
    ({"x": RULES[0]}, dict[str, Rule]),
    (rpc.wrap_rpc_secret(RULES[1]), Rule),
    ({"some_key": [{"other": 1.0}]}, Any),
    ([["a"]], None),
]
REFUSED: list[tuple[Any, Any]] = [
    ({"a": "b"}, str),
    (["a"], str),
    ({"a": {"b": "c"}}, Mapping[str, str]),
]


def exactly(value: Json) -> Json:
    """With the types, and unknown values that are equal."""
    if isinstance(value, output.Unknown):
        return "unknown"
    if isinstance(value, dict):
        return dict, {key: exactly(item) for key, item in cast("Wire", value).items()}
    return [exactly(item) for item in cast("list[Any]", value)] if isinstance(value, list) else (type(value), value)


@given(VALUES, st.booleans())
def test_values_are_deserialized_as_the_sdk_does(value: Json, keep_unknowns: bool) -> None:
    sent = to_struct({"value": value})["value"]
    assert exactly(plain.deserialized(value, keep_unknowns=keep_unknowns)) == exactly(
        rpc.deserialize_property(sent, keep_unknowns)
    )


@pytest.mark.parametrize("value", [{SIGNATURE: RESOURCE, "urn": "urn:a"}, [{SIGNATURE: "other"}]])
def test_other_signed_values_are_left_to_the_sdk(value: Json) -> None:
    with pytest.raises(plain.NotPlainError):
        plain.deserialized(value, keep_unknowns=True)


@pytest.mark.parametrize(("value", "kind"), TYPED)
def test_values_get_their_types_as_the_sdk_gives_them(value: Json, kind: Json) -> None:
    assert exactly(plain.translated(value, kind)) == exactly(of_the_sdk(value, kind))


def of_the_sdk(value: Json, kind: Json) -> Json:
    return rpc.translate_output_properties(value, lambda name: name, kind, transform_using_type_metadata=True)


@pytest.mark.parametrize(("value", "kind"), REFUSED)
def test_a_value_of_another_type_is_left_to_the_sdk_which_refuses_it(value: Json, kind: Json) -> None:
    with pytest.raises(plain.NotPlainError):
        plain.translated(value, kind)
    with pytest.raises(AssertionError):
        of_the_sdk(value, kind)


def test_an_enumeration_without_the_value_is_refused_by_both() -> None:
    for refusing in (plain.translated, of_the_sdk):
        with pytest.raises(ValueError, match="'off' is not a valid Mode"):
            refusing("off", Mode)


@pytest.mark.parametrize("value", [object(), ("a",), {"a": [object()]}, struct_pb2.Value()])
def test_what_may_depend_on_an_output_is_left_to_the_sdk(value: object) -> None:
    with pytest.raises(plain.NotPlainError):
        plain.serialized(value, None, None)


def test_names_are_left_to_the_sdk_that_the_resource_translates_itself() -> None:
    assert plain.serialized({"some_key": 1}, None, None) == {"some_key": 1}
    with pytest.raises(plain.NotPlainError):
        plain.serialized({"some_key": 1}, None, str.upper)


def test_the_types_of_every_loaded_class_are_those_that_the_typing_module_resolves() -> None:
    program.load(Project.load(ROOT))
    resolved = _types._raw_return_hints
    assert resolved.__wrapped__ is lighter._return_hints
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith("pulumi_aws.")]
    classes = [
        found
        for module in modules
        for found in (getattr(module, name) for name in dir(module))
        if isinstance(found, type)
        and found.__module__ == module.__name__
        and (_types.is_input_type(found) or _types.is_output_type(found) or issubclass(found, pulumi.Resource))
    ]
    assert len(classes) > 1000
    for found in classes[::40]:
        own = _types._globals_for_cls(found) or {}
        names = {"Output": pulumi.Output, "T": type(None)}
        expected = {
            wire_name: hint
            for _, wire_name, getter in _types._py_properties(found)
            if (hint := by_typing(getter.fget, own, names)) is not None
        }
        assert lighter._return_hints(found) == expected


def by_typing(getter: Json, own: dict[str, Any], names: dict[str, Any]) -> Json:
    import typing  # noqa: PLC0415 - next to its only use

    return typing.get_type_hints(getter, globalns=own, localns=names).get("return")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20))
def test_the_same_dependencies_are_refused_as_cycles(edges: list[tuple[int, int]]) -> None:
    ours, theirs = ([object.__new__(pulumi.Resource) for _ in range(6)] for _ in range(2))
    for first, second in edges:
        accepted = resource_cycle_breaker.declare_dependency(theirs[first], theirs[second])
        assert lighter.declare_dependency(ours[first], ours[second]) is accepted


def test_an_output_that_has_a_value_is_not_waited_for_and_one_that_fails_is() -> None:
    program.load(Project.load(ROOT))

    async def tracked() -> list[int]:
        kept = cast("set[Any]", cast("Any", pulumi.runtime.settings.SETTINGS).outputs)
        before, counts = set(kept), list[int]()
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in range(3)]
        futures[0].set_result(output._OutputData(set(), 1, True, False))
        futures[1].set_exception(ValueError("refused"))
        for future in futures:
            pulumi.Output[int]._from_data(future)
            counts.append(len(kept - before))
        futures[1].exception()
        kept -= kept - before
        return counts

    assert asyncio.run(tracked()) == list(itertools.accumulate([0, 1, 1]))


def test_every_mapping_type_is_known() -> None:
    assert set(plain._MAPPINGS) == {dict, collections.abc.Mapping}
