"""Creates a plan from a recorded graph: every interface with its addresses, and the rules that allow packets.

Every value is read from the graph. Addresses that AWS would assign are assigned from the subnet's block in the same
way; those on the internet come from the blocks reserved for documentation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from policies.guardrails.topology.graph.resources import Graph, Resource

from .addresses import Addresses, canonical
from .groups import Acls, Groups
from .model import AWS_PORTS, Host, Interface, Plan, Subnet, Vpc
from .places import Place, places, read_kinds
from .records import Records, flag, sorted_unique, text, texts, value
from .routes import Routes

USER = Host("user", ("203.0.113.10",), ("2001:db8:ffff::10",))
IDENTITY_PROVIDER = Host("identity-provider", ("203.0.113.20",), ("2001:db8:ffff::20",))
_INTERFACE_PROPERTIES = (
    "subnetId", "subnetIds", "subnets", "vpcConfig", "networkConfiguration", "vpcOptions", "subnetGroupName",
)  # fmt: skip
_READ_ELSEWHERE = frozenset(
    {
        "ec2.DefaultNetworkAcl", "ec2.FlowLog", "ec2.NetworkAcl", "ec2.NetworkAclAssociation", "ec2.RouteTableAssociation",
        "ec2.VpcEndpointSubnetAssociation", "elasticache.SubnetGroup", "rds.SubnetGroup",
    }
)  # fmt: skip


def plan_network(
    graph: Graph, *, hosts: Iterable[Host] = (USER, IDENTITY_PROVIDER), tasks_per_subnet: int = 1, every: int = 1
) -> Plan:
    """Create the plan of a stack's network, with these hosts on the internet and this many tasks of each service in
    each subnet.

    ``every`` multiplies all interfaces: with two of each, their addresses are at both ends of their subnet, so that a
    rule for a part of the subnet has an effect.

    Raises ``NotKnownError`` if the graph was recorded as a first preview, in which identifiers are unknown.
    """
    records = Records(graph)
    gateways = _gateway_endpoints(records)
    lists = {
        text(endpoint, "prefixListId"): gateways[endpoint.urn]
        for endpoint in records.of("ec2.VpcEndpoint")
        if endpoint.urn in gateways and text(endpoint, "prefixListId")
    }
    groups, acls = Groups(records, lists), Acls(records)
    routes = Routes(records, gateways, groups.blocks_of_list)
    blocks = _blocks(records)
    subnets = {text(item, "id"): item for item in records.of("ec2.Subnet")}
    nodes, left_out = _nodes(subnets, groups, places(records, tasks_per_subnet), every)
    nodes += [
        Interface(
            endpoint.name, endpoint.urn, endpoint.kind, text(endpoint, "vpcId"),
            v4=blocks_of[0].partition("/")[0], source_ports=AWS_PORTS, guarded=False,
        )
        for endpoint in records.of("ec2.VpcEndpoint")
        if (blocks_of := gateways.get(endpoint.urn))
    ]  # fmt: skip
    vpc_urn = {text(vpc, "id"): vpc.urn for vpc in records.of("ec2.Vpc")}
    return Plan(
        vpcs=tuple(Vpc(vpc.urn, vpc.name, blocks[text(vpc, "id")]) for vpc in records.of("ec2.Vpc")),
        subnets=tuple(
            _subnet(item, vpc_urn, routes, acls, blocks.get(text(item, "vpcId"), ())) for item in subnets.values()
        ),
        nodes=tuple(sorted(_finished(nodes, vpc_urn), key=lambda node: node.name)),
        groups={group: tuple(rules) for group, rules in sorted(groups.rules.items())},
        hosts=tuple(hosts),
        not_emulated=tuple(sorted({*left_out, *groups.missing, *routes.not_emulated, *_unread(records)})),
    )


def _finished(nodes: Iterable[Interface], urns: dict[str, str]) -> Iterable[Interface]:
    """VPCs by URN, and names that are unique: a kind goes before a name that resources of several types share."""
    nodes = list(nodes)
    names = Counter(node.name for node in nodes)
    for node in nodes:
        name = node.name if names[node.name] == 1 else f"{node.kind} {node.name}"
        yield replace(node, name=name, vpc=urns.get(node.vpc, node.vpc))


def _blocks(records: Records) -> dict[str, tuple[str, ...]]:
    """The blocks of each VPC, by its id."""
    found: dict[str, list[str]] = {}
    for vpc in records.of("ec2.Vpc"):
        found.setdefault(text(vpc, "id"), []).extend((*texts(vpc, "cidrBlock"), *texts(vpc, "ipv6CidrBlock")))
    for more in records.of("ec2.VpcIpv4CidrBlockAssociation", "ec2.VpcIpv6CidrBlockAssociation"):
        found.setdefault(text(more, "vpcId"), []).extend((*texts(more, "cidrBlock"), *texts(more, "ipv6CidrBlock")))
    return {vpc: tuple(dict.fromkeys(map(canonical, blocks))) for vpc, blocks in found.items()}


def _gateway_endpoints(records: Records) -> dict[str, tuple[str, ...]]:
    """The blocks of each gateway endpoint's prefix list; where the graph has none, one documentation address each."""
    found: dict[str, tuple[str, ...]] = {}
    for index, endpoint in enumerate(records.of("ec2.VpcEndpoint")):
        if text(endpoint, "vpcEndpointType") not in ("", "Gateway"):
            continue
        listed = tuple(map(canonical, texts(endpoint, "cidrBlocks")))
        found[endpoint.urn] = listed or (f"198.51.100.{index + 1}/32",)
    return found


def _subnet(resource: Resource, vpcs: dict[str, str], routes: Routes, acls: Acls, blocks: tuple[str, ...]) -> Subnet:
    own, vpc = text(resource, "id"), text(resource, "vpcId")
    return Subnet(
        urn=resource.urn,
        name=resource.name,
        vpc=vpcs.get(vpc, vpc),
        zone=text(resource, "availabilityZone"),
        v4=canonical(text(resource, "cidrBlock")) if text(resource, "cidrBlock") else "",
        v6=canonical(text(resource, "ipv6CidrBlock")) if text(resource, "ipv6CidrBlock") else "",
        routes=routes.of(own, vpc, blocks),
        acl=acls.of(own, vpc),
    )


def _nodes(
    subnets: dict[str, Resource], groups: Groups, found: Iterable[Place], every: int
) -> tuple[list[Interface], list[tuple[str, str]]]:
    nodes: list[Interface] = []
    left_out: list[tuple[str, str]] = []
    addresses = Addresses()
    for place in sorted(found, key=lambda item: (not item.v4, item.resource.urn)):
        missing = [name for name in place.subnets if name not in subnets]
        if missing or not place.subnets:
            left_out.append((place.resource.label, "its subnets are not in the graph"))
            continue
        placed = [(name, index) for name in place.subnets for index in range(place.each * every)]
        for position, (name, _) in enumerate(placed):
            label = place.resource.name if len(placed) == 1 else f"{place.resource.name}-{position + 1}"
            nodes.append(_node(place, label, subnets[name], groups, addresses))
    return nodes, left_out


def _node(place: Place, name: str, subnet: Resource, groups: Groups, addresses: Addresses) -> Interface:
    vpc = text(subnet, "vpcId")
    public = flag(subnet, "mapPublicIpOnLaunch") if place.public is None else place.public
    own = sorted_unique(groups.id_of(group) for group in place.groups)
    if not own and place.guarded:
        own = (groups.default[vpc],) if vpc in groups.default else ()
    takes_v6 = flag(subnet, "assignIpv6AddressOnCreation") if place.v6 is None else place.v6
    v4, v6 = text(subnet, "cidrBlock"), text(subnet, "ipv6CidrBlock") if takes_v6 else ""
    return Interface(
        name=name,
        resource=place.resource.urn,
        kind=place.resource.kind,
        vpc=vpc,
        subnet=subnet.urn,
        zone=text(subnet, "availabilityZone"),
        v4=addresses.take(v4, place.v4) if v4 else "",
        v6=addresses.take(v6) if v6 else "",
        public=addresses.public() if public else "",
        groups=own,
        source_ports=place.source_ports,
        stands_for=place.stands_for,
        guarded=place.guarded,
        accepts=place.accepts,
    )


def _unread(records: Records) -> Iterable[tuple[str, str]]:
    """Resources with subnets that the twin does not emulate."""
    covered = read_kinds() | _READ_ELSEWHERE
    for resource in records.graph:
        if resource.kind in covered or not resource.type.startswith("aws:"):
            continue
        named = [name for name in _INTERFACE_PROPERTIES if value(resource, name) not in (None, "", [], {})]
        if named:
            yield resource.label, f"has {', '.join(named)}; the twin does not emulate its interfaces"
