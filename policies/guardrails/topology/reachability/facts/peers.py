"""Peers inside a network: everything with network interfaces, its security groups and subnets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...entry.load_balancing import LoadBalancing
from ...graph.resources import Graph, Resource
from ...network.addresses import NO_ADDRESSES, NOT_ROUTED, Addresses, Intervals, parse
from ...network.placement import PlacedResource, Subnets
from ...network.security_groups import GroupRule, GroupSet, SecurityGroups


@dataclass(frozen=True, slots=True)
class Peer:
    """A resource with network interfaces: its subnets and security groups, and whether all of them are known."""

    resource: Resource
    subnets: tuple[Resource, ...]
    groups: tuple[str, ...]
    certain: bool
    unclear: bool = False
    """Whether its security groups or subnets are not known yet."""
    balances: bool = False
    """Whether it is a load balancer, which responds from every ephemeral port."""

    @property
    def key(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The key of its connections: the same for all tasks of one kind."""
        return (tuple(subnet.urn for subnet in self.subnets), self.groups)


class Peers:
    """Every peer of a stack, by security group and by URN."""

    def __init__(self, peers: Iterable[Peer], groups: SecurityGroups) -> None:
        self._groups = groups
        self.all = tuple(peers)
        self.by_group: dict[str, list[Peer]] = {}
        self.by_urn = {peer.resource.urn: peer for peer in self.all}
        seen: set[object] = set()
        for peer in self.all:
            known = (peer.key, peer.balances)
            if known in seen:
                continue
            seen.add(known)
            for key in peer.groups:
                self.by_group.setdefault(key, []).append(peer)

    def addresses_of(self, peers: Iterable[Peer]) -> Addresses:
        """The blocks of the subnets that peers are in."""
        found = NO_ADDRESSES
        for peer in peers:
            for subnet in peer.subnets:
                found |= block_of(subnet)
        return found

    def addresses_in(self, rule: GroupRule) -> Addresses:
        """The addresses that a rule covers: its blocks, and the subnets of the peers in the groups that it refers
        to."""
        found = rule.addresses
        for key in rule.groups:
            found |= self.addresses_of(self.by_group.get(key, ())) or NOT_ROUTED
        return found

    def rules(self, peer: Peer, *, ingress: bool) -> list[GroupRule]:
        """The rules of a peer's security groups in one direction."""
        return self._groups.rules(peer.groups, ingress=ingress)

    def allows(self, peer: Peer, other: Peer, protocol: str, ports: Intervals, *, ingress: bool) -> bool:
        """Whether a rule of a peer covers another peer over IPv4, on some of these ports."""
        there = Addresses(v4=self.addresses_of([other]).v4)
        return any(
            protocol in rule.protocols
            and rule.ports & ports
            and (set(rule.groups) & set(other.groups) or rule.addresses & there or rule.unknowns or rule.group_unknowns)
            for rule in self.rules(peer, ingress=ingress)
        )


def peers_of(
    graph: Graph, groups: SecurityGroups, balancing: LoadBalancing, placed: Sequence[tuple[PlacedResource, GroupSet]]
) -> Peers:
    """The peers of a stack: placed resources, each with its security groups, and load balancers."""
    return Peers((*_placed(groups, placed), *_balancers(graph, groups, balancing)), groups)


def _placed(groups: SecurityGroups, placed: Sequence[tuple[PlacedResource, GroupSet]]) -> Iterator[Peer]:
    for item, own in placed:
        if item.resource.kind == "lb.LoadBalancer":
            continue
        certain = not (own.unknowns or groups.outside(own.keys) or own.loose or item.loose)
        certain = certain and bool(item.subnets) and not item.subnet_unknowns
        unclear = bool(own.unknowns) or any("(not set" not in text for text in item.subnet_unknowns)
        yield Peer(item.resource, item.subnets, own.keys, certain and bool(own.keys), unclear)


def _balancers(graph: Graph, groups: SecurityGroups, balancing: LoadBalancing) -> Iterator[Peer]:
    for balancer in balancing.balancers:
        own = balancing.groups_of(balancer)
        if own is None or balancer.kind != "lb.LoadBalancer":
            continue
        subnets = Subnets("subnets")
        for path in ("subnets", "subnetMappings"):
            if balancer.value(path) not in (None, []):
                subnets.add(graph, balancer, path)
        certain = not (own.unknowns or groups.outside(own.keys) or own.loose or subnets.loose)
        certain = certain and bool(subnets.found) and not subnets.unknowns
        unclear = bool(own.unknowns or subnets.unknowns)
        yield Peer(balancer, subnets.ordered(), own.keys, certain and bool(own.keys), unclear, balances=True)


def block_of(subnet: Resource) -> Addresses:
    """The known addresses of a subnet, of both families."""
    found = NO_ADDRESSES
    for path in ("cidrBlock", "ipv6CidrBlock"):
        value = subnet.value(path)
        found |= (parse(value) if isinstance(value, str) else None) or NO_ADDRESSES
    return found
