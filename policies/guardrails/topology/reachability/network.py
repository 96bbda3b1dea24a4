"""The parts of a stack's network, put together: security groups, routes, network ACLs, web ACLs, entry points and
endpoints.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..entry.entry_points import EntryPoints
from ..entry.load_balancing import LoadBalancing
from ..graph.resources import Graph, Resource
from ..graph.verdicts import Hop, hop
from ..network.acls import NetworkAcls
from ..network.addresses import NO_ADDRESSES, Addresses, PortMap
from ..network.instances import INSTANCES, MACHINES, Instances
from ..network.placement import ROWS, Endpoint, PublicAddress, Subnets, place
from ..network.routing import Routing
from ..network.security_groups import GroupRule, GroupSet, SecurityGroups
from ..waf.associations import Firewalls

_ATTACHMENTS = (
    ("ec2.NetworkInterfaceSecurityGroupAttachment", "networkInterfaceId", (*INSTANCES, "ec2.NetworkInterface")),
    ("ec2.SecurityGroupAssociation", "vpcEndpointId", ("ec2.VpcEndpoint",)),
)


class Network:
    """The parts of a stack's network, each built once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.groups = SecurityGroups(graph)
        self.routing = Routing(graph)
        self.acls = NetworkAcls(graph)
        self.firewalls = Firewalls(graph)
        self.balancing = LoadBalancing(graph, self.groups, self.routing, self.firewalls)
        self.doors = EntryPoints(graph, self.firewalls, self.balancing)
        self.machines = Instances(graph, self.groups)
        self.endpoints = tuple(self._endpoints())
        self._admitted: dict[str, dict[str, PortMap]] = {}

    def _endpoints(self) -> list[Endpoint]:
        machines = self.machines
        extra, subnets = self._attached_groups(), self._attached_subnets()
        found: list[Endpoint] = []
        for resource in self.graph.of_type(*ROWS, *MACHINES):
            placed = machines.place(resource) if resource.kind in MACHINES else place(self.graph, self.groups, resource)
            if placed is not None:
                found.append(
                    _with_subnets(_with_groups(placed, extra.get(resource.urn, ())), subnets.get(resource.urn))
                )
        for balancer in self.balancing.balancers:
            if self.balancing.is_internal(balancer) is not False:
                groups = self.balancing.groups_of(balancer)
                internal = Endpoint(
                    balancer, "internal load balancer", (), "", (), False, groups or GroupSet(), "securityGroups",
                    PublicAddress(False, balancer),
                )  # fmt: skip
                found.append(internal)
        return found

    def _attached_groups(self) -> dict[str, list[GroupSet]]:
        """Security groups and the endpoints to which separate resources attach them."""
        found: dict[str, list[GroupSet]] = {}
        for kind, path, kinds in _ATTACHMENTS:
            for attachment in self.graph.of_type(kind):
                attached = self.groups.of(attachment, "securityGroupId")
                keys = ("id", "arn", "primaryNetworkInterfaceId")
                for holder in self.graph.referenced(attachment, path, types=kinds, keys=keys):
                    found.setdefault(holder.urn, []).append(attached)
        return found

    def _attached_subnets(self) -> dict[str, Subnets]:
        """Subnets that separate resources assign to interface endpoints."""
        found: dict[str, Subnets] = {}
        for association in self.graph.of_type("ec2.VpcEndpointSubnetAssociation"):
            for endpoint in self.graph.referenced(association, "vpcEndpointId", types=("ec2.VpcEndpoint",)):
                found.setdefault(endpoint.urn, Subnets()).add(self.graph, association, "subnetId")
        return found

    def groups_of(self, endpoint: Endpoint) -> GroupSet:
        """The endpoint's security groups, or its VPC's default group when it names none."""
        if not endpoint.groups.default or not endpoint.subnets:
            return endpoint.groups
        return self.groups.default_of(self.routing.vpc_of(endpoint.subnets[0]))

    def open_to(self, endpoint: Endpoint, rule: GroupRule) -> tuple[Hop, ...]:
        """The path by which a rule opens an endpoint to internet addresses, or nothing when another layer closes it."""
        admitted = self.groups.admits_internet(rule, self.routing.own_addresses)
        unsure = endpoint.loose and not all(self.routing.placement(subnet).internet for subnet in endpoint.subnets)
        for subnet in () if unsure or not endpoint.accepts else endpoint.subnets:
            placed = self.routing.placement(subnet)
            through = admitted & placed.internet & self._through_acl(subnet, rule)
            v6 = NO_ADDRESSES if not has_v6(endpoint, subnet) else Addresses(v6=through.v6)
            v4 = Addresses(v4=through.v4) if endpoint.public.value is True else NO_ADDRESSES
            if v4 or v6:
                address = endpoint.public.resource if v4 else subnet
                property_ = endpoint.public.property if v4 else "ipv6CidrBlock"
                return (
                    Hop("internet"),
                    *placed.hops,
                    hop(subnet, "routeTableId" if placed.hops else "", "the endpoint's subnet"),
                    hop(rule.resource, rule.property, str(rule)),
                    hop(address, property_, "a public address"),
                    hop(endpoint.resource),
                )
        return ()

    def _through_acl(self, subnet: Resource, rule: GroupRule) -> Addresses:
        if subnet.urn not in self._admitted:
            self._admitted[subnet.urn] = self.acls.admitted(subnet)
        admitted = self._admitted[subnet.urn]
        found = NO_ADDRESSES
        for protocol in rule.protocols:
            found |= admitted.get(protocol, PortMap()).addresses(rule.ports)
        return found


def _with_groups(endpoint: Endpoint, extra: Iterable[GroupSet]) -> Endpoint:
    """The endpoint with security groups that separate resources attach to it."""
    keys, unknowns = endpoint.groups.keys, endpoint.groups.unknowns
    for groups in extra:
        keys, unknowns = (*keys, *groups.keys), (*unknowns, *groups.unknowns)
    if (keys, unknowns) == (endpoint.groups.keys, endpoint.groups.unknowns):
        return endpoint
    return replace(endpoint, groups=GroupSet(tuple(dict.fromkeys(keys)), unknowns, loose=endpoint.groups.loose))


def _with_subnets(endpoint: Endpoint, extra: Subnets | None) -> Endpoint:
    """The endpoint with subnets that separate resources assign to it."""
    if extra is None:
        return endpoint
    declared = () if endpoint.resource.value(endpoint.subnet_property) is None else endpoint.subnet_unknowns
    found = {subnet.urn: subnet for subnet in (*endpoint.subnets, *extra.ordered())}
    ordered = tuple(found[urn] for urn in sorted(found))
    return replace(endpoint, subnets=ordered, subnet_unknowns=(*declared, *extra.unknowns))


def has_v6(endpoint: Endpoint, subnet: Resource) -> bool:
    """Whether an endpoint may have an IPv6 address in a subnet."""
    return endpoint.v6 and subnet.value("ipv6CidrBlock") not in (None, "")
