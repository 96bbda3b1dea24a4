"""For every published constraint on a value in the real graphs, a value that breaks it is found."""

from __future__ import annotations

import pytest

from preflight.conform import cloudformation, service_models
from preflight.conform.translate import Made
from tests.preflight.conform.leaves import Leaf, broken_values, leaves, original, swallowed

LEAST = 350
"""The number of values in the real graphs with a constraint, counting all tags of a type as one. A smaller number means that
some were lost."""


@pytest.fixture(scope="module")
def planted() -> list[tuple[Leaf, Made]]:
    return [(leaf, made) for leaf in leaves() for made in broken_values(leaf)]


def test_every_value_that_breaks_a_constraint_is_found(planted: list[tuple[Leaf, Made]]) -> None:
    assert len({leaf.place for leaf, _ in planted}) >= LEAST
    found: set[tuple[int, str]] = set()
    for batch in (planted[start : start + 200] for start in range(0, len(planted), 200)):
        for refused in _refused([made for _, made in batch]):
            # If a rule cannot evaluate the resource, the whole resource is reported.
            found.add((id(refused.made), refused.made.origin(refused.path)))
    for _, made in planted:
        for _, broken in service_models.broken(made):
            found.add((id(made), made.origin(broken.path, of_a_call=True)))
    missed = sorted(
        {leaf.place for leaf, made in planted if not {(id(made), str(leaf.path[0])), (id(made), "")} & found}
    )
    assert missed == []


def _refused(resources: list[Made]) -> list[cloudformation.Refused]:
    """What is refused about values. The same resource is there many times, so rules that compare resources, such as unique
    names, are left out; a rule that cannot evaluate a resource reports it as a whole."""
    return [
        one
        for one in cloudformation.lint(resources, "eu-west-1")
        if one.rule not in cloudformation.NOT_OF_PARTS
        and (one.path or one.message.startswith(cloudformation.CANNOT_CHECK))
    ]


def test_the_resources_without_a_broken_value_are_accepted(planted: list[tuple[Leaf, Made]]) -> None:
    """Otherwise the finding that counts for a broken value could be another one."""
    leaves_of = {(leaf.resource.urn, leaf.path[0]): leaf for leaf, _ in planted}
    refused = _refused([original(leaf) for leaf in leaves_of.values()])
    assert [f"{one.made.resource.name} {one.path} {one.message}" for one in refused] == []


def test_no_value_is_lost_in_translation() -> None:
    assert [leaf.place for leaf in leaves() if swallowed(leaf)] == []
