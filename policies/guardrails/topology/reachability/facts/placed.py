"""Every internal resource of a stack, with the groups, subnets and addresses that separate resources add to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ...entry.load_balancing import LoadBalancing
from ...graph.resources import Graph
from ...network.instances import INSTANCE_KINDS, INSTANCES, Instances
from ...network.placement import PlacedResource, PublicAddress, Subnets, place
from ...network.placement_rows import ROWS
from ...network.security_groups import GroupSet, SecurityGroups

ATTACHMENTS = (
    ("ec2.NetworkInterfaceSecurityGroupAttachment", "networkInterfaceId", (*INSTANCES, "ec2.NetworkInterface")),
    ("ec2.SecurityGroupAssociation", "vpcEndpointId", ("ec2.VpcEndpoint",)),
)


def placed_resources(
    graph: Graph, groups: SecurityGroups, balancing: LoadBalancing, instances: Instances
) -> Iterator[PlacedResource]:
    """Every resource with network interfaces, except load balancers that are certainly internet-facing."""
    extra, subnets = _attached_groups(graph, groups), _attached_subnets(graph)
    for resource in graph.of_type(*ROWS, *INSTANCE_KINDS):
        placed = instances.place(resource) if resource.kind in INSTANCE_KINDS else place(graph, groups, resource)
        if placed is not None:
            yield _with_subnets(_with_groups(placed, extra.get(resource.urn, ())), subnets.get(resource.urn))
    for balancer in balancing.balancers:
        if balancing.is_internal(balancer) is not False:
            yield PlacedResource(
                balancer, "internal load balancer", (), "", (), False, balancing.groups_of(balancer) or GroupSet(),
                "securityGroups", PublicAddress(False, balancer),
            )  # fmt: skip


def _attached_groups(graph: Graph, groups: SecurityGroups) -> dict[str, list[GroupSet]]:
    """Security groups and the resources to which separate resources attach them."""
    found: dict[str, list[GroupSet]] = {}
    for kind, path, kinds in ATTACHMENTS:
        for attachment in graph.of_type(kind):
            attached = groups.of(attachment, "securityGroupId")
            keys = ("id", "arn", "primaryNetworkInterfaceId")
            for holder in graph.referenced(attachment, path, types=kinds, keys=keys):
                found.setdefault(holder.urn, []).append(attached)
    return found


def _attached_subnets(graph: Graph) -> dict[str, Subnets]:
    """Subnets that separate resources assign to VPC endpoints."""
    found: dict[str, Subnets] = {}
    for association in graph.of_type("ec2.VpcEndpointSubnetAssociation"):
        for endpoint in graph.referenced(association, "vpcEndpointId", types=("ec2.VpcEndpoint",)):
            found.setdefault(endpoint.urn, Subnets()).add(graph, association, "subnetId")
    return found


def _with_groups(placed: PlacedResource, extra: Iterable[GroupSet]) -> PlacedResource:
    """The resource with security groups that separate resources attach to it."""
    keys, unknowns = placed.groups.keys, placed.groups.unknowns
    for groups in extra:
        keys, unknowns = (*keys, *groups.keys), (*unknowns, *groups.unknowns)
    if (keys, unknowns) == (placed.groups.keys, placed.groups.unknowns):
        return placed
    return replace(placed, groups=GroupSet(tuple(dict.fromkeys(keys)), unknowns, loose=placed.groups.loose))


def _with_subnets(placed: PlacedResource, extra: Subnets | None) -> PlacedResource:
    """The resource with subnets that separate resources assign to it."""
    if extra is None:
        return placed
    declared = () if placed.resource.value(placed.subnet_property) is None else placed.subnet_unknowns
    found = {subnet.urn: subnet for subnet in (*placed.subnets, *extra.ordered())}
    ordered = tuple(found[urn] for urn in sorted(found))
    return replace(placed, subnets=ordered, subnet_unknowns=(*declared, *extra.unknowns))
