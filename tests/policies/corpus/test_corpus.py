"""Every planted change is stopped or named, and every safe variant passes, with known values and in a first preview."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from policies.guardrails.evaluation import Evaluation, Policy, Report
from policies.guardrails.exceptions import Exemptions
from policies.guardrails.rule import Level
from policies.guardrails.rules import RULES
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.verdicts import Verdict
from tests.policies.corpus import addresses, elsewhere, fresh, grants, logins, placed, trusts
from tests.policies.corpus.planting import PLANTED, SAFE, Case, Kind
from tests.topology.builders import Stack

MODULES = (addresses, elsewhere, fresh, grants, logins, placed, trusts)
LEAST_PLANTED, LEAST_SAFE = 60, 25
EXPOSURE = (
    "apigateway-documents-authenticate", "apigateway-routes-authenticate",
    "cognito-sign-up-is-by-invitation", "elb-logins-admit-known-users", "iam-documents-elsewhere-are-narrow",
    "iam-grants-stay-in-the-account", "iam-identity-policies-are-narrow", "iam-resource-policies-are-narrow",
    "iam-role-trust-is-narrow", "lambda-public-function-url", "rds-public-database",
    "reachability-internet-paths-authenticate", "reachability-no-internal-endpoint-reachable", "s3-public-bucket",
    "stack-nothing-is-shared-publicly", "stack-requests-reach-aws", "vpc-endpoints-serve-tasks", "vpc-open-ingress",
)  # fmt: skip
"""The policies on what makes something reachable or grants it."""
GRAPHS: dict[str, Callable[[Stack], Graph]] = {
    "known": lambda stack: stack.graph(known=True),
    "first preview": lambda stack: stack.policy_graph(known=False),
}
SEEN = pytest.mark.parametrize("graph_of", GRAPHS.values(), ids=GRAPHS.keys())


def reports(case: Case, graph_of: Callable[[Stack], Graph]) -> list[Report]:
    """What the whole pack says about the case."""
    stack = Stack()
    case.change(stack)
    graph = graph_of(stack)
    evaluation = Evaluation([Policy.of(rule) for rule in RULES], Exemptions())
    found, _ = evaluation.on_stack(graph)
    return [*found, *(report for resource in graph for report in evaluation.on_resource(resource, preview=False))]


def test_the_corpus_is_large_enough_and_of_every_kind() -> None:
    assert len(PLANTED) >= LEAST_PLANTED
    assert len(SAFE) >= LEAST_SAFE
    assert {case.kind for case in PLANTED} == set(Kind)
    assert [name for name, count in Counter(map(str, [*PLANTED, *SAFE])).items() if count > 1] == []
    assert {case.policy for case in PLANTED} <= {rule.name for rule in RULES}
    assert set(EXPOSURE) <= {rule.name for rule in RULES}


@SEEN
@pytest.mark.parametrize("case", PLANTED, ids=str)
def test_a_planted_change_is_stopped_or_named(case: Case, graph_of: Callable[[Stack], Graph]) -> None:
    found = reports(case, graph_of)
    assert [report.message for report in found if "could not be checked" in report.message] == []
    levels = {report.level for report in found if report.rule.name == case.policy}
    assert Level(case.level) in levels, sorted({(report.rule.name, str(report.level)) for report in found})


@SEEN
@pytest.mark.parametrize("case", SAFE, ids=str)
def test_a_safe_variant_passes(case: Case, graph_of: Callable[[Stack], Graph]) -> None:
    stopped = [
        report.message
        for report in reports(case, graph_of)
        if report.rule.name in EXPOSURE and report.level is Level.MANDATORY
    ]
    assert stopped == []


@pytest.mark.parametrize("case", [case for case in PLANTED if case.level == "mandatory"], ids=str)
def test_a_planted_change_is_a_violation_once_its_values_are_known(case: Case) -> None:
    found = [report for report in reports(case, GRAPHS["known"]) if report.rule.name == case.policy]
    assert Verdict.VIOLATED in {report.finding.verdict for report in found}
