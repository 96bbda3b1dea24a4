"""What topology says of one connection, by the functions on which its policies rely and without any logic of its own."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.network.addresses import INTERNET, TCP, ports
from policies.guardrails.topology.network.addresses import parse as block_of_address
from policies.guardrails.topology.reachability.exposure import reachability
from policies.guardrails.topology.reachability.flows import Flow, Gap, endpoints, filtered, front, login, unmatched
from policies.guardrails.topology.reachability.peers import Peer, Peers, peers_of

UNDECLARED = "with a default security group of which the stack declares nothing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether topology says that packets pass; ``None`` where it does not know, with what keeps it from knowing."""

    passes: bool | None
    why: str = ""
    always: bool = False
    """Where it does not pass: whether it does so for no address of the subnets, and not only for some of them."""


class Verdicts:
    """The answers about one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.network = reachability(graph).network
        self.peers: Peers = peers_of(self.network)
        self._endpoints = {endpoint.resource.urn: endpoint for endpoint in self.network.endpoints}
        self._inside: dict[tuple[str, str, str, str, int], Verdict] = {}

    def inside(self, source: str, here: str, target: str, there: str, port: int) -> Verdict:
        """A TCP connection over IPv4 between two resources of the stack, from one subnet to another (URNs)."""
        key = (source, here, target, there, port)
        if key not in self._inside:
            self._inside[key] = self._inside_of(*key)
        return self._inside[key]

    def _inside_of(self, source: str, here: str, target: str, there: str, port: int) -> Verdict:
        endpoint = self._endpoints.get(target)
        if endpoint is not None and not endpoint.accepts:
            return Verdict(False, "it accepts no connections", always=True)
        near, far = self._peer(source, here), self._peer(target, there)
        for peer in (near, far):
            if not peer.certain:
                return Verdict(None, f"{peer.resource.label} is not certain" if peer.groups else UNDECLARED)
        flow = Flow(near, far, ports(port, port))
        if gap := unmatched(self.peers, flow):
            return Verdict(False, gap.found, always=True)
        gaps = list(filtered(self.peers, flow))
        return Verdict(not gaps, "; ".join(f"{gap.resource.name} {gap.property}: {gap.found}" for gap in gaps))

    def _peer(self, urn: str, subnet: str) -> Peer:
        peer = self.peers.by_urn[urn]
        return replace(peer, subnets=tuple(item for item in peer.subnets if item.urn == subnet))

    def from_internet(self, client: str, target: str, there: str, port: int, protocol: str) -> Verdict | None:
        """Traffic from one internet address to an internal endpoint; ``None`` where topology has no such endpoint."""
        endpoint = self._endpoints.get(target)
        address = block_of_address(client)
        if endpoint is None or endpoint.role == "internal load balancer" or address is None:
            return None
        alone = replace(endpoint, subnets=tuple(item for item in endpoint.subnets if item.urn == there))
        for subnet in alone.subnets:
            if unknowns := self.network.routing.placement(subnet).unknowns:
                return Verdict(None, f"routes: {', '.join(unknowns)}")
        for rule in self.network.groups.rules(self.network.groups_of(endpoint).keys):
            if rule.unknowns:
                return Verdict(None, f"rule: {', '.join(rule.unknowns)}")
            if not rule.covers(protocol, port):
                continue
            narrow = replace(rule, protocols=(protocol,), ports=ports(port, port), addresses=rule.addresses & address)
            if narrow.addresses and self.network.open_to(alone, narrow):
                return Verdict(True, str(rule))
        return Verdict(False)

    def balancers(self) -> Iterator[tuple[Resource, Resource, Resource, Peer]]:
        """Each internet-facing load balancer with its listeners and subnets."""
        for peer in self.peers.all:
            if peer.balances and peer.certain and self.network.balancing.is_internal(peer.resource) is False:
                for listener in self.network.balancing.listeners.get(peer.resource.urn, ()):
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
        found = endpoints(self._only(self._peer(source, here)), [])
        return [gap for gap in found if gap.resource.urn == gateway]

    def admits(self, peer: Peer, client: str, port: int, *, ingress: bool) -> bool:
        """Whether a rule of a load balancer's groups covers an internet address."""
        address = block_of_address(client)
        assert address is not None
        return any(
            rule.covers(TCP, port) and rule.addresses & INTERNET & address
            for rule in self.peers.rules(peer, ingress=ingress)
        )

    def routed(self, subnet: Resource, client: str) -> bool:
        """Whether a subnet has a route to an internet address through an internet gateway."""
        address = block_of_address(client)
        assert address is not None
        return address <= self.network.routing.placement(subnet).internet

    def _only(self, peer: Peer) -> Peers:
        alone = copy(self.peers)
        alone.all = (peer,)
        return alone
