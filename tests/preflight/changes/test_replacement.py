"""What replaces a resource, held against ``createOnlyProperties`` in the schemas that cfn-lint carries."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, cast

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # pyright: ignore[reportMissingTypeStubs]

from preflight.changes import replacement
from preflight.recording.recorder import Recording
from tests.assembly.topologies import ELSEWHERE, SHAPES, recorded
from tests.bootstrap.program import run_bootstrap
from tests.preflight.changes.cloudformation_names import DIFFERENT, NO_SCHEMA, RENAMED, TYPES

REGION = "eu-west-1"


@cache
def registered() -> dict[str, frozenset[str]]:
    """Every AWS type that the programs register in these shapes, with the inputs that they give."""
    found: dict[str, set[str]] = {}
    recordings: Iterable[Recording] = [
        *map(recorded, (SHAPES[0], SHAPES[-1], ELSEWHERE[0])),
        *map(run_bootstrap, ("staging", "prod")),
    ]
    for recording in recordings:
        for resource in recording.resources:
            if resource.custom and not resource.external and resource.type.startswith("aws:"):
                found.setdefault(resource.type, set()).update(resource.inputs)
    return {type_: frozenset(names) for type_, names in sorted(found.items())}


def schema_of(cloudformation: str) -> dict[str, Any]:
    """The schema that cfn-lint carries for one type."""
    schema: dict[str, Any] = cast("Any", PROVIDER_SCHEMA_MANAGER).get_resource_schema(REGION, cloudformation).schema
    return schema


@cache
def create_only(cloudformation: str) -> frozenset[str]:
    """The top-level properties that only a creation takes, in lower case."""
    listed = [path.split("/") for path in schema_of(cloudformation).get("createOnlyProperties", [])]
    # With a longer path CloudFormation replaces for a part of the property: the whole one is meant here.
    return frozenset(way[2].lower() for way in listed)


def compared(type_: str) -> list[str]:
    """The inputs to compare: what the programs give, and what the table names and the schema knows by that name."""
    known = {name.lower() for name in schema_of(TYPES[type_])["properties"]}
    named = replacement.TABLE[type_][1]
    return sorted(
        {*registered()[type_], *(name for name in named if name.lower() in known or f"{type_}.{name}" in RENAMED)}
    )


def differences() -> dict[str, str]:
    """``type.input`` → which side replaces, wherever the two sides do not say the same."""
    found: dict[str, str] = {}
    for type_ in sorted({*registered()} & {*TYPES}):
        only = create_only(TYPES[type_])
        for name in compared(type_):
            key = f"{type_}.{name}"
            theirs = RENAMED.get(key, name).lower() in only
            if theirs != replacement.replaces(type_, name):
                found[key] = "the schema alone" if theirs else "the table alone"
    return found


def test_every_registered_type_is_compared_or_says_why_not() -> None:
    assert sorted(registered()) == sorted({*TYPES, *NO_SCHEMA} & set(registered()))
    assert sorted({*TYPES, *NO_SCHEMA} - set(registered())) == []
    assert set(TYPES) & set(NO_SCHEMA) == set()


def test_every_registered_type_has_its_replacement_rules() -> None:
    assert [type_ for type_ in registered() if type_ not in replacement.TABLE] == []


def test_the_table_says_what_the_schemas_say_but_for_listed_differences() -> None:
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
    honest = replacement.replaces

    def wrong(kind: str, item: str) -> bool:
        return not honest(kind, item) if (kind, item) == (type_, name) else honest(kind, item)

    monkeypatch.setattr(replacement, "replaces", wrong)
    assert set(differences()) - set(DIFFERENT) == {f"{type_}.{name}"}
