"""Connections that a stack declares: to a load balancer's targets, by rules that refer to a group, and to gateways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...entry.load_balancing import LoadBalancing
from ...graph.resources import Graph, Resource
from ...network.addresses import INTERNET, TCP, Intervals
from ...network.security_groups import GroupRule
from .peers import Peer, Peers

_TABLES = ("ec2.RouteTable", "ec2.DefaultRouteTable")
_BUCKETS = ("s3.Bucket", "s3.BucketV2")
_GATEWAY_KEYS = ("id", "arn", "prefixListId")


@dataclass(frozen=True, slots=True)
class Flow:
    """One declared connection: source, target, ports, and the resource that declares it."""

    source: Peer
    target: Peer
    ports: Intervals
    rule: GroupRule | None = None
    forwarder: Resource | None = None
    """The listener or listener rule that forwards to the target."""


@dataclass(frozen=True, slots=True)
class GatewayUse:
    """A gateway VPC endpoint, its route tables, and the peers with an egress rule that covers its addresses."""

    endpoint: Resource
    tables: frozenset[str]
    """URNs of its route tables."""
    elsewhere: bool
    """Whether it refers to route tables that are not in this stack."""
    users: tuple[Peer, ...]
    image_pullers: tuple[Peer, ...] = ()
    """Fargate services, if the endpoint is the gateway to S3: ECR serves image layers from S3."""


@dataclass(frozen=True, slots=True)
class GatewayGrant:
    """A gateway VPC endpoint whose prefix list an egress rule refers to, and the buckets that its policy lists."""

    endpoint: Resource
    buckets: tuple[Resource, ...]


def target_ports(resource: Resource) -> tuple[int | None, ...]:
    """The container ports on which load balancers send traffic to a service; ``None`` stands for any port."""
    entries = resource.items("loadBalancers")
    count = len(entries) if isinstance(entries, list) else 0
    ports = [resource.value(f"loadBalancers[{index}].containerPort") for index in range(count)]
    return tuple(int(port) if isinstance(port, int | float) else None for port in ports) or (None,)


def flows_of(peers: Peers, balancing: LoadBalancing) -> tuple[Flow, ...]:
    """Every connection that load balancers and security group rules declare, without duplicates."""
    found: dict[object, Flow] = {}
    for flow in (*_to_targets(peers, balancing), *_by_rules(peers)):
        if flow.source.certain and flow.target.certain:
            found.setdefault((flow.source.key, flow.target.key, flow.ports, flow.rule is None), flow)
    return tuple(found.values())


def _to_targets(peers: Peers, balancing: LoadBalancing) -> Iterator[Flow]:
    owner = {
        listener.urn: balancer
        for balancer in balancing.balancers
        for listener in balancing.listeners.get(balancer.urn, ())
    }
    for edge in balancing.edges():
        balancer, target = owner.get(edge.source), peers.by_urn.get(edge.target)
        source = peers.by_urn.get(balancer.urn) if balancer is not None else None
        if edge.final and source is not None and target is not None:
            named = [port for port in target_ports(target.resource) if port is not None]
            listening = Intervals.of(*((port, port) for port in named)) if named else edge.ports
            yield Flow(source, target, listening, forwarder=edge.entry)


def _by_rules(peers: Peers) -> Iterator[Flow]:
    for peer in peers.all:
        for ingress in (True, False):
            for rule in peers.rules(peer, ingress=ingress):
                if TCP not in rule.protocols:
                    continue
                for other in (item for key in rule.groups for item in peers.by_group.get(key, ())):
                    source, target = (other, peer) if ingress else (peer, other)
                    yield Flow(source, target, rule.ports, rule)


def gateways_of(graph: Graph, peers: Peers) -> tuple[GatewayUse, ...]:
    """Every gateway VPC endpoint with its route tables and users."""
    extra = graph.of_type("ec2.VpcEndpointRouteTableAssociation")
    found: list[GatewayUse] = []
    for endpoint in graph.of_type("ec2.VpcEndpoint"):
        if endpoint.value("vpcEndpointType") not in (None, "Gateway"):
            continue
        tables = {table.urn for table in graph.referenced(endpoint, "routeTableIds", _TABLES)}
        for association in extra:
            if endpoint in graph.referenced(association, "vpcEndpointId", ("ec2.VpcEndpoint",)).resources:
                tables |= {table.urn for table in graph.referenced(association, "routeTableId", _TABLES)}
        elsewhere = not tables and endpoint.value("routeTableIds") not in (None, [])
        users = tuple(
            peer
            for peer in peers.all
            if peer.certain and any(_covers(graph, rule, endpoint) for rule in peers.rules(peer, ingress=False))
        )
        serves_layers = str(endpoint.value("serviceName")).endswith(".s3")
        pullers = tuple(peer for peer in peers.all if peer.certain and serves_layers and _on_fargate(peer.resource))
        found.append(GatewayUse(endpoint, frozenset(tables), elsewhere, users, pullers))
    return tuple(found)


def _on_fargate(resource: Resource) -> bool:
    return resource.kind == "ecs.Service" and resource.value("launchType") == "FARGATE"


def _covers(graph: Graph, rule: GroupRule, endpoint: Resource) -> bool:
    """Whether an egress rule covers the addresses of a gateway VPC endpoint: by its prefix list, or by all addresses."""
    if not rule.covers(TCP, 443):
        return False
    if (rule.addresses & INTERNET).v4 == INTERNET.v4:
        return True
    path = "prefixListIds" if rule.resource.kind != "vpc.SecurityGroupEgressRule" else "prefixListId"
    place = f"{rule.property.rpartition('.')[0]}.{path}".lstrip(".") if "[" in rule.property else path
    return endpoint in graph.referenced(rule.resource, place, ("ec2.VpcEndpoint",), _GATEWAY_KEYS).resources


def grants_of(graph: Graph) -> dict[str, tuple[GatewayGrant, ...]]:
    """URN of an egress rule → the gateway VPC endpoints whose prefix list it refers to."""
    found: dict[str, tuple[GatewayGrant, ...]] = {}
    for rule in graph.of_type("vpc.SecurityGroupEgressRule"):
        named = graph.referenced(rule, "prefixListId", ("ec2.VpcEndpoint",), ("prefixListId",))
        found[rule.urn] = tuple(
            GatewayGrant(gateway, graph.referenced(gateway, "policy", _BUCKETS, ("arn",)).resources)
            for gateway in named
        )
    return found
