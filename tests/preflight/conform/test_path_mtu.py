"""Path MTU discovery works up to each load balancer that the internet reaches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from preflight.conform.path_mtu import ACL_RULE, INGRESS, findings
from preflight.recording.recorder import Recording
from tests.assembly.topologies import SHAPES, Shape, recorded
from tests.preflight.conform.changed_graphs import STACKS, edited, stack


@pytest.mark.parametrize("name", STACKS)
def test_the_stacks_let_the_message_through(name: str) -> None:
    assert findings(stack(name)) == []


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_so_does_every_shape(shape: Shape) -> None:
    assert findings(recorded(shape)) == []


def _without(recording: Recording, name: str) -> Recording:
    kept = [one for one in recording.resources if one.name != name]
    assert len(kept) == len(recording.resources) - 1, name
    return replace(recording, resources=kept)


@pytest.mark.parametrize(
    ("rule", "headline"),
    [
        ("edge-packet-too-large", "edge-group.ingress"),
        ("network-public-ingress-packet-too-large", "network-public-acl.ingress"),
        ("network-public-egress-packet-too-large", "network-public-acl.egress"),
    ],
)
def test_each_rule_that_is_missing_is_found(rule: str, headline: str) -> None:
    (found,) = findings(_without(stack("prod"), rule))

    assert found.headline.partition(" ")[0] == headline
    assert found.rule == "conform-path-mtu"


@pytest.mark.parametrize(
    ("type_", "name", "changes"),
    [
        (INGRESS, "edge-packet-too-large", {"fromPort": 8, "toPort": 0}),
        (INGRESS, "edge-packet-too-large", {"cidrIpv4": "203.0.113.0/24"}),
        (INGRESS, "edge-packet-too-large", {"ipProtocol": "tcp"}),
        (ACL_RULE, "network-public-ingress-packet-too-large", {"icmpType": 8, "icmpCode": 0}),
        (ACL_RULE, "network-public-ingress-packet-too-large", {"ruleAction": "deny"}),
        (ACL_RULE, "network-public-ingress-packet-too-large", {"egress": True}),
    ],
)
def test_a_rule_for_something_else_does_not_count(type_: str, name: str, changes: dict[str, Any]) -> None:
    assert len(findings(edited(stack("prod"), type_, lambda rule: rule.update(changes), name))) == 1


@pytest.mark.parametrize(
    ("type_", "name", "changes"),
    [
        (INGRESS, "edge-packet-too-large", {"fromPort": -1, "toPort": -1}),
        (INGRESS, "edge-packet-too-large", {"ipProtocol": "-1"}),
        (ACL_RULE, "network-public-ingress-packet-too-large", {"protocol": "all"}),
        (ACL_RULE, "network-public-ingress-packet-too-large", {"protocol": "1", "icmpType": "3", "icmpCode": "-1"}),
    ],
)
def test_a_wider_rule_lets_the_message_through(type_: str, name: str, changes: dict[str, Any]) -> None:
    assert findings(edited(stack("prod"), type_, lambda rule: rule.update(changes), name)) == []


def test_a_load_balancer_without_a_way_from_the_internet_needs_none() -> None:
    without = _without(stack("prod"), "edge-packet-too-large")
    internal = edited(without, "aws:lb/loadBalancer:LoadBalancer", lambda balancer: balancer.update(internal=True))

    assert findings(internal) == []
