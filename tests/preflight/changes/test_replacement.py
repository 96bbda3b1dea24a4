"""The inputs that replace a resource, compared with ``createOnlyProperties`` in cfn-lint's schemas."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, cast

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # pyright: ignore[reportMissingTypeStubs]

from preflight.changes import replacement
from preflight.conform.translation import TABLE, TranslatedKind
from preflight.recording.recorder import Recording
from preflight.sdk.wire import Json, Wire, unwrap
from tests.assembly.topologies import ELSEWHERE, SHAPES, recorded
from tests.bootstrap.program import run_bootstrap
from tests.preflight.changes.schema_differences import DIFFERENT, NOT_COMPARED

REGION = "eu-west-1"


@cache
def registered() -> dict[str, dict[str, Json]]:
    """Every AWS type that the programs register in these topologies → each input that they set, with one of its values."""
    found: dict[str, dict[str, Json]] = {}
    recordings: Iterable[Recording] = [
        *map(recorded, (SHAPES[0], SHAPES[-1], ELSEWHERE[0])),
        *map(run_bootstrap, ("staging", "prod")),
    ]
    for recording in recordings:
        for resource in recording.resources:
            if resource.custom and not resource.external and resource.type.startswith("aws:"):
                found.setdefault(resource.type, {}).update(cast("Wire", unwrap(resource.inputs)))
    return dict(sorted(found.items()))


def compared_types() -> dict[str, TranslatedKind]:
    """The registered types that are a whole CloudFormation resource, with their translation."""
    kinds = {type_: TABLE[type_] for type_ in registered()}
    return {
        type_: kind
        for type_, kind in kinds.items()
        if kind.cloudformation and not kind.part and type_ not in NOT_COMPARED
    }


def schema_of(cloudformation: str) -> dict[str, Any]:
    """The schema of one type in cfn-lint."""
    schema: dict[str, Any] = cast("Any", PROVIDER_SCHEMA_MANAGER).get_resource_schema(REGION, cloudformation).schema
    return schema


@cache
def create_only(cloudformation: str) -> frozenset[tuple[str, ...]]:
    """The paths of the properties that can be set only at creation, in lower case."""
    listed = schema_of(cloudformation).get("createOnlyProperties", [])
    return frozenset(tuple(path.lower().split("/")[2:]) for path in listed)


def paths_of(type_: str, name: str) -> set[tuple[str, ...]]:
    """The paths of the CloudFormation properties that an input becomes, in lower case."""
    kind = TABLE[type_]
    rule = kind.properties.get(name, name)
    if callable(rule):
        value = registered()[type_].get(name)
        found = [] if value is None else [(key,) for key in rule(value)]
    else:
        found = [tuple(rule.split("."))]
    above = kind.within.split(".") if kind.within and name not in kind.outside else []
    return {tuple(part.strip("[]").lower() for part in (*above, *path)) for path in found}


def is_create_only(type_: str, name: str) -> bool:
    """Whether an input, a part of it, or a property that contains it can be set only at creation."""
    only = create_only(TABLE[type_].cloudformation)
    return any(path[: len(one)] == one or one[: len(path)] == path for path in paths_of(type_, name) for one in only)


def compared(type_: str) -> list[str]:
    """The inputs to compare: those that the programs set, and those in the table that the schema has at its top level."""
    known = {name.lower() for name in schema_of(TABLE[type_].cloudformation)["properties"]}
    if TABLE[type_].within:
        return sorted(registered()[type_])
    named = (name for name in replacement.TABLE[type_][1] if {path[0] for path in paths_of(type_, name)} & known)
    return sorted({*registered()[type_], *named})


def differences() -> dict[str, str]:
    """``type.input`` → which side replaces, for each input on which the two sides differ."""
    found: dict[str, str] = {}
    for type_ in compared_types():
        for name in compared(type_):
            theirs = is_create_only(type_, name)
            if theirs != replacement.replaces(type_, name):
                found[f"{type_}.{name}"] = "the schema alone" if theirs else "the table alone"
    return found


def test_the_exceptions_are_registered_types() -> None:
    assert set(NOT_COMPARED) <= set(registered())
    assert len(compared_types()) > len(NOT_COMPARED)


def test_every_registered_type_has_its_replacement_rules() -> None:
    assert [type_ for type_ in registered() if type_ not in replacement.TABLE] == []


def test_the_table_agrees_with_the_schemas_except_for_listed_differences() -> None:
    assert sorted(differences()) == sorted(DIFFERENT)


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("aws:ec2/vpc:Vpc", "cidrBlock"),
        ("aws:ec2/flowLog:FlowLog", "tags"),
        ("aws:rds/cluster:Cluster", "snapshotIdentifier"),
        ("aws:lb/targetGroup:TargetGroup", "vpcId"),
    ],
)
def test_a_wrong_entry_is_found(monkeypatch: pytest.MonkeyPatch, type_: str, name: str) -> None:
    original = replacement.replaces

    def wrong(kind: str, item: str) -> bool:
        return not original(kind, item) if (kind, item) == (type_, name) else original(kind, item)

    monkeypatch.setattr(replacement, "replaces", wrong)
    assert set(differences()) - set(DIFFERENT) == {f"{type_}.{name}"}
