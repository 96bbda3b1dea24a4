"""Every type and property in every graph is translated, or listed with a reason."""

from __future__ import annotations

from functools import cache

import pytest

from preflight.conform import cloudformation, service_models
from preflight.conform.translate import Made, translate
from preflight.conform.translation import NOT_AWS, TABLE
from tests.preflight.conform.graphs import all_graphs, managed

TYPES = sorted(TABLE)


@cache
def every() -> dict[str, list[Made]]:
    """Every resource of every graph, translated, by type."""
    found: dict[str, list[Made]] = {}
    for recording in all_graphs():
        for resource in managed(recording):
            if resource.type in TABLE:
                made = translate(resource, TABLE[resource.type], cloudformation.property_names)
                found.setdefault(resource.type, []).append(made)
    return found


def properties_of(token: str) -> set[str]:
    return {name for made in every()[token] for name in made.resource.inputs}


def test_every_type_of_every_graph_is_in_the_table_or_is_none_of_aws() -> None:
    registered = {resource.type for recording in all_graphs() for resource in managed(recording)}
    assert registered == {*TABLE, *NOT_AWS}


@pytest.mark.parametrize("token", TYPES)
def test_every_property_arrives_in_the_template_or_is_named_with_a_reason(token: str) -> None:
    kind = TABLE[token]
    arrived = {name for made in every()[token] for name in made.origins.values()}
    filled = {name for made in every()[token] for name, value in made.resource.inputs.items() if value != []}
    if kind.cloudformation:
        assert filled <= {*arrived, *kind.left_out}
    assert set(kind.left_out) <= properties_of(token), "an entry that nothing needs"
    assert all(kind.left_out.values())


@pytest.mark.parametrize("token", TYPES)
def test_every_property_is_one_that_the_schema_defines(token: str) -> None:
    kind = TABLE[token]
    if not kind.cloudformation:
        assert kind.why
        return
    defined = cloudformation.schema(kind.cloudformation)
    assert defined["additionalProperties"] is False
    assert {name for made in every()[token] for name in made.properties} <= set(defined["properties"])


@pytest.mark.parametrize("token", TYPES)
def test_every_property_is_an_argument_of_a_call_or_is_named_with_a_reason(token: str) -> None:
    kind = TABLE[token]
    if not kind.calls:
        assert kind.why
        return
    left_out = {name[:1].upper() + name[1:] for name in kind.left_out}
    unmatched = {name for made in every()[token] for name in service_models.unmatched(made)}
    assert unmatched <= {*kind.uncalled, *left_out}
    arguments = {name for made in every()[token] for name in made.arguments}
    assert set(kind.uncalled) <= arguments, "an entry that nothing needs"
    assert all(kind.uncalled.values())
