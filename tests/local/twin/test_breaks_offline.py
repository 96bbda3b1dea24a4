"""What the twin fails on, ``make check`` finds first: each wrong value, by the policies and checks that the table names.

Parity also finds each of them where only one environment has it; a fault of the program is in both.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path

import pytest

from local.stack import Stack
from policies.guardrails.evaluation import Evaluation
from policies.guardrails.topology.graph.resources import Graph
from policies.parity import evaluate as parity
from policies.parity.shape import Shape, shape_of
from preflight.conform.checks import checks
from tests.local.around import stack_of
from tests.local.aws.world import STACKS, bootstrap
from tests.local.twin.breaks import BREAKS, Break
from tests.local.twin.gateway import with_gateway
from tests.local.twin.gateway_breaks import BREAKS as OF_THE_GATEWAY
from tests.own_pack import own_evaluation

STACK = "staging"
TWIN = Path(__file__).parents[3] / "docs" / "twin.md"
Reported = tuple[str, str, str, str]
"""Policy or check, URN, place, and what was found there."""


@cache
def evaluation() -> Evaluation:
    """The guardrails with the committed exceptions."""
    return own_evaluation(dt.datetime.now(dt.UTC).date())


def reported(stack: Stack) -> set[Reported]:
    """What the guardrails and every check of ``preflight conform`` report."""
    graph = Graph.from_recorded(stack.recording.resources)
    found, _ = evaluation().on_stack(graph)
    found = [*found, *(report for resource in graph for report in evaluation().on_resource(resource))]
    said = {
        (report.rule.name, report.finding.urn, report.finding.property, str(report.finding.found))
        for report in found
        if not report.note.startswith("excepted")
    }
    for check in checks():
        said |= {
            (one.rule, one.urn, one.headline, one.found)
            for one in check.run(stack.recording, bootstrap(STACK).recording)
        }
    return said


@cache
def known() -> frozenset[Reported]:
    """What is reported of the stack as it is."""
    return frozenset(reported(stack_of(STACK)))


def shape(stack: Stack) -> Shape:
    """The stack as parity compares it."""
    resources = stack.recording.resources
    return shape_of(stack.name, Graph.from_recorded(resources), {one.urn: one.inputs for one in resources})


@pytest.mark.parametrize("broken", BREAKS, ids=[one.name for one in BREAKS])
def test_a_wrong_value_is_found_before_anything_runs(broken: Break) -> None:
    new = reported(broken.change(stack_of(STACK))) - known()
    assert sorted({one[0] for one in new}) == list(broken.found_by), new


@cache
def known_with_the_gateway() -> frozenset[Reported]:
    """What is reported of the stack with the gateway as it is."""
    return frozenset(reported(with_gateway()))


@pytest.mark.parametrize("broken", OF_THE_GATEWAY, ids=[one.name for one in OF_THE_GATEWAY])
def test_a_wrong_value_of_the_gateway_is_found_before_anything_runs(broken: Break) -> None:
    new = reported(broken.change(with_gateway())) - known_with_the_gateway()
    assert sorted({one[0] for one in new}) == list(broken.found_by), new


def test_only_what_a_value_means_to_the_application_is_left_to_the_twin() -> None:
    assert [one.name for one in BREAKS if not one.found_by] == ["a role of new people that waits for an administrator"]


def test_parity_finds_each_where_only_one_environment_has_it() -> None:
    allowed = parity.declarations(dt.datetime.now(dt.UTC).date())
    shapes = {name: shape(stack_of(name)) for name in STACKS}

    def different(one: Shape) -> set[tuple[str, str]]:
        evaluated = parity.of_all({**shapes, STACK: one}, allowed)
        return {(found.finding.urn, found.message) for found in evaluated.findings}

    before = different(shapes[STACK])
    unseen = [one.name for one in BREAKS if not different(shape(one.change(stack_of(STACK)))) - before]
    assert unseen == []


def test_the_document_lists_them() -> None:
    rows = [
        f"| {one.name} | {', '.join(f'`{name}`' for name in one.found_by) or 'the twin alone'} |"
        for one in (*BREAKS, *OF_THE_GATEWAY)
    ]
    text = TWIN.read_text(encoding="utf-8")
    _, _, table = text.partition("| One wrong value | Found by |\n|---|---|\n")
    assert table.partition("\n\n")[0].splitlines() == rows, "\n".join(rows)
