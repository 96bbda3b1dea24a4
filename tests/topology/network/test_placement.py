"""Every row of the placement table names properties that exist, and sees a resource that is open by all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

import pytest

from policies.guardrails.topology.graph.types import kinds
from policies.guardrails.topology.network import placement
from policies.guardrails.topology.network.placement_rows import ROWS, Row
from policies.guardrails.topology.reachability.claims.not_modelled import PLACED
from tests.policies.sdk_schema import has
from tests.topology.open_groups import GROUPS, PUBLIC, SUBNET_GROUPS, SUBNETS, missing

PATHS = ("subnets", "groups", "public", "elastic", "required")


def undeclared(kind: str, row: Row) -> list[str]:
    """The properties in a row that the SDK does not declare."""
    named = [(kind, getattr(row, name)) for name in PATHS]
    if row.via is not None:
        named += [(kind, row.via.property), (row.via.kind, row.via.subnets)]
        named += [(row.via.kind, row.via.keys[0])]  # The others are alternatives that not every type has.
    if row.owner is not None:
        property_, owner, keys = row.owner
        named += [(kind, property_), *((owner, key) for key in keys)]
    return [f"{of}.{path}" for of, path in named if path and not has(of, path)]


def misspelled(row: Row) -> Iterator[tuple[str, Row]]:
    """The row once for each property that it names, with that property misspelled."""
    for name in PATHS:
        if path := getattr(row, name):
            yield name, replace(row, **{name: f"{path}x"})
            if "." in path:
                yield f"{name}, first step", replace(row, **{name: f"x{path}"})
    if row.via is not None:
        yield "via.property", replace(row, via=replace(row.via, property=f"{row.via.property}x"))
        yield "via.subnets", replace(row, via=replace(row.via, subnets=f"{row.via.subnets}x"))
    if row.owner is not None:
        yield "owner", replace(row, owner=(f"{row.owner[0]}x", *row.owner[1:]))


MISSPELLED = [(kind, name, row) for kind in ROWS for name, row in misspelled(ROWS[kind])]


@pytest.mark.parametrize("kind", ROWS)
def test_a_row_names_properties_that_the_sdk_declares(kind: str) -> None:
    assert undeclared(kind, ROWS[kind]) == []


def unlisted(kind: str, row: Row) -> list[str]:
    """The properties in a row that the open case does not set, because the lists of ``open_groups`` lack their names."""
    found: list[str] = []
    if row.groups and not GROUPS & set(row.groups.split(".")):
        found.append(f"{row.groups}: GROUPS")
    if row.subnets and not SUBNETS & set(row.subnets.split(".")) and not has_nested_subnets(kind, row.subnets):
        found.append(f"{row.subnets}: SUBNETS")
    if row.via and row.via.property not in SUBNET_GROUPS:
        found.append(f"{row.via.property}: SUBNET_GROUPS")
    for path in filter(None, (row.public, row.elastic)):
        if not PUBLIC.keys() & set(path.split(".")):
            found.append(f"{path}: PUBLIC")
    return found


def has_nested_subnets(kind: str, path: str) -> bool:
    """Whether the property is a list of objects that name a subnet each."""
    return any(has(kind, f"{path}.{name}") for name in SUBNETS)


@pytest.mark.parametrize("kind", ROWS)
def test_the_open_case_sets_every_property_of_a_row(kind: str) -> None:
    assert unlisted(kind, ROWS[kind]) == [], "add the name to the list of tests/topology/open_groups.py"


def test_a_placed_type_is_modelled_in_the_table() -> None:
    """Except those that are public beside what places them, which the table names."""
    assert sorted(kind for kind in PLACED if kinds()[kind].class_ == "none") == []
    assert sorted(kind for kind in PLACED if kinds()[kind].class_ != "modelled") == []


@pytest.mark.parametrize("kind", ROWS)
def test_an_open_group_a_public_subnet_and_a_public_address_are_found(kind: str) -> None:
    assert missing(kind) == []


@pytest.mark.parametrize(
    ("kind", "row"),
    [(kind, row) for kind, _, row in MISSPELLED],
    ids=[f"{kind}, {name}" for kind, name, _ in MISSPELLED],
)
def test_a_misspelled_property_fails_both(kind: str, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(placement.ROWS, kind, row)
    assert undeclared(kind, row)
    assert missing(kind)


def test_every_property_of_a_row_is_misspelled_once() -> None:
    """A field that is added to the table is either checked here or not a property."""
    row = next(row for row in ROWS.values() if row.via is not None)
    assert is_dataclass(row)
    assert {item.name for item in fields(row)} - {*PATHS, "via", "owner"} == {
        "role",
        "public_default",
        "follows_subnet",
        "accepts",
        "in_any_subnet",
    }
