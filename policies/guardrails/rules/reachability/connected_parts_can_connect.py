"""Security groups, network ACLs and routes let connected parts of a stack communicate in both directions.

Users are the first to notice a missing counterpart of a rule or a missing network ACL entry for responses. A rule in
the wrong security group often goes unnoticed, and another one is widened instead.

The policy checks TCP over IPv4 between parts of this stack, and to and from the internet. A missing connection exposes
nothing, so this is advisory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.reachability.claims.connections import filtered, front, login, unmatched, unused
from ...topology.reachability.facts.build import facts_of
from ...topology.reachability.facts.model import Facts

_WANTED = "rules, entries and routes that allow traffic in both directions"
_FIX = "add the missing rule, entry or route, or remove the connection that is not needed"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each connection declared by load balancers and rules."""
    facts = facts_of(graph)
    gaps = [gap for flow in facts.flows if (gap := unmatched(facts, flow)) is not None]
    gaps += [gap for flow in facts.flows for gap in filtered(facts, flow)]
    gaps += [*front(facts), *login(facts), *unused(facts)]
    for gap in dict.fromkeys(gaps):
        yield violated(gap.resource, gap.property, gap.found, _WANTED, _FIX, what=gap.what)
    for peer in facts.peers.all:
        if peer.unclear:
            yield not_proven(peer.resource, "", ["its groups and subnets"], _WANTED, _FIX)
    yield from _unclear(facts)
    for entry in graph.of_type("ec2.NetworkAclRule"):
        unknown = [value for path in ("cidrBlock", "ipv6CidrBlock") if isinstance(value := entry.value(path), Unknown)]
        if unknown:
            yield not_proven(entry, "cidrBlock", unknown, _WANTED, _FIX)
    for endpoint in graph.of_type("ec2.VpcEndpoint"):
        kind = endpoint.value("vpcEndpointType")
        if isinstance(kind, Unknown):
            yield not_proven(endpoint, "vpcEndpointType", [kind], _WANTED, _FIX)
    subnets = {subnet.urn: subnet for peer in facts.peers.all for subnet in peer.subnets}
    for urn in sorted(subnets):
        block = subnets[urn].value("cidrBlock")
        if isinstance(block, Unknown) and facts.acls.acl_of(subnets[urn]) is not None:
            yield not_proven(subnets[urn], "cidrBlock", [block], _WANTED, _FIX)


def _unclear(facts: Facts) -> Iterator[Finding]:
    """Rules and routes whose effect is not known yet."""
    routing, seen = facts.routing, set[str]()
    for peer in facts.peers.all:
        for rule in (*facts.peers.rules(peer, ingress=True), *facts.peers.rules(peer, ingress=False)):
            # What a gateway endpoint's prefix list holds is AWS's to know; that it is named is enough.
            unknowns = [name for name in (*rule.unknowns, *rule.group_unknowns) if "prefixListId" not in name]
            if unknowns and rule.resource.urn not in seen:
                seen.add(rule.resource.urn)
                yield not_proven(rule.resource, rule.property, unknowns, _WANTED, _FIX)
        for subnet in peer.subnets if peer.balances else ():
            placed = routing.placement(subnet)
            if placed.unknowns and subnet.urn not in seen:
                seen.add(subnet.urn)
                yield not_proven(subnet, "", placed.unknowns, _WANTED, _FIX)


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX, types=("ec2.Subnet",), level=Level.ADVISORY
)
