"""Network ACLs allow no internet traffic to the ports of remote shells, and every network ACL has a subnet.

An allow entry for port 22 or 3389 leaves security groups as the only protection; an unused network ACL protects
nothing.

The policy checks single entries by their address ranges; the combined effect of all entries is checked by the
reachability-* policies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.network.addresses import ICMP, INTERNET, NO_ADDRESSES, parse, protocols

_SHELLS = (22, 3389)
_WIDE = 2**24
_FIX = "narrow the entry to the ports and address ranges that are needed"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each network ACL and entry."""
    for acl in graph.of_type("ec2.NetworkAcl", "ec2.DefaultNetworkAcl"):
        ingress = acl.items("ingress")
        if isinstance(ingress, Unknown) and acl.property_dependencies.get("ingress"):
            yield not_proven(acl, "ingress", [ingress], "entries with known values", _FIX)
        for index, rule in enumerate([] if isinstance(ingress, Unknown) else ingress):
            if isinstance(rule, Mapping):
                yield from _rule(acl, f"ingress[{index}]", cast("Mapping[str, Any]", rule), "action")
    for rule in graph.of_type("ec2.NetworkAclRule"):
        if rule.value("egress") is not True:
            yield from _rule(rule, "", rule.properties, "ruleAction")
    for acl in graph.of_type("ec2.NetworkAcl"):
        subnets = acl.items("subnetIds")
        used = isinstance(subnets, Unknown) or bool(subnets)
        if not used and not referring(graph, acl, "networkAclId", "ec2.NetworkAclAssociation"):
            fix = "associate it with subnets, or remove it"
            yield violated(acl, "subnetIds", None, "at least one subnet", fix, what="is not used")


def _rule(resource: Resource, prefix: str, rule: Mapping[str, Any], action: str) -> Iterator[Finding]:
    if not isinstance(rule.get(action), Unknown) and str(rule.get(action)).lower() != "allow":
        return
    if protocols(str(rule.get("protocol"))) == (ICMP,):
        return  # It has types and codes, and opens no port.
    unknown = [value for value in rule.values() if isinstance(value, Unknown)]
    covered = NO_ADDRESSES
    for key in ("cidrBlock", "ipv6CidrBlock"):
        block = rule.get(key)
        if isinstance(block, Unknown):
            covered = INTERNET
        covered |= (parse(block) if isinstance(block, str) else None) or NO_ADDRESSES
    everything = str(rule.get("protocol")) in ("-1", "all")
    low, high = rule.get("fromPort"), rule.get("toPort")
    # Ports that are not given, or not known, may be any.
    first, last = (low, high) if isinstance(low, int) and isinstance(high, int) else (0, 65535)
    for shell in _SHELLS:
        hit = everything or first <= shell <= last
        if hit and (covered & INTERNET).v4.size() + (covered & INTERNET).v6.size() > _WIDE:
            place = f"{prefix}.cidrBlock" if prefix else "cidrBlock"
            wanted = f"nothing from the internet to port {shell}"
            if unknown:
                yield not_proven(
                    resource, place, unknown, wanted, _FIX, what=f"may allow internet traffic to port {shell}"
                )
                continue
            yield violated(resource, place, str(covered), wanted, _FIX, what=f"allows internet traffic to port {shell}")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("ec2.DefaultNetworkAcl", "ec2.NetworkAcl", "ec2.NetworkAclRule"),
    controls=("EC2.16", "EC2.21"),
)
