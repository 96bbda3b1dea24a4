"""Security groups, network ACLs and routes that block a connection which the stack declares.

A connection is declared if a load balancer has a target, or if a rule refers to another security group. The other
side's groups then have to allow it, and the network ACLs of both subnets have to allow it and the responses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...graph.resources import Resource
from ...network.addresses import INTERNET, TCP, Addresses, Intervals, PortMap, describe, describe_ports, ports
from ..facts.flows import Flow, GatewayUse
from ..facts.model import Facts
from ..facts.peers import Peer, block_of

ANY_CLIENT = ports(1024, 65535)
"""The source ports of clients of any system, of load balancers and of Lambda functions."""
LINUX_CLIENT = ports(32768, 60999)
"""The source ports of a task or a Linux host."""
REMOTE_DESKTOP = ports(3389, 3389)
"""A port that is excluded from responses to the internet: control EC2.21 forbids allowing ingress from the internet on
it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One cause that blocks a declared connection."""

    resource: Resource
    property: str
    found: str
    what: str


def unmatched(facts: Facts, flow: Flow) -> Gap | None:
    """The side whose security groups do not allow the other side's traffic, if any."""
    sends = facts.peers.allows(flow.source, flow.target, TCP, flow.ports, ingress=False)
    takes = facts.peers.allows(flow.target, flow.source, TCP, flow.ports, ingress=True)
    if sends and takes:
        return None
    side, missing = (flow.target, "takes") if sends else (flow.source, "sends")
    what = f"is blocked from {flow.source.resource.label} to {flow.target.resource.label}"
    found = f"no rule of {side.resource.label}'s groups {missing} tcp {describe_ports(flow.ports)}"
    if flow.rule is not None:
        return Gap(flow.rule.resource, flow.rule.property, found, what)
    return Gap(flow.forwarder or side.resource, "", found, what)


def filtered(facts: Facts, flow: Flow) -> Iterator[Gap]:
    """The routes and network ACLs of the two sides' subnets that block a connection or its responses."""
    answers = _client_ports(flow.source)
    what = f"blocks traffic from {flow.source.resource.label} to {flow.target.resource.label}"
    for here in flow.source.subnets:
        for there in flow.target.subnets:
            if here.urn == there.urn:
                continue
            near, far = Addresses(v4=block_of(here).v4), Addresses(v4=block_of(there).v4)
            for subnet, other, addresses in ((here, there, far), (there, here, near)):
                if not facts.routing.reaches(subnet, other, addresses):
                    found = f"no route to {describe(addresses)}, which is in another network"
                    yield Gap(facts.routing.table_of(subnet) or subnet, "", found, what)
            if near and far:
                yield from _stopped(facts, there, near, flow.ports, what, egress=False)
                yield from _stopped(facts, here, far, flow.ports, what, egress=True)
                yield from _stopped(facts, there, near, answers, what, egress=True)
                yield from _stopped(facts, here, far, answers, what, egress=False)


def _client_ports(source: Peer) -> Intervals:
    return ANY_CLIENT if source.balances or source.resource.kind == "lambda.Function" else LINUX_CLIENT


def _stopped(
    facts: Facts, subnet: Resource, addresses: Addresses, wanted: Intervals, what: str, *, egress: bool
) -> Iterator[Gap]:
    acls = facts.acls
    acl = acls.acl_of(subnet)
    if acl is None:
        return
    missing = PortMap.of(wanted, addresses) - acls.passes(acl, egress=egress).get(TCP, PortMap())
    for low, high, left in missing.segments[:1]:
        direction, way = ("egress", "to") if egress else ("ingress", "from")
        found = f"no entry for tcp {describe_ports(ports(low, high))} {way} {describe(left)}"
        yield Gap(acl, direction, found, what)


def front(facts: Facts) -> Iterator[Gap]:
    """The causes that prevent clients from reaching an internet-facing load balancer, or prevent it from responding.

    Its clients are the internet addresses that its groups admit on a listener's port.
    """
    balancing, routing = facts.balancing, facts.routing
    for peer in facts.peers.all:
        balancer = peer.resource
        if not peer.balances or not peer.certain or balancing.is_internal(balancer) is not False:
            continue
        everyone = Intervals()
        for listener in balancing.listeners.get(balancer.urn, ()):
            number = listener.value("port")
            if not isinstance(number, int | float):
                continue
            port, what = ports(int(number), int(number)), f"blocks clients from {listener.label}"
            if not any(rule.covers(TCP, int(number)) for rule in facts.peers.rules(peer, ingress=True)):
                found = f"no rule of its groups admits port {int(number)}"
                yield Gap(balancer, "securityGroups", found, what)
            clients = _on_the_internet(facts, peer, int(number), ingress=True)
            everyone |= clients.v4
            for subnet in peer.subnets if clients else ():
                yield from _stopped(facts, subnet, clients, port, what, egress=False)
                yield from _stopped(facts, subnet, clients, ANY_CLIENT, what, egress=True)
        for subnet in peer.subnets:
            placed = routing.placement(subnet)
            missing = (everyone or INTERNET.v4) - placed.internet.v4
            if missing and not placed.unknowns:
                only = f" for {describe(Addresses(v4=missing))}" if placed.internet.v4 else ""
                found = f"no route to an internet gateway{only}"
                yield Gap(balancer, "subnets", found, f"is in {subnet.name}, which clients cannot reach")


def _on_the_internet(facts: Facts, peer: Peer, port: int, *, ingress: bool) -> Addresses:
    """The internet's IPv4 addresses that a peer's groups allow on a port, without those of the stack's own VPCs."""
    found = Addresses()
    for rule in facts.peers.rules(peer, ingress=ingress):
        if rule.covers(TCP, port):
            found |= rule.addresses
    return Addresses(v4=(found.v4 & INTERNET.v4) - facts.routing.own_addresses.v4)


def login(facts: Facts) -> Iterator[Gap]:
    """The causes that block a load balancer with logins from its identity provider, at the addresses that its groups
    allow."""
    https = ports(443, 443)
    answers = ANY_CLIENT - REMOTE_DESKTOP
    for peer in facts.peers.all:
        if not peer.balances or not peer.certain or not _logs_in(facts, peer.resource):
            continue
        what = "blocks its requests to the identity provider"
        rules = [rule for rule in facts.peers.rules(peer, ingress=False) if rule.covers(TCP, 443)]
        if not any(rule.addresses or rule.unknowns for rule in rules):
            yield Gap(
                peer.resource,
                "securityGroups",
                "no rule of its security groups allows egress to port 443 of other hosts",
                what,
            )
        provider = _on_the_internet(facts, peer, 443, ingress=False)
        for subnet in peer.subnets if provider else ():
            yield from _stopped(facts, subnet, provider, https, what, egress=True)
            yield from _stopped(facts, subnet, provider, answers, what, egress=False)


def _logs_in(facts: Facts, balancer: Resource) -> bool:
    balancing = facts.balancing
    for listener in balancing.listeners.get(balancer.urn, ()):
        for entry in (listener, *balancing.rules.get(listener.urn, ())):
            path = "defaultActions" if entry is listener else "actions"
            actions = entry.items(path)
            count = len(actions) if isinstance(actions, list) else 0
            if any(entry.value(f"{path}[{index}].type") == "authenticate-oidc" for index in range(count)):
                return True
    return False


def unused(facts: Facts) -> Iterator[Gap]:
    """Resources that no client can reach on the port they serve, and gateway VPC endpoints without a route table or
    security group rule that uses them.
    """
    reached: dict[object, Intervals] = {}
    for flow in facts.flows:
        if unmatched(facts, flow) is None:
            reached[flow.target.key] = reached.get(flow.target.key, Intervals()) | flow.ports
    for peer in facts.peers.all:
        resource, port = peer.resource, service_port(peer.resource)
        if port is None or not peer.certain or port in reached.get(peer.key, Intervals()):
            continue
        if any(not other.certain for other in facts.peers.all):
            continue  # one of those may be its client
        rules = facts.peers.rules(peer, ingress=True)
        if not any(rule.covers(TCP, port) and (rule.addresses or rule.unknowns) for rule in rules):
            yield Gap(resource, "", f"no rule of its groups admits a client on port {port}", "has no clients")
    for gateway in facts.gateways:
        yield from _gateway(facts, gateway)


_SERVICE_PORTS = {
    "ec2.VpcEndpoint": 443, "efs.MountTarget": 2049, "elasticache.ReplicationGroup": 6379, "memorydb.Cluster": 6379,
}  # fmt: skip
_ENGINE_PORTS = {"postgres": 5432, "mysql": 3306, "mariadb": 3306}


def service_port(resource: Resource) -> int | None:
    """The port on which a resource serves, if its type determines it."""
    port = resource.value("port")
    if resource.kind in (*_SERVICE_PORTS, "rds.Cluster", "rds.Instance") and isinstance(port, int | float):
        return int(port)
    if resource.kind in ("rds.Cluster", "rds.Instance"):
        engine = str(resource.value("engine"))
        return next((number for name, number in _ENGINE_PORTS.items() if name in engine), None)
    if str(resource.value("serviceName")).startswith("com.amazonaws.vpce."):
        return None  # the owner of the endpoint service chooses it
    return _SERVICE_PORTS.get(resource.kind)


def _gateway(facts: Facts, gateway: GatewayUse) -> Iterator[Gap]:
    if gateway.elsewhere:
        return
    endpoint, used = gateway.endpoint, False
    for peer in gateway.users:
        for subnet in peer.subnets:
            table = facts.routing.table_of(subnet)
            if table is not None and table.urn in gateway.tables:
                used = True
                far = Addresses(v4=INTERNET.v4)
                what = f"blocks {peer.resource.label} from {endpoint.label}"
                yield from _stopped(facts, subnet, far, ports(443, 443), what, egress=True)
                yield from _stopped(facts, subnet, far, _client_ports(peer), what, egress=False)
            elif not facts.routing.placement(subnet).internet:
                found = f"not the route table of {subnet.name}"
                yield Gap(endpoint, "routeTableIds", found, f"is unreachable for {peer.resource.label}")
    for peer in gateway.image_pullers:
        tables = [facts.routing.table_of(subnet) for subnet in peer.subnets]
        here = all(table is not None and table.urn in gateway.tables for table in tables)
        if here and peer not in gateway.users:
            found = f"no egress rule of its groups covers {endpoint.label}"
            yield Gap(peer.resource, "networkConfiguration.securityGroups", found, "cannot download image layers")
    if not used and facts.peers.all and all(peer.certain for peer in facts.peers.all):
        found = "no security group in its route tables' subnets allows egress to it"
        yield Gap(endpoint, "routeTableIds", found, "has no clients")
