"""Peers inside a network: everything with network interfaces, its security groups and subnets, and its declared
connections.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..graph.resources import Resource
from ..network.addresses import NO_ADDRESSES, NOT_ROUTED, Addresses, Intervals, parse
from ..network.placement import Subnets
from ..network.security_groups import GroupRule
from .network import Network


@dataclass(frozen=True, slots=True)
class Peer:
    """Something with network interfaces: its subnets and security groups, and whether all of them are known."""

    resource: Resource
    subnets: tuple[Resource, ...]
    groups: tuple[str, ...]
    certain: bool
    unclear: bool = False
    """Whether its security groups or subnets are not known yet."""
    balances: bool = False
    """Whether it is a load balancer, which answers from every ephemeral port."""

    @property
    def key(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What determines its connections: the same for all tasks of one kind."""
        return (tuple(subnet.urn for subnet in self.subnets), self.groups)


class Peers:
    """Every peer of a stack, by security group and by subnet."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.all = tuple(self._peers())
        self.by_group: dict[str, list[Peer]] = {}
        self.by_subnet: dict[str, list[Peer]] = {}
        self.by_urn = {peer.resource.urn: peer for peer in self.all}
        seen: set[object] = set()
        for peer in self.all:
            known = (peer.key, peer.balances)
            if known in seen:
                continue
            seen.add(known)
            for key in peer.groups:
                self.by_group.setdefault(key, []).append(peer)
            for subnet in peer.subnets:
                self.by_subnet.setdefault(subnet.urn, []).append(peer)

    def _peers(self) -> Iterable[Peer]:
        network = self.network
        for endpoint in network.endpoints:
            if endpoint.resource.kind == "lb.LoadBalancer":
                continue
            groups = network.groups_of(endpoint)
            certain = not (groups.unknowns or network.groups.outside(groups.keys) or groups.loose or endpoint.loose)
            certain = certain and bool(endpoint.subnets) and not endpoint.subnet_unknowns
            unclear = bool(groups.unknowns) or any("(not set" not in text for text in endpoint.subnet_unknowns)
            yield Peer(endpoint.resource, endpoint.subnets, groups.keys, certain and bool(groups.keys), unclear)
        for balancer in network.balancing.balancers:
            groups = network.balancing.groups_of(balancer)
            if groups is None or balancer.kind != "lb.LoadBalancer":
                continue
            subnets = Subnets("subnets")
            for path in ("subnets", "subnetMappings"):
                if balancer.value(path) not in (None, []):
                    subnets.add(network.graph, balancer, path)
            certain = not (groups.unknowns or network.groups.outside(groups.keys) or groups.loose or subnets.loose)
            certain = certain and bool(subnets.found) and not subnets.unknowns
            unclear = bool(groups.unknowns or subnets.unknowns)
            yield Peer(balancer, subnets.ordered(), groups.keys, certain and bool(groups.keys), unclear, balances=True)

    def addresses_of(self, peers: Iterable[Peer]) -> Addresses:
        """The blocks of the subnets that peers are in."""
        found = NO_ADDRESSES
        for peer in peers:
            for subnet in peer.subnets:
                found |= block_of(subnet)
        return found

    def addresses_in(self, rule: GroupRule) -> Addresses:
        """The addresses that a rule covers: its blocks, and the subnets of the peers in the groups that it names."""
        found = rule.addresses
        for key in rule.groups:
            found |= self.addresses_of(self.by_group.get(key, ())) or NOT_ROUTED
        return found

    def rules(self, peer: Peer, *, ingress: bool) -> list[GroupRule]:
        """The rules of a peer's security groups in one direction."""
        return self.network.groups.rules(peer.groups, ingress=ingress)

    def allows(self, peer: Peer, other: Peer, protocol: str, ports: Intervals, *, ingress: bool) -> bool:
        """Whether a rule of a peer covers another peer over IPv4, on some of these ports."""
        there = Addresses(v4=self.addresses_of([other]).v4)
        return any(
            protocol in rule.protocols
            and rule.ports & ports
            and (set(rule.groups) & set(other.groups) or rule.addresses & there or rule.unknowns or rule.group_unknowns)
            for rule in self.rules(peer, ingress=ingress)
        )


def block_of(subnet: Resource) -> Addresses:
    """The addresses of a subnet, both families; those that are not known yet are left out."""
    found = NO_ADDRESSES
    for path in ("cidrBlock", "ipv6CidrBlock"):
        value = subnet.value(path)
        found |= (parse(value) if isinstance(value, str) else None) or NO_ADDRESSES
    return found


def peers_of(network: Network) -> Peers:
    """The peers of a network, computed once for a graph."""
    found: Peers | None = network.graph.memory.get(__name__)
    if found is None:
        found = network.graph.memory[__name__] = Peers(network)
    return found
