"""Every planted exposure is reported where it was planted, every safe variant stays silent, known or not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.verdicts import Finding, Verdict
from policies.guardrails.topology.reachability.evaluation import Reachability, reachability
from tests.topology import safe_settings, safe_variants
from tests.topology.builders import Stack, compliant
from tests.topology.planting import Change, Plant
from tests.topology.plants import MODULES, PLANTS
from tests.topology.safe_variants import SAFE

LEAST_PLANTS, LEAST_SAFE = 40, 20
GRAPHS: dict[str, Callable[[Stack], Graph]] = {
    "recorded, known": lambda stack: stack.graph(known=True),
    "recorded, first preview": lambda stack: stack.graph(known=False),
    "policy, known": lambda stack: stack.policy_graph(known=True),
    "policy, first preview": lambda stack: stack.policy_graph(known=False),
}
SEEN = pytest.mark.parametrize("graph_of", GRAPHS.values(), ids=GRAPHS.keys())


def sections(evaluated: Reachability) -> dict[str, tuple[Finding, ...]]:
    return {
        "exposures": evaluated.exposures,
        "unprotected": evaluated.unprotected,
        "unauthenticated": evaluated.unauthenticated,
        "bypasses": evaluated.bypasses,
        "not_modelled": evaluated.not_modelled,
    }


def place(finding: Finding) -> str:
    return f"{finding.resource.rpartition(' ')[2]}.{finding.property}"


def test_the_corpus_is_large_enough() -> None:
    assert len(PLANTS) >= LEAST_PLANTS
    assert len(SAFE) >= LEAST_SAFE
    assert {plant.change.__module__ for plant in PLANTS} == {module.__name__ for module in MODULES}
    assert {change.__module__ for change in SAFE} == {safe_settings.__name__, safe_variants.__name__}


@SEEN
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_exposure_is_reported_where_it_was_planted(plant: Plant, graph_of: Callable[[Stack], Graph]) -> None:
    stack = compliant()
    plant.change(stack)
    wanted = Verdict.NOT_PROVEN if plant.section == "not_modelled" else Verdict.VIOLATED
    found = {place(item) for item in sections(reachability(graph_of(stack)))[plant.section] if item.verdict is wanted}
    if plant.any_of:
        assert found & set(plant.places)
    else:
        assert found >= set(plant.places)


@SEEN
@pytest.mark.parametrize("change", SAFE, ids=lambda change: change.__name__.replace("_", " "))
def test_a_safe_variant_stays_silent(change: Change, graph_of: Callable[[Stack], Graph]) -> None:
    stack = compliant()
    change(stack)
    evaluated = reachability(graph_of(stack))
    assert [finding.message() for findings in sections(evaluated).values() for finding in findings] == []


@SEEN
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_every_finding_names_resource_found_wanted_and_fix(plant: Plant, graph_of: Callable[[Stack], Graph]) -> None:
    stack = compliant()
    plant.change(stack)
    for findings in sections(reachability(graph_of(stack))).values():
        for finding in findings:
            assert finding.urn in {f"urn:pulumi:test::test::x::{name}" for name in stack.entries}
            assert all((finding.resource, finding.found, finding.wanted, finding.fix, finding.what or finding.unknowns))
