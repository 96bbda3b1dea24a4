"""What topology says of one connection, by the functions that its policies use, without further logic."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.network.addresses import INTERNET, TCP, ports
from policies.guardrails.topology.network.addresses import parse as block_of_address
from policies.guardrails.topology.reachability.claims.connections import Gap, filtered, front, login, unmatched, unused
from policies.guardrails.topology.reachability.claims.internal_resources import path_from_internet
from policies.guardrails.topology.reachability.facts.build import facts_of
from policies.guardrails.topology.reachability.facts.flows import Flow
from policies.guardrails.topology.reachability.facts.model import Admission, Facts
from policies.guardrails.topology.reachability.facts.peers import Peer

UNDECLARED = "with a default security group of which the stack declares nothing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether packets pass according to topology; ``None`` if that is not known, with the reason."""

    passes: bool | None
    why: str = ""
    always: bool = False
    """Where it does not pass: whether it does so for no address of the subnets, and not only for some of them."""


class Verdicts:
    """The answers about one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.facts: Facts = facts_of(graph)
        self._inside: dict[tuple[str, str, str, str, int], Verdict] = {}

    def inside(self, source: str, here: str, target: str, there: str, port: int) -> Verdict:
        """A TCP connection over IPv4 between two resources of the stack, from one subnet to another (URNs)."""
        key = (source, here, target, there, port)
        if key not in self._inside:
            self._inside[key] = self._inside_of(*key)
        return self._inside[key]

    def _inside_of(self, source: str, here: str, target: str, there: str, port: int) -> Verdict:
        internal = self.facts.by_urn.get(target)
        if internal is not None and not internal.placed.accepts:
            return Verdict(False, "it accepts no connections", always=True)
        near, far = self._peer(source, here), self._peer(target, there)
        for peer in (near, far):
            if not peer.certain:
                return Verdict(None, f"{peer.resource.label} is not certain" if peer.groups else UNDECLARED)
        flow = Flow(near, far, ports(port, port))
        if gap := unmatched(self.facts, flow):
            return Verdict(False, gap.found, always=True)
        gaps = list(filtered(self.facts, flow))
        return Verdict(not gaps, "; ".join(f"{gap.resource.name} {gap.property}: {gap.found}" for gap in gaps))

    def _peer(self, urn: str, subnet: str) -> Peer:
        peer = self.facts.peers.by_urn[urn]
        return replace(peer, subnets=tuple(item for item in peer.subnets if item.urn == subnet))

    def from_internet(self, client: str, target: str, there: str, port: int, protocol: str) -> Verdict | None:
        """Traffic from one internet address to an internal resource; ``None`` if topology has no such resource."""
        internal = self.facts.by_urn.get(target)
        address = block_of_address(client)
        if internal is None or not internal.subnets or address is None:
            return None
        alone = replace(internal, subnets=tuple(item for item in internal.subnets if item.resource.urn == there))
        for subnet in alone.subnets:
            if unknowns := subnet.routes.unknowns:
                return Verdict(None, f"routes: {', '.join(unknowns)}")
        for admission in internal.admissions:
            rule = admission.rule
            if rule.unknowns:
                return Verdict(None, f"rule: {', '.join(rule.unknowns)}")
            narrow = replace(rule, protocols=(protocol,), ports=ports(port, port))
            admitted = admission.internet & address
            if rule.covers(protocol, port) and admitted and path_from_internet(alone, Admission(narrow, admitted)):
                return Verdict(True, str(rule))
        return Verdict(False)

    def balancers(self) -> Iterator[tuple[Resource, Resource, Resource, Peer]]:
        """Each internet-facing load balancer with its listeners and subnets."""
        balancing = self.facts.balancing
        for peer in self.facts.peers.all:
            if peer.balances and peer.certain and balancing.is_internal(peer.resource) is False:
                for listener in balancing.listeners.get(peer.resource.urn, ()):
                    for subnet in peer.subnets:
                        yield peer.resource, listener, subnet, replace(peer, subnets=(subnet,))

    def front(self, listener: Resource, peer: Peer) -> list[Gap]:
        """Why clients cannot reach a listener of a load balancer in one subnet."""
        return [gap for gap in front(self._only(peer)) if listener.label in gap.what or gap.property == "subnets"]

    def login(self, peer: Peer) -> list[Gap]:
        """Why a load balancer in one subnet cannot reach the identity provider."""
        return list(login(self._only(peer)))

    def gateway(self, source: str, here: str, gateway: str) -> list[Gap]:
        """Why something in one subnet cannot use a gateway endpoint; the same if none of its groups lets it."""
        found = unused(self._only(self._peer(source, here)))
        return [gap for gap in found if gap.resource.urn == gateway]

    def admits(self, peer: Peer, client: str, port: int, *, ingress: bool) -> bool:
        """Whether a rule of a load balancer's groups covers an internet address."""
        address = block_of_address(client)
        assert address is not None
        return any(
            rule.covers(TCP, port) and rule.addresses & INTERNET & address
            for rule in self.facts.peers.rules(peer, ingress=ingress)
        )

    def routed(self, subnet: Resource, client: str) -> bool:
        """Whether a subnet has a route to an internet address through an internet gateway."""
        address = block_of_address(client)
        assert address is not None
        return address <= self.facts.routing.placement(subnet).internet

    def _only(self, peer: Peer) -> Facts:
        """The same facts with one peer."""
        peers = copy(self.facts.peers)
        peers.all = (peer,)
        gateways = tuple(
            replace(gateway, users=tuple(peer for user in gateway.users if user.resource is peer.resource))
            for gateway in self.facts.gateways
        )
        return replace(self.facts, peers=peers, flows=(), gateways=gateways)
