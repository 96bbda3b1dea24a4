"""The comparison finds faults: with one put into topology, generated networks disagree with the kernel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from policies.guardrails.topology.graph.resources import Resource
from policies.guardrails.topology.network import acls, addresses, routing, security_groups
from policies.guardrails.topology.network.acls import EVERYTHING, NetworkAcls
from policies.guardrails.topology.network.addresses import Addresses, Intervals, Traffic
from policies.guardrails.topology.network.routing import Route, Routing
from policies.guardrails.topology.network.security_groups import GroupRule, SecurityGroups
from policies.guardrails.topology.reachability.claims import connections

from .search import DisagreementError, search

ENOUGH = 160
"""Each fault shows within this many networks, most of them at once."""


def a_network_acl_without_egress(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = NetworkAcls.passes

    def faulty(self: NetworkAcls, acl: Resource, *, egress: bool) -> Traffic:
        return EVERYTHING if egress else passes(self, acl, egress=egress)

    monkeypatch.setattr(NetworkAcls, "passes", faulty)


def blocks_that_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(cidr: str) -> Addresses | None:
        return addresses.parse(cidr.replace("/24", "/16"))

    for module in (acls, routing, security_groups):
        monkeypatch.setattr(module, "parse", faulty)


def a_group_that_forgets_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = SecurityGroups.rules

    def faulty(self: SecurityGroups, keys: Iterable[str], *, ingress: bool = True) -> list[GroupRule]:
        own = tuple(keys)
        return [
            replace(rule, groups=tuple(group for group in rule.groups if group not in own))
            for rule in rules(self, own, ingress=ingress)
        ]

    monkeypatch.setattr(SecurityGroups, "rules", faulty)


def rules_in_the_order_of_their_declaration(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(rules: Iterable[acls.AclRule], protocol: str) -> addresses.PortMap:
        return evaluate(list(rules)[::-1], protocol)

    evaluate = acls._evaluate  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(acls, "_evaluate", faulty)


def the_shortest_prefix_first(monkeypatch: pytest.MonkeyPatch) -> None:
    specific = routing._specific  # pyright: ignore[reportPrivateUsage]

    def faulty(route: Route) -> int:
        return -specific(route)

    monkeypatch.setattr(routing, "_specific", faulty)


def a_source_port_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "ANY_CLIENT", Intervals.of((32768, 60999)))


def networks_without_a_boundary(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(self: Routing, subnet: Resource, other: Resource, far: Addresses) -> bool:
        del self, subnet, other, far
        return True

    monkeypatch.setattr(Routing, "reaches", faulty)


@pytest.mark.parametrize(
    "fault",
    [
        a_group_that_forgets_itself,
        a_network_acl_without_egress,
        a_source_port_too_few,
        blocks_that_are_too_large,
        networks_without_a_boundary,
        rules_in_the_order_of_their_declaration,
        the_shortest_prefix_first,
    ],
    ids=lambda fault: fault.__name__.replace("_", " "),
)
def test_the_comparison_finds(fault: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(fault)
    fault(monkeypatch)
    with pytest.raises(DisagreementError):
        search(ENOUGH, patience=[0.3], smaller=False)
