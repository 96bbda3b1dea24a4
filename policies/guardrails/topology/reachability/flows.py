"""Which connections a stack wires, and where a group, an access list or a route keeps one of them from working.

A connection is wired when a load balancer has a target, or when a rule names another group. Then the other side's
groups have to take it, and the access lists of both subnets have to let it and its answers through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..graph.resources import Resource
from ..network.addresses import INTERNET, TCP, Addresses, Intervals, PortMap, describe, describe_ports, ports
from ..network.security_groups import GroupRule
from .load_balancer_bypass import target_ports
from .peers import Parties, Party, block_of

ANY_CLIENT = ports(1024, 65535)
"""The ports from which clients of any system, and load balancers, speak."""
LINUX_CLIENT = ports(32768, 60999)
"""The ports from which a task or a Linux host speaks."""
REMOTE_DESKTOP = ports(3389, 3389)
"""Left out of answers from the internet: control EC2.21 forbids to admit the internet to it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One reason why a wired connection does not work."""

    resource: Resource
    property: str
    found: str
    what: str


@dataclass(frozen=True, slots=True)
class Flow:
    """One wired connection: from whom, to whom, on which ports, and the rule that wires it."""

    source: Party
    target: Party
    ports: Intervals
    rule: GroupRule | None = None
    wires: Resource | None = None


def flows(parties: Parties) -> list[Flow]:
    """Every connection that load balancers and rules of groups wire, each once."""
    found: dict[object, Flow] = {}
    for flow in (*_to_targets(parties), *_by_rules(parties)):
        if flow.source.certain and flow.target.certain:
            found.setdefault((flow.source.key, flow.target.key, flow.ports, flow.rule is None), flow)
    return list(found.values())


def _to_targets(parties: Parties) -> Iterator[Flow]:
    balancing = parties.network.balancing
    owner = {
        listener.urn: balancer
        for balancer in balancing.balancers
        for listener in balancing.listeners.get(balancer.urn, ())
    }
    for edge in balancing.edges():
        balancer, target = owner.get(edge.source), parties.by_urn.get(edge.target)
        source = parties.by_urn.get(balancer.urn) if balancer is not None else None
        if edge.final and source is not None and target is not None:
            named = [port for port in target_ports(target.resource) if port is not None]
            listening = Intervals.of(*((port, port) for port in named)) if named else edge.ports
            yield Flow(source, target, listening, wires=edge.entry)


def _by_rules(parties: Parties) -> Iterator[Flow]:
    for party in parties.all:
        for ingress in (True, False):
            for rule in parties.rules(party, ingress=ingress):
                if TCP not in rule.protocols:
                    continue
                for other in (item for key in rule.groups for item in parties.by_group.get(key, ())):
                    source, target = (other, party) if ingress else (party, other)
                    yield Flow(source, target, rule.ports, rule)


def unmatched(parties: Parties, flow: Flow) -> Gap | None:
    """The side whose groups do not take what the other side sends, if any."""
    sends = parties.allows(flow.source, flow.target, TCP, flow.ports, ingress=False)
    takes = parties.allows(flow.target, flow.source, TCP, flow.ports, ingress=True)
    if sends and takes:
        return None
    side, missing = (flow.target, "takes") if sends else (flow.source, "sends")
    what = f"keeps {flow.source.resource.label} from reaching {flow.target.resource.label}"
    found = f"no rule of {side.resource.label}'s groups {missing} tcp {describe_ports(flow.ports)}"
    if flow.rule is not None:
        return Gap(flow.rule.resource, flow.rule.property, found, what)
    return Gap(flow.wires or side.resource, "", found, what)


def filtered(parties: Parties, flow: Flow) -> Iterator[Gap]:
    """Where the access lists of the two sides' subnets stop a connection or its answers."""
    answers = ANY_CLIENT if flow.source.balances else LINUX_CLIENT
    what = f"keeps {flow.source.resource.label} from reaching {flow.target.resource.label}"
    for here in flow.source.subnets:
        for there in flow.target.subnets:
            if here.urn == there.urn:
                continue
            near, far = Addresses(v4=block_of(here).v4), Addresses(v4=block_of(there).v4)
            if near and far:
                yield from _stopped(parties, there, near, flow.ports, what, egress=False)
                yield from _stopped(parties, here, far, flow.ports, what, egress=True)
                yield from _stopped(parties, there, near, answers, what, egress=True)
                yield from _stopped(parties, here, far, answers, what, egress=False)


def _stopped(
    parties: Parties, subnet: Resource, addresses: Addresses, wanted: Intervals, what: str, *, egress: bool
) -> Iterator[Gap]:
    acls = parties.network.acls
    acl = acls.acl_of(subnet)
    if acl is None:
        return
    missing = PortMap.of(wanted, addresses) - acls.passes(acl, egress=egress).get(TCP, PortMap())
    for low, high, left in missing.segments[:1]:
        direction, way = ("egress", "to") if egress else ("ingress", "from")
        found = f"no entry for tcp {describe_ports(ports(low, high))} {way} {describe(left)}"
        yield Gap(acl, direction, found, what)


def front(parties: Parties) -> Iterator[Gap]:
    """Why an internet-facing load balancer cannot be reached by its clients, or cannot answer them."""
    balancing, routing = parties.network.balancing, parties.network.routing
    clients = Addresses(v4=INTERNET.v4)
    for party in parties.all:
        balancer = party.resource
        if not party.balances or not party.certain or balancing.is_internal(balancer) is not False:
            continue
        for listener in balancing.listeners.get(balancer.urn, ()):
            number = listener.value("port")
            if not isinstance(number, int | float):
                continue
            port, what = ports(int(number), int(number)), f"keeps clients from {listener.label}"
            rules = parties.rules(party, ingress=True)
            if not any(rule.covers(TCP, int(number)) for rule in rules):
                found = f"no rule of its groups admits port {int(number)}"
                yield Gap(balancer, "securityGroups", found, what)
            if not any((rule.addresses & INTERNET).v4 for rule in rules if rule.covers(TCP, int(number))):
                continue
            for subnet in party.subnets:
                yield from _stopped(parties, subnet, clients, port, what, egress=False)
                yield from _stopped(parties, subnet, clients, ANY_CLIENT, what, egress=True)
        for subnet in party.subnets:
            placed = routing.placement(subnet)
            if not placed.internet and not placed.unknowns:
                found = "no route to an internet gateway"
                yield Gap(balancer, "subnets", found, f"stands in {subnet.name}, where no client reaches it")


def login(parties: Parties) -> Iterator[Gap]:
    """Why a load balancer that logs users in cannot ask the identity provider."""
    https, provider = ports(443, 443), Addresses(v4=INTERNET.v4)
    answers = ANY_CLIENT - REMOTE_DESKTOP
    for party in parties.all:
        if not party.balances or not party.certain or not _logs_in(parties, party.resource):
            continue
        what = "keeps it from asking the identity provider"
        rules = [rule for rule in parties.rules(party, ingress=False) if rule.covers(TCP, 443)]
        if not any(rule.addresses or rule.unknowns for rule in rules):
            yield Gap(party.resource, "securityGroups", "no rule of its groups sends to port 443 elsewhere", what)
        if any((rule.addresses & INTERNET).v4 == INTERNET.v4 for rule in rules):
            for subnet in party.subnets:
                yield from _stopped(parties, subnet, provider, https, what, egress=True)
                yield from _stopped(parties, subnet, provider, answers, what, egress=False)


def _logs_in(parties: Parties, balancer: Resource) -> bool:
    balancing = parties.network.balancing
    for listener in balancing.listeners.get(balancer.urn, ()):
        for entry in (listener, *balancing.rules.get(listener.urn, ())):
            path = "defaultActions" if entry is listener else "actions"
            actions = entry.items(path)
            count = len(actions) if isinstance(actions, list) else 0
            if any(entry.value(f"{path}[{index}].type") == "authenticate-oidc" for index in range(count)):
                return True
    return False


def endpoints(parties: Parties, wired: list[Flow]) -> Iterator[Gap]:
    """Endpoints that nobody reaches on the port they serve, and gateway endpoints that no table or group leads to."""
    reached: dict[object, Intervals] = {}
    for flow in wired:
        if unmatched(parties, flow) is None:
            reached[flow.target.key] = reached.get(flow.target.key, Intervals()) | flow.ports
    for party in parties.all:
        resource, port = party.resource, service_port(party.resource)
        if port is None or not party.certain or port in reached.get(party.key, Intervals()):
            continue
        if any(not other.certain for other in parties.all):
            continue  # one of those may be its client
        rules = parties.rules(party, ingress=True)
        if not any(rule.covers(TCP, port) and (rule.addresses or rule.unknowns) for rule in rules):
            yield Gap(resource, "", f"no rule of its groups that a client matches on port {port}", "serves nobody")
    for endpoint in parties.network.graph.of_type("ec2.VpcEndpoint"):
        if endpoint.value("vpcEndpointType") in (None, "Gateway"):
            yield from _gateway(parties, endpoint)


_SERVICE_PORTS = {
    "ec2.VpcEndpoint": 443, "efs.MountTarget": 2049, "elasticache.ReplicationGroup": 6379, "memorydb.Cluster": 6379,
}  # fmt: skip
_ENGINE_PORTS = {"postgres": 5432, "mysql": 3306, "mariadb": 3306}


def service_port(resource: Resource) -> int | None:
    """The port on which something serves, where its kind tells."""
    port = resource.value("port")
    if resource.kind in (*_SERVICE_PORTS, "rds.Cluster", "rds.Instance") and isinstance(port, int | float):
        return int(port)
    if resource.kind in ("rds.Cluster", "rds.Instance"):
        engine = str(resource.value("engine"))
        return next((number for name, number in _ENGINE_PORTS.items() if name in engine), None)
    return _SERVICE_PORTS.get(resource.kind)


def _gateway(parties: Parties, endpoint: Resource) -> Iterator[Gap]:
    routing = parties.network.routing
    graph = parties.network.graph
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
    for party in parties.all:
        sends = [rule for rule in parties.rules(party, ingress=False) if _names(parties, rule, endpoint)]
        if not sends or not party.certain:
            continue
        for subnet in party.subnets:
            table = routing.table_of(subnet)
            if table is not None and table.urn in tables:
                used = True
                far = Addresses(v4=INTERNET.v4)
                what = f"keeps {party.resource.label} from {endpoint.label}"
                yield from _stopped(parties, subnet, far, ports(443, 443), what, egress=True)
                yield from _stopped(parties, subnet, far, LINUX_CLIENT, what, egress=False)
            elif not routing.placement(subnet).internet:
                yield Gap(
                    endpoint,
                    "routeTableIds",
                    f"not the table of {subnet.name}",
                    f"is out of {party.resource.label}'s reach",
                )
    if not used and parties.all and all(party.certain for party in parties.all):
        yield Gap(endpoint, "routeTableIds", "no group in its tables' subnets sends to it", "serves nobody")


def _names(parties: Parties, rule: GroupRule, endpoint: Resource) -> bool:
    """Whether an egress rule is about the addresses of a gateway endpoint: by its prefix list, or by all addresses."""
    if not rule.covers(TCP, 443):
        return False
    if (rule.addresses & INTERNET).v4 == INTERNET.v4:
        return True
    path = "prefixListIds" if rule.resource.kind != "vpc.SecurityGroupEgressRule" else "prefixListId"
    place = f"{rule.property.rpartition('.')[0]}.{path}".lstrip(".") if "[" in rule.property else path
    graph = parties.network.graph
    keys = ("id", "arn", "prefixListId")
    return endpoint in graph.referenced(rule.resource, place, ("ec2.VpcEndpoint",), keys).resources
