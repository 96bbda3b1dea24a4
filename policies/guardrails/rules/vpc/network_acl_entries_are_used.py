"""A network ACL entry allows only traffic that security groups in its subnets use, and the responses to it.

The network ACL still protects a subnet when a security group is wrong. An entry that no security group needs removes
that protection. Responses need wide port ranges, and a service that listens on a port in such a range is open to every
subnet that the entry covers, unless an earlier entry denies it.

The policy compares each TCP entry with the security groups currently in the subnets. It also checks whether the network
ACL as a whole opens a service's port to a subnet that no security group admits. The security groups still block that
traffic, so this is advisory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import referring
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.network.addresses import (
    INTERNET,
    NO_ADDRESSES,
    NOTHING,
    TCP,
    Addresses,
    Intervals,
    PortMap,
    describe_ports,
    parse,
    protocols,
)
from ...topology.network.addresses import ports as port_range
from ...topology.reachability.facts.build import facts_of
from ...topology.reachability.facts.model import Facts
from ...topology.reachability.facts.peers import Peer, block_of

_WANTED = "ports and address ranges that a security group in the subnets uses, or responses to them"
_FIX = "narrow the entry to the ports and address ranges that the security groups in its subnets name"
_ANSWERS = port_range(1024, 65535)
_FEW = 100
"""An entry for this few ports is for a service: responses go to a range of ephemeral ports."""


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each allow entry of each network ACL whose subnets hold resources of this stack."""
    facts = facts_of(graph)
    peers = facts.peers
    inside: dict[str, list[Peer]] = {}
    unsure: set[str] = set()
    for peer in peers.all:
        for subnet in peer.subnets:
            acl = facts.acls.acl_of(subnet)
            if acl is not None:
                inside.setdefault(acl.urn, []).append(peer)
                if not peer.certain:
                    unsure.add(acl.urn)
    if any(peer.unclear for peer in peers.all):
        for acl in graph.of_type("ec2.NetworkAcl"):
            inside.setdefault(acl.urn, [])
            unsure.add(acl.urn)
    for urn in sorted(inside):
        acl = graph.by_urn[urn]
        if urn in unsure:
            yield not_proven(acl, "", ["the security groups of the resources in its subnets"], _WANTED, _FIX)
            continue
        needs = _needs(facts, inside[urn])
        for entry in referring(graph, acl, "networkAclId", "ec2.NetworkAclRule"):
            yield from _entry(entry, needs)
        yield from _listening(acl, facts, inside[urn], needs[False])


_Needs = dict[bool, list[tuple[Addresses, Intervals]]]
"""Addresses and ports in the rules of security groups, by direction (egress or not)."""


def _needs(facts: Facts, inside: list[Peer]) -> _Needs:
    found: _Needs = {True: [], False: []}
    for key in {key: None for peer in inside for key in peer.groups}:
        for egress in (True, False):
            for rule in facts.groups.rules((key,), ingress=not egress):
                if TCP in rule.protocols:
                    blocks = facts.peers.addresses_in(rule)
                    blocks = INTERNET | blocks if rule.unknowns else blocks
                    found[egress].append((blocks, rule.ports))
    return found


def _entry(entry: Resource, needs: _Needs) -> Iterator[Finding]:
    egress = entry.value("egress") is True
    low, high = entry.value("fromPort"), entry.value("toPort")
    if entry.value("ruleAction") != "allow" or protocols(str(entry.value("protocol"))) != (TCP,):
        return
    unknown = [value for value in (low, high, entry.value("cidrBlock")) if isinstance(value, Unknown)]
    if unknown:
        yield not_proven(entry, "cidrBlock", unknown, _WANTED, _FIX)
        return
    block = entry.value("cidrBlock") or entry.value("ipv6CidrBlock")
    addresses = (parse(block) if isinstance(block, str) else None) or NO_ADDRESSES
    opened = port_range(int(low or 0), int(65535 if high is None else high))
    for part, name in ((addresses & INTERNET, "internet"), (addresses - INTERNET, "private")):
        used = NOTHING
        for sources, listening in needs[egress]:
            used = used | (listening if sources & part else NOTHING)
        begins_at_service = any(
            int(low or 0) in listening and listening.size() <= _FEW for _, listening in needs[egress]
        )
        answers = opened.size() > _FEW and not begins_at_service
        if answers and any(sources & part for sources, _ in needs[not egress]):
            used = used | _ANSWERS
        unused = opened - used
        if part and unused:
            found = f"{describe_ports(unused)} for {name} addresses of {block}"
            yield violated(entry, "cidrBlock", found, _WANTED, _FIX, what="allows unused traffic")


def _listening(
    acl: Resource, facts: Facts, inside: list[Peer], needs: list[tuple[Addresses, Intervals]]
) -> Iterator[Finding]:
    """Service ports that the network ACL opens to a subnet that no security group admits."""
    acls = facts.acls
    admitted = acls.passes(acl, egress=False).get(TCP, PortMap())
    own = {subnet.urn for peer in inside for subnet in peer.subnets if acls.acl_of(subnet) is acl}
    services = NOTHING
    for _, listening in needs:
        services = services | (listening if listening.size() <= _FEW else NOTHING)
    for subnet in sorted(
        {s.urn: s for peer in facts.peers.all for s in peer.subnets}.values(), key=lambda item: item.urn
    ):
        if own == {subnet.urn}:
            continue  # Network ACLs do not apply to traffic within one subnet.
        block = block_of(subnet)
        wanted = NOTHING
        for addresses, listening in needs:
            wanted = wanted | (listening if addresses & block else NOTHING)
        unused = services - wanted
        opened = [port for low, high in unused.spans for port in range(low, high + 1) if admitted.at(port) & block]
        if opened:
            found = f"{describe_ports(Intervals.of(*((port, port) for port in opened)))} for {subnet.name}"
            fix = "add an entry before the one for responses that denies these ports, or all traffic from that subnet"
            yield violated(
                acl, "", found, _WANTED, fix, what="opens a service to a subnet that no security group admits"
            )


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("ec2.NetworkAclRule",),
    level=Level.ADVISORY,
)
