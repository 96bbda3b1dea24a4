"""Every type of resource is charged, free for a reason, or said to be left out."""

from __future__ import annotations

import copy
from dataclasses import replace

from preflight.cost import prices
from preflight.cost.estimate import estimate, unclassified
from preflight.cost.resources import CHARGED
from preflight.cost.types import FREE, NOT_COUNTED
from settings.use import Use
from tests.preflight.conform.graphs import program
from tests.preflight.cost.graphs import graphs


def test_every_type_in_the_graphs_is_in_one_table() -> None:
    assert {type_ for graph in graphs() for type_ in unclassified(graph)} == set()


def test_no_type_is_in_two_tables() -> None:
    tables = [*CHARGED, *FREE, *NOT_COUNTED]

    assert sorted(tables) == sorted(set(tables))


def test_every_type_in_a_table_is_registered_by_some_program() -> None:
    registered = {resource.type for graph in graphs() for resource in graph.resources}

    assert {*CHARGED, *FREE, *NOT_COUNTED} - registered == set()


def test_a_new_type_is_found_and_listed_as_not_counted() -> None:
    graph = copy.copy(program("staging"))
    first = next(one for one in graph.resources if one.type == "aws:kms/key:Key")
    new = replace(first, type="aws:opensearch/domain:Domain", urn=f"{first.urn}-search")
    graph.resources = [*graph.resources, new]

    assert unclassified(graph) == {new.type}
    assert f"{new.type}: preflight does not know what it costs" in estimate(graph, prices.load(), Use()).not_counted


def test_every_charged_resource_of_the_real_stacks_has_a_charge_or_is_of_a_kind_without_one() -> None:
    """A function that yields nothing for every resource of its type would hide a cost."""
    from preflight.cost.charges import Costed  # noqa: PLC0415 - only here

    silent = set(CHARGED)
    for graph in graphs():
        if graph.project == "ai-interface":
            stack = Costed.of(graph, Use())
            silent -= {
                one.type for one in graph.resources if one.type in CHARGED and any(CHARGED[one.type](one, stack))
            }

    assert silent == set()
