"""The traffic that network ACLs allow, in rule order.

Only a network ACL that is fully known restricts traffic: a rule that is not known yet counts as an allow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..graph.resources import Graph, Resource
from ..graph.values import Unknown
from .addresses import (
    ALL_PORTS,
    EPHEMERAL_PORTS,
    EVERYWHERE,
    PROTOCOLS,
    TCP,
    Addresses,
    Intervals,
    PortMap,
    Traffic,
    parse,
    ports,
    protocols,
)
from .routing import SUBNETS, VPCS

ACLS = ("ec2.NetworkAcl", "ec2.DefaultNetworkAcl")
EVERYTHING: Traffic = {protocol: PortMap.of(ALL_PORTS, EVERYWHERE) for protocol in PROTOCOLS}


@dataclass(frozen=True, slots=True)
class AclRule:
    """One numbered rule; ``addresses`` is ``None`` if they are not known yet."""

    number: float
    egress: bool
    allows: bool | None
    protocols: tuple[str, ...]
    ports: Intervals
    addresses: Addresses | None


class NetworkAcls:
    """The network ACL of each subnet, and the traffic that it allows."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._rules: dict[str, list[AclRule]] = {}
        self._of_subnet: dict[str, Resource] = {}
        self._default: dict[str, Resource] = {}
        self._passed: dict[tuple[str, bool], Traffic] = {}
        for acl in graph.of_type(*ACLS):
            self._rules[acl.urn] = [*self._inline(acl, "ingress"), *self._inline(acl, "egress")]
            subnets = graph.referenced(acl, "subnetIds", types=SUBNETS)
            if not subnets.ambiguous:
                self._of_subnet.update((subnet.urn, acl) for subnet in subnets)
            if acl.kind == "ec2.DefaultNetworkAcl":
                for vpc in graph.referenced(acl, "defaultNetworkAclId", types=VPCS, keys=("defaultNetworkAclId",)):
                    self._default[vpc.urn] = acl
        for rule in graph.of_type("ec2.NetworkAclRule"):
            for acl in graph.referenced(rule, "networkAclId", types=ACLS):
                self._rules[acl.urn].append(self._rule(rule, "", egress=rule.value("egress") is True))
        for association in graph.of_type("ec2.NetworkAclAssociation"):
            subnets = graph.referenced(association, "subnetId", types=SUBNETS)
            acls = graph.referenced(association, "networkAclId", types=ACLS)
            if len(acls.resources) == 1 and not subnets.ambiguous:
                self._of_subnet.update((subnet.urn, acls.resources[0]) for subnet in subnets)

    def acl_of(self, subnet: Resource) -> Resource | None:
        """The network ACL that is declared for a subnet."""
        if acl := self._of_subnet.get(subnet.urn):
            return acl
        for vpc in self.graph.referenced(subnet, "vpcId", types=VPCS):
            if acl := self._default.get(vpc.urn):
                return acl
        return None

    def admitted(self, subnet: Resource) -> Traffic:
        """Traffic that may enter a subnet and be responded to; AWS's default network ACL allows all traffic."""
        acl = self.acl_of(subnet)
        if acl is None:
            return EVERYTHING
        inward, outward = self.passes(acl, egress=False), self.passes(acl, egress=True)
        answered = outward.get(TCP, PortMap()).addresses(EPHEMERAL_PORTS)
        whole = PortMap.of(ALL_PORTS, answered)
        return {protocol: (inward[protocol] & whole if protocol == TCP else inward[protocol]) for protocol in inward}

    def passes(self, acl: Resource, *, egress: bool) -> Traffic:
        """The traffic that a network ACL allows in one direction."""
        key = (acl.urn, egress)
        if key not in self._passed:
            rules = sorted(
                (rule for rule in self._rules[acl.urn] if rule.egress is egress), key=lambda rule: rule.number
            )
            self._passed[key] = {protocol: _evaluate(rules, protocol) for protocol in PROTOCOLS}
        return self._passed[key]

    def _inline(self, acl: Resource, direction: str) -> list[AclRule]:
        declared = acl.items(direction) if acl.declares(direction) else []
        egress = direction == "egress"
        if isinstance(declared, Unknown):
            return [AclRule(0, egress, None, PROTOCOLS, ALL_PORTS, None)]
        return [self._rule(acl, f"{direction}[{index}].", egress=egress) for index, _ in enumerate(declared)]

    @staticmethod
    def _rule(resource: Resource, prefix: str, *, egress: bool) -> AclRule:
        number = resource.value(f"{prefix}ruleNo")
        number = resource.value(f"{prefix}ruleNumber") if number is None else number
        action = resource.value(f"{prefix}action")
        action = resource.value(f"{prefix}ruleAction") if action is None else action
        name = resource.value(f"{prefix}protocol")
        low, high = resource.value(f"{prefix}fromPort"), resource.value(f"{prefix}toPort")
        every = str(name) in ("-1", "all") or not isinstance(low, int | float) or not isinstance(high, int | float)
        return AclRule(
            float(number) if isinstance(number, int | float) else 0.0,
            egress,
            {"allow": True, "deny": False}.get(str(action).lower()),
            protocols(str(name)) if isinstance(name, str | int | float) else PROTOCOLS,
            ALL_PORTS if every else ports(int(low), int(high)),
            _addresses(resource, prefix),
        )


def _addresses(resource: Resource, prefix: str) -> Addresses | None:
    for name in ("cidrBlock", "ipv6CidrBlock"):
        value = resource.value(f"{prefix}{name}")
        if isinstance(value, Unknown):
            return None
        if isinstance(value, str) and value:
            return parse(value)
    return Addresses()


def _evaluate(rules: Iterable[AclRule], protocol: str) -> PortMap:
    allowed, denied = PortMap(), PortMap()
    for rule in rules:
        if protocol not in rule.protocols:
            continue
        if rule.allows is False and rule.addresses is not None:
            denied |= PortMap.of(rule.ports, rule.addresses) - allowed
        elif rule.allows is not False:
            allowed |= PortMap.of(rule.ports, EVERYWHERE if rule.addresses is None else rule.addresses) - denied
    return allowed
