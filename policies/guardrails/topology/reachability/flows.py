"""Which connections a stack declares, and where a security group, a network ACL or a route blocks one of them.

A connection is declared when a load balancer has a target, or when a rule names another security group. The other
side's groups then have to allow it, and the network ACLs of both subnets have to allow it and the responses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..graph.resources import Resource
from ..network.addresses import INTERNET, TCP, Addresses, Intervals, PortMap, describe, describe_ports, ports
from ..network.security_groups import GroupRule
from .load_balancer_bypass import target_ports
from .peers import Peer, Peers, block_of

ANY_CLIENT = ports(1024, 65535)
"""The source ports of clients of any system, of load balancers and of Lambda functions."""
LINUX_CLIENT = ports(32768, 60999)
"""The source ports of a task or a Linux host."""
REMOTE_DESKTOP = ports(3389, 3389)
"""Left out of responses to the internet: control EC2.21 forbids allowing ingress from the internet on it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One reason why a declared connection does not work."""

    resource: Resource
    property: str
    found: str
    what: str


@dataclass(frozen=True, slots=True)
class Flow:
    """One declared connection: source, target, ports, and the rule that declares it."""

    source: Peer
    target: Peer
    ports: Intervals
    rule: GroupRule | None = None
    wires: Resource | None = None


def flows(peers: Peers) -> list[Flow]:
    """Every connection that load balancers and security group rules declare, each once."""
    found: dict[object, Flow] = {}
    for flow in (*_to_targets(peers), *_by_rules(peers)):
        if flow.source.certain and flow.target.certain:
            found.setdefault((flow.source.key, flow.target.key, flow.ports, flow.rule is None), flow)
    return list(found.values())


def _to_targets(peers: Peers) -> Iterator[Flow]:
    balancing = peers.network.balancing
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
            yield Flow(source, target, listening, wires=edge.entry)


def _by_rules(peers: Peers) -> Iterator[Flow]:
    for peer in peers.all:
        for ingress in (True, False):
            for rule in peers.rules(peer, ingress=ingress):
                if TCP not in rule.protocols:
                    continue
                for other in (item for key in rule.groups for item in peers.by_group.get(key, ())):
                    source, target = (other, peer) if ingress else (peer, other)
                    yield Flow(source, target, rule.ports, rule)


def unmatched(peers: Peers, flow: Flow) -> Gap | None:
    """The side whose security groups do not allow what the other side sends, if any."""
    sends = peers.allows(flow.source, flow.target, TCP, flow.ports, ingress=False)
    takes = peers.allows(flow.target, flow.source, TCP, flow.ports, ingress=True)
    if sends and takes:
        return None
    side, missing = (flow.target, "takes") if sends else (flow.source, "sends")
    what = f"cannot pass from {flow.source.resource.label} to {flow.target.resource.label}"
    found = f"no rule of {side.resource.label}'s groups {missing} tcp {describe_ports(flow.ports)}"
    if flow.rule is not None:
        return Gap(flow.rule.resource, flow.rule.property, found, what)
    return Gap(flow.wires or side.resource, "", found, what)


def filtered(peers: Peers, flow: Flow) -> Iterator[Gap]:
    """Where routes and the network ACLs of the two sides' subnets block a connection or its responses."""
    answers = _client_ports(flow.source)
    what = f"blocks traffic from {flow.source.resource.label} to {flow.target.resource.label}"
    for here in flow.source.subnets:
        for there in flow.target.subnets:
            if here.urn == there.urn:
                continue
            near, far = Addresses(v4=block_of(here).v4), Addresses(v4=block_of(there).v4)
            for subnet, other, addresses in ((here, there, far), (there, here, near)):
                if not peers.network.routing.reaches(subnet, other, addresses):
                    found = f"no route to {describe(addresses)}, which is in another network"
                    yield Gap(peers.network.routing.table_of(subnet) or subnet, "", found, what)
            if near and far:
                yield from _stopped(peers, there, near, flow.ports, what, egress=False)
                yield from _stopped(peers, here, far, flow.ports, what, egress=True)
                yield from _stopped(peers, there, near, answers, what, egress=True)
                yield from _stopped(peers, here, far, answers, what, egress=False)


def _client_ports(source: Peer) -> Intervals:
    return ANY_CLIENT if source.balances or source.resource.kind == "lambda.Function" else LINUX_CLIENT


def _stopped(
    peers: Peers, subnet: Resource, addresses: Addresses, wanted: Intervals, what: str, *, egress: bool
) -> Iterator[Gap]:
    acls = peers.network.acls
    acl = acls.acl_of(subnet)
    if acl is None:
        return
    missing = PortMap.of(wanted, addresses) - acls.passes(acl, egress=egress).get(TCP, PortMap())
    for low, high, left in missing.segments[:1]:
        direction, way = ("egress", "to") if egress else ("ingress", "from")
        found = f"no entry for tcp {describe_ports(ports(low, high))} {way} {describe(left)}"
        yield Gap(acl, direction, found, what)


def front(peers: Peers) -> Iterator[Gap]:
    """Why clients cannot reach an internet-facing load balancer, or why it cannot answer them.

    Its clients are the internet addresses that its groups admit on a listener's port.
    """
    balancing, routing = peers.network.balancing, peers.network.routing
    for peer in peers.all:
        balancer = peer.resource
        if not peer.balances or not peer.certain or balancing.is_internal(balancer) is not False:
            continue
        everyone = Intervals()
        for listener in balancing.listeners.get(balancer.urn, ()):
            number = listener.value("port")
            if not isinstance(number, int | float):
                continue
            port, what = ports(int(number), int(number)), f"blocks clients from {listener.label}"
            if not any(rule.covers(TCP, int(number)) for rule in peers.rules(peer, ingress=True)):
                found = f"no rule of its groups admits port {int(number)}"
                yield Gap(balancer, "securityGroups", found, what)
            clients = _on_the_internet(peers, peer, int(number), ingress=True)
            everyone |= clients.v4
            for subnet in peer.subnets if clients else ():
                yield from _stopped(peers, subnet, clients, port, what, egress=False)
                yield from _stopped(peers, subnet, clients, ANY_CLIENT, what, egress=True)
        for subnet in peer.subnets:
            placed = routing.placement(subnet)
            missing = (everyone or INTERNET.v4) - placed.internet.v4
            if missing and not placed.unknowns:
                only = f" for {describe(Addresses(v4=missing))}" if placed.internet.v4 else ""
                found = f"no route to an internet gateway{only}"
                yield Gap(balancer, "subnets", found, f"is in {subnet.name}, where no client can reach it")


def _on_the_internet(peers: Peers, peer: Peer, port: int, *, ingress: bool) -> Addresses:
    """The internet's IPv4 addresses that a peer's groups allow on a port, those of its own network left out."""
    found = Addresses()
    for rule in peers.rules(peer, ingress=ingress):
        if rule.covers(TCP, port):
            found |= rule.addresses
    return Addresses(v4=(found.v4 & INTERNET.v4) - peers.network.routing.own_addresses.v4)


def login(peers: Peers) -> Iterator[Gap]:
    """Why a load balancer with logins cannot reach the identity provider, which is where its groups let it connect."""
    https = ports(443, 443)
    answers = ANY_CLIENT - REMOTE_DESKTOP
    for peer in peers.all:
        if not peer.balances or not peer.certain or not _logs_in(peers, peer.resource):
            continue
        what = "blocks its requests to the identity provider"
        rules = [rule for rule in peers.rules(peer, ingress=False) if rule.covers(TCP, 443)]
        if not any(rule.addresses or rule.unknowns for rule in rules):
            yield Gap(
                peer.resource,
                "securityGroups",
                "no rule of its security groups allows egress to port 443 of other hosts",
                what,
            )
        provider = _on_the_internet(peers, peer, 443, ingress=False)
        for subnet in peer.subnets if provider else ():
            yield from _stopped(peers, subnet, provider, https, what, egress=True)
            yield from _stopped(peers, subnet, provider, answers, what, egress=False)


def _logs_in(peers: Peers, balancer: Resource) -> bool:
    balancing = peers.network.balancing
    for listener in balancing.listeners.get(balancer.urn, ()):
        for entry in (listener, *balancing.rules.get(listener.urn, ())):
            path = "defaultActions" if entry is listener else "actions"
            actions = entry.items(path)
            count = len(actions) if isinstance(actions, list) else 0
            if any(entry.value(f"{path}[{index}].type") == "authenticate-oidc" for index in range(count)):
                return True
    return False


def endpoints(peers: Peers, wired: list[Flow]) -> Iterator[Gap]:
    """Endpoints that no client can reach on the port they serve, and gateway endpoints without a route table or
    security group rule that uses them.
    """
    reached: dict[object, Intervals] = {}
    for flow in wired:
        if unmatched(peers, flow) is None:
            reached[flow.target.key] = reached.get(flow.target.key, Intervals()) | flow.ports
    for peer in peers.all:
        resource, port = peer.resource, service_port(peer.resource)
        if port is None or not peer.certain or port in reached.get(peer.key, Intervals()):
            continue
        if any(not other.certain for other in peers.all):
            continue  # one of those may be its client
        rules = peers.rules(peer, ingress=True)
        if not any(rule.covers(TCP, port) and (rule.addresses or rule.unknowns) for rule in rules):
            yield Gap(resource, "", f"no rule of its groups that a client matches on port {port}", "has no clients")
    for endpoint in peers.network.graph.of_type("ec2.VpcEndpoint"):
        if endpoint.value("vpcEndpointType") in (None, "Gateway"):
            yield from _gateway(peers, endpoint)


_SERVICE_PORTS = {
    "ec2.VpcEndpoint": 443, "efs.MountTarget": 2049, "elasticache.ReplicationGroup": 6379, "memorydb.Cluster": 6379,
}  # fmt: skip
_ENGINE_PORTS = {"postgres": 5432, "mysql": 3306, "mariadb": 3306}


def service_port(resource: Resource) -> int | None:
    """The port on which something serves, where its type determines it."""
    port = resource.value("port")
    if resource.kind in (*_SERVICE_PORTS, "rds.Cluster", "rds.Instance") and isinstance(port, int | float):
        return int(port)
    if resource.kind in ("rds.Cluster", "rds.Instance"):
        engine = str(resource.value("engine"))
        return next((number for name, number in _ENGINE_PORTS.items() if name in engine), None)
    return _SERVICE_PORTS.get(resource.kind)


def _gateway(peers: Peers, endpoint: Resource) -> Iterator[Gap]:
    routing = peers.network.routing
    graph = peers.network.graph
    tables = {
        table.urn for table in graph.referenced(endpoint, "routeTableIds", ("ec2.RouteTable", "ec2.DefaultRouteTable"))
    }
    for extra in graph.of_type("ec2.VpcEndpointRouteTableAssociation"):
        if endpoint in graph.referenced(extra, "vpcEndpointId", ("ec2.VpcEndpoint",)).resources:
            tables |= {
                table.urn
                for table in graph.referenced(extra, "routeTableId", ("ec2.RouteTable", "ec2.DefaultRouteTable"))
            }
    if not tables and endpoint.value("routeTableIds") not in (None, []):
        return  # tables of another stack
    used = False
    for peer in peers.all:
        sends = [rule for rule in peers.rules(peer, ingress=False) if _names(peers, rule, endpoint)]
        if not sends or not peer.certain:
            continue
        for subnet in peer.subnets:
            table = routing.table_of(subnet)
            if table is not None and table.urn in tables:
                used = True
                far = Addresses(v4=INTERNET.v4)
                what = f"blocks {peer.resource.label} from {endpoint.label}"
                yield from _stopped(peers, subnet, far, ports(443, 443), what, egress=True)
                yield from _stopped(peers, subnet, far, _client_ports(peer), what, egress=False)
            elif not routing.placement(subnet).internet:
                yield Gap(
                    endpoint,
                    "routeTableIds",
                    f"not the route table of {subnet.name}",
                    f"is unreachable for {peer.resource.label}",
                )
    if not used and peers.all and all(peer.certain for peer in peers.all):
        yield Gap(
            endpoint, "routeTableIds", "no security group in its route tables' subnets sends to it", "has no clients"
        )


def _names(peers: Peers, rule: GroupRule, endpoint: Resource) -> bool:
    """Whether an egress rule covers the addresses of a gateway endpoint: by its prefix list, or by all addresses."""
    if not rule.covers(TCP, 443):
        return False
    if (rule.addresses & INTERNET).v4 == INTERNET.v4:
        return True
    path = "prefixListIds" if rule.resource.kind != "vpc.SecurityGroupEgressRule" else "prefixListId"
    place = f"{rule.property.rpartition('.')[0]}.{path}".lstrip(".") if "[" in rule.property else path
    graph = peers.network.graph
    keys = ("id", "arn", "prefixListId")
    return endpoint in graph.referenced(rule.resource, place, ("ec2.VpcEndpoint",), keys).resources
