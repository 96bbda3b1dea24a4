"""Topology's verdicts beside what real connections do, claim by claim.

A claim is about resources and subnets, and an address of a subnet is AWS's to choose; so each interface stands at both ends
of its subnet, and a claim is compared with all of its connections together.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from local.network import Interface, Plan, plan_network
from local.network.model import AWS_PORTS, Host, Subnet, Target
from local.network.namespaces import running_many
from policies.guardrails.topology.graph.resources import Graph

from .generated import CLIENTS_V4, CLIENTS_V6, LISTENING
from .probes import PATIENT_SECONDS, Probe, connect, without_reverses
from .verdicts import Verdict, Verdicts

CLIENT = "client"
ELSEWHERE = "between two networks by a transit gateway, whose own routes are not in the graph"
"""An answer that topology does not give although all values are known."""
_REMOTE_DESKTOP = 3389


class Says(StrEnum):
    """What a claim says of its connections."""

    SOME = "at least one passes"
    NONE = "none passes"
    ALL = "all pass"
    NOT_ALL = "not all pass"


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of topology about some connections. Those of one group pass together only if all of them do."""

    network: int
    kind: str
    about: str
    says: Says
    groups: tuple[tuple[Probe, ...], ...]
    why: str = ""

    def holds(self, arrived: set[Probe]) -> bool:
        """Whether the connections did as claimed."""
        passed = [all(probe in arrived for probe in group) for group in self.groups]
        if self.says is Says.NONE:
            return not any(probe in arrived for group in self.groups for probe in group)
        return {Says.SOME: any(passed), Says.ALL: all(passed), Says.NOT_ALL: not all(passed)}[self.says]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One claim that the kernel contradicts, in the network of this number."""

    network: int
    kind: str
    text: str


@dataclass(slots=True)
class Outcome:
    """What a comparison found."""

    disagreements: list[Disagreement] = field(default_factory=list[Disagreement])
    unknown: Counter[str] = field(default_factory=Counter[str])
    """Verdicts that topology does not give, by reason."""
    claims: Counter[str] = field(default_factory=Counter[str])
    connections: int = 0
    networks: int = 0

    def add(self, other: Outcome) -> None:
        """Count another one in."""
        self.disagreements += other.disagreements
        self.unknown += other.unknown
        self.claims += other.claims
        self.connections += other.connections
        self.networks += other.networks


def planned(graph: Graph, v4: Sequence[str], v6: Sequence[str]) -> Plan:
    """The plan of a graph, with two of each interface and one client that has all these addresses of the internet."""
    return plan_network(graph, hosts=(Host(CLIENT, tuple(v4), tuple(v6)),), every=2)


def compare(
    graphs: Sequence[Graph],
    plans: Sequence[Plan],
    ports: Sequence[Sequence[int]],
    patience: Sequence[float] = PATIENT_SECONDS,
) -> Outcome:
    """Every claim about every pair of interfaces on these ports (for each network), against the kernel."""
    outcome = Outcome()
    claims = [
        claim
        for number, (graph, plan, own) in enumerate(zip(graphs, plans, ports, strict=True))
        for claim in _Claims(number, Verdicts(graph), plan, own, outcome).all()
    ]
    probes = list(
        without_reverses(dict.fromkeys(probe for claim in claims for group in claim.groups for probe in group))
    )
    kept = set(probes)
    claims = [claim for claim in claims if all(probe in kept for group in claim.groups for probe in group)]
    with running_many(plans) as networks:
        arrived = connect(networks, probes)
        open_ = [claim for claim in claims if not claim.holds(arrived)]
        for seconds in patience:
            again = [probe for claim in open_ for group in claim.groups for probe in group]
            arrived |= connect(networks, list(dict.fromkeys(again)), seconds) if again else set()
            open_ = [claim for claim in open_ if not claim.holds(arrived)]
    outcome.claims += Counter(f"{claim.kind}: {claim.says}" for claim in claims)
    outcome.connections += len(probes)
    outcome.disagreements += [Disagreement(claim.network, claim.kind, _told(claim, arrived)) for claim in open_]
    outcome.networks += len(graphs)
    return outcome


def claims_of(graph: Graph) -> list[Claim]:
    """Every claim about one network, without a kernel."""
    return list(_Claims(0, Verdicts(graph), planned(graph, CLIENTS_V4, CLIENTS_V6), LISTENING, Outcome()).all())


def _told(claim: Claim, arrived: set[Probe]) -> str:
    lines = [f"{claim.kind}: {claim.about}", f"  topology: {claim.says} {claim.why}"]
    for group in claim.groups[:8]:
        for probe in group[:8]:
            did = "passes" if probe in arrived else "is dropped"
            lines.append(
                f"  kernel: {probe.protocol} {probe.source} {probe.from_address}:{probe.from_port} → {probe.target} "
                f"{probe.address}:{probe.port} {did}"
            )
    return "\n".join(lines)


class _Claims:
    """The claims about one network."""

    def __init__(self, number: int, verdicts: Verdicts, plan: Plan, ports: Sequence[int], outcome: Outcome) -> None:
        self.number = number
        self.verdicts = verdicts
        self.plan = plan
        self.ports = ports
        self.outcome = outcome
        self._subnets = {subnet.urn: subnet for subnet in plan.subnets}
        self._client: Host = plan.hosts[0]
        placed = sorted(
            (node for node in plan.nodes if node.subnet and node.guarded), key=lambda node: (node.resource, node.subnet)
        )
        self._places = [
            (resource, subnet, tuple(nodes))
            for (resource, subnet), nodes in groupby(placed, key=lambda node: (node.resource, node.subnet))
        ]
        self._datagrams = 0

    def all(self) -> Iterator[Claim]:
        """Every claim, those that topology does not make counted."""
        for source in self._places:
            for target in self._places:
                if source[:2] != target[:2] or len(source[2]) > 1:
                    yield from self._inside(source, target)
        for target in self._places:
            yield from self._from_internet(target[2])
        yield from self._balancers()
        for source in self._places:
            yield from self._gateways(*source)

    def _gateways(self, resource: str, subnet: str, nodes: tuple[Interface, ...]) -> Iterator[Claim]:
        """From an interface to each gateway endpoint that its groups let it use."""
        for endpoint in self.plan.nodes:
            if endpoint.subnet or endpoint.kind != "ec2.VpcEndpoint":
                continue
            gaps = self.verdicts.gateway(resource, subnet, endpoint.resource)
            groups = tuple(
                (Probe(self.number, node.name, node.v4, number, endpoint.name, endpoint.v4, endpoint.v4, 443),)
                for node in nodes
                for number in self._source_ports(node.source_ports, subnet)
            )
            why = "; ".join(f"{gap.resource.name} {gap.property}: {gap.found}" for gap in gaps)
            about = f"{nodes[0].name} → {endpoint.name}"
            yield Claim(self.number, "gateway", about, Says.NOT_ALL if gaps else Says.ALL, groups, why)

    def _inside(
        self, source: tuple[str, str, tuple[Interface, ...]], target: tuple[str, str, tuple[Interface, ...]]
    ) -> Iterator[Claim]:
        for port in self.ports:
            about = f"{source[2][0].name} → {target[2][0].name} tcp {port}"
            verdict = self.verdicts.inside(source[0], source[1], target[0], target[1], port)
            if self._elsewhere(source[1], target[1]):
                verdict = Verdict(None, ELSEWHERE)
            if self._is_unknown("inside", verdict):
                continue
            groups = [
                tuple(
                    Probe(self.number, one.name, one.v4, client, other.name, other.v4, other.v4, port)
                    for client in self._source_ports(one.source_ports, source[1], target[1])
                )
                for one in source[2]
                for other in target[2]
                if one.v4 and other.v4 and one.v4 != other.v4
            ]
            says = Says.SOME if verdict.passes else Says.NONE if verdict.always else Says.NOT_ALL
            if says is Says.SOME and source[:2] == target[:2]:
                continue  # a rule about one end of the subnet leaves no second interface there to connect to
            yield Claim(self.number, "inside", about, says, tuple(groups), verdict.why)

    def _from_internet(self, nodes: tuple[Interface, ...]) -> Iterator[Claim]:
        for node in nodes:
            for protocol in ("tcp", "udp"):
                for port in self.ports:
                    for client in (*self._client.v4, *self._client.v6):
                        yield from self._from_client(client, node, port, protocol)

    def _from_client(self, client: str, node: Interface, port: int, protocol: str) -> Iterator[Claim]:
        v6 = ":" in client
        if v6 and not node.v6:
            return  # topology takes it that every endpoint may have an address where its subnet has a block
        verdict = self.verdicts.from_internet(client, node.resource, node.subnet, port, protocol)
        if verdict is None or self._is_unknown("from the internet", verdict):
            return
        address, own = (node.v6, node.v6) if v6 else (node.public, node.v4)
        groups: tuple[tuple[Probe, ...], ...] = ()
        if address:
            numbers = self._source_ports(AWS_PORTS, node.subnet) if protocol == "tcp" else [self._next()]
            groups = tuple(
                (Probe(self.number, CLIENT, client, number, node.name, address, own, port, protocol),)
                for number in numbers
            )
        says = Says.SOME if verdict.passes else Says.NONE
        yield Claim(
            self.number, "from the internet", f"{client} → {node.name} {protocol} {port}", says, groups, verdict.why
        )

    def _next(self) -> int:
        """A source port for a datagram that no other one has."""
        self._datagrams += 1
        return 10_000 + self._datagrams % 20_000

    def _balancers(self) -> Iterator[Claim]:
        for balancer, listener, subnet, peer in self.verdicts.balancers():
            nodes = [node for node in self.plan.nodes if (node.resource, node.subnet) == (balancer.urn, subnet.urn)]
            port = int(float(str(listener.value("port"))))
            gaps = self.verdicts.front(listener, peer)
            clients = [client for client in self._client.v4 if self.verdicts.admits(peer, client, port, ingress=True)]
            numbers = self._source_ports(AWS_PORTS, subnet.urn)
            groups = tuple(
                (Probe(self.number, CLIENT, client, number, node.name, node.public, node.v4, port),)
                for node in nodes
                for client in clients
                for number in numbers
            )
            why = "; ".join(f"{gap.resource.name} {gap.property}: {gap.found}" for gap in gaps)
            if groups:
                about = f"clients → {balancer.name} in {subnet.name} tcp {port}"
                yield Claim(self.number, "front", about, Says.NOT_ALL if gaps else Says.ALL, groups, why)
            gaps = self.verdicts.login(peer)
            clients = [client for client in self._client.v4 if self.verdicts.admits(peer, client, 443, ingress=False)]
            if not gaps:
                # Routes are no part of this claim: whether there is one is what the claim about clients says.
                clients = [client for client in clients if self.verdicts.routed(subnet, client)]
            groups = tuple(
                (Probe(self.number, node.name, node.v4, number, CLIENT, client, client, 443),)
                for node in nodes
                for client in clients
                for number in numbers
                if number != _REMOTE_DESKTOP
            )
            if groups:
                why = "; ".join(f"{gap.resource.name} {gap.property}: {gap.found}" for gap in gaps)
                about = f"{balancer.name} in {subnet.name} → identity provider"
                yield Claim(self.number, "login", about, Says.NOT_ALL if gaps else Says.ALL, groups, why)

    def _is_unknown(self, kind: str, verdict: Verdict) -> bool:
        if verdict.passes is None:
            self.outcome.unknown[f"{kind}: {verdict.why}"] += 1
        return verdict.passes is None

    def _elsewhere(self, *subnets: str) -> bool:
        """Whether packets between subnets of two networks may take a route that neither topology nor the plan follows."""
        here, there = (self._subnets[urn] for urn in subnets)
        return here.vpc != there.vpc and any(
            route.target is Target.NOWHERE
            and ipaddress.ip_network(route.destination).overlaps(ipaddress.ip_network(far))
            for near, far in ((here, there.v4), (there, here.v4))
            for route in near.routes
            if ":" not in route.destination
        )

    def _source_ports(self, within: tuple[int, int], *subnets: str) -> list[int]:
        """One source port from each part into which the network ACLs cut a range; the first where there are none."""
        low, high = within
        if len(set(subnets)) != len(subnets):
            return [low]
        return sorted(port for port in {low, *_edges(self._subnets[urn] for urn in subnets)} if low <= port <= high)


def _edges(subnets: Iterable[Subnet]) -> Iterator[int]:
    for subnet in subnets:
        for entry in subnet.acl or ():
            if entry.match.ports is not None:
                yield entry.match.ports[0]
                yield entry.match.ports[1] + 1
    yield _REMOTE_DESKTOP
    yield _REMOTE_DESKTOP + 1
