"""Whatever stands in a property, judging a stack or following a request never raises and never loses the other findings."""

from __future__ import annotations

import random
from typing import Any

import pytest

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.verdicts import Verdict
from policies.guardrails.topology.http.requests import Identity, Request
from policies.guardrails.topology.reachability.evaluation import reachability
from policies.guardrails.topology.trace.request_path import trace
from tests.topology import planted_by_setting, planted_entry_points, planted_networks
from tests.topology.builders import UNKNOWN, Ref, compliant
from tests.topology.planting import PLANTS

ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, "", "x", "*", "10.0.0.0/99", UNKNOWN, [], {}, [None], [{}], [[]], [UNKNOWN], ["x", 1],
    {"x": 1}, [{"type": "forward"}], {"values": None}, [{"cidrBlocks": "0.0.0.0/0", "fromPort": "a"}],
]  # fmt: skip
PLANTING = (planted_by_setting, planted_entry_points, planted_networks)
"""The modules that plant: importing one is what makes its plants known."""
ROUNDS = 12
REQUEST = Request("POST", "https://chat.example.test/api/x?q=1", body_bytes=10, identity=Identity({"groups": ["a"]}))


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Every place inside a value."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, item in sorted(value.items()):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            found += places(item, (*path, key))  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for index, item in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            found += places(item, (*path, index))  # pyright: ignore[reportUnknownArgumentType]
    return found


def put(value: Any, path: tuple[object, ...], odd: Any) -> None:  # noqa: ANN401 (any property)
    """Replace what is at a place."""
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = odd


@pytest.mark.parametrize("number", range(len(PLANTS)))
def test_odd_values_never_raise(number: int) -> None:
    assert {plant.change.__module__ for plant in PLANTS} == {module.__name__ for module in PLANTING}
    chance = random.Random(number)  # noqa: S311 (the same every time)
    for _ in range(ROUNDS):
        stack = compliant()
        PLANTS[number].change(stack)
        records = stack.recorded(known=chance.random() < 0.5)
        for record in chance.sample(records, 3):
            if inside := places(record["inputs"]):
                put(record["inputs"], chance.choice(inside), chance.choice(ODD))
        graph = Graph.from_recorded(records)
        evaluated = reachability(graph)
        messages = [
            item.message()
            for item in (*evaluated.exposures, *evaluated.unauthenticated, *evaluated.unprotected, *evaluated.bypasses)
        ]
        assert all(messages)
        assert str(trace(graph, REQUEST))


def test_an_odd_value_hides_no_exposure_elsewhere() -> None:
    for odd in ODD:
        stack = compliant()
        stack["state-in"]["cidrIpv4"] = "0.0.0.0/0"
        stack["task-in"]["cidrIpv4"] = odd
        stack["private"]["routes"] = odd
        stack.add("ec2.SecurityGroup", "odd", vpcId=Ref("vpc"), ingress=odd, egress=odd)
        found = {finding.resource: finding.verdict for finding in reachability(stack.graph()).exposures}
        assert found["vpc.SecurityGroupIngressRule state-in"] is Verdict.VIOLATED
