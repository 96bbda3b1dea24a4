"""Both real stacks: every pair of interfaces, on every port that a rule names and its neighbours, against the
kernel."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.network import Plan, plan_network
from local.network.model import Host
from policies.guardrails.topology.graph.resources import Graph

from .comparison import CLIENT, compare
from .generated import CLIENTS_V4

STACKS = ("prod", "staging")


def ports_in_use(plan: Plan) -> list[int]:
    """The ports that a rule names, and their neighbours."""
    named = {
        rule.match.ports[0]
        for rules in plan.groups.values()
        for rule in rules
        if rule.match.ports is not None and rule.match.ports[0] == rule.match.ports[1]
    }
    return sorted({port + step for port in named for step in (-1, 0, 1)})


@pytest.mark.parametrize("stack", STACKS)
def test_every_pair_agrees_with_the_kernel(stack: str, real_graph: Callable[[str, bool], Graph]) -> None:
    graph = real_graph(stack, False)
    plan = plan_network(graph, hosts=[Host(CLIENT, CLIENTS_V4)])
    assert not plan.not_emulated
    outcome = compare([graph], [plan], [ports_in_use(plan)])
    assert not outcome.disagreements, "\n".join(found.text for found in outcome.disagreements[:5])
    assert not outcome.unknown
    assert outcome.claims["front: all pass"] == len(plan.of("edge-balancer")) * 2  # HTTP and HTTPS
    assert outcome.claims["login: all pass"] > 0
    assert outcome.claims["gateway: all pass"] == len(plan.of("service-service"))
    assert outcome.claims["inside: at least one passes"] > 0
    assert not outcome.claims["from the internet: at least one passes"]
