"""The resources with network interfaces, and their subnets, security groups and addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from policies.guardrails.topology.graph.resources import Resource

from .model import AWS_PORTS, LINUX_PORTS, PortRange
from .records import Records, count, flag, number, text, texts, value

INSTANCES = ("ec2.Instance", "ec2.SpotInstanceRequest")


@dataclass(frozen=True, slots=True)
class Place:
    """The interfaces of one resource: ``each`` of them in every listed subnet."""

    resource: Resource
    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    public: bool | None = False
    """Whether it has a public IPv4 address; ``None``: as the subnet assigns them (mapPublicIpOnLaunch)."""
    v6: bool | None = True
    """Whether it gets an IPv6 address if its subnet has a block; ``None``: as the subnet assigns them."""
    each: int = 1
    v4: str = ""
    stands_for: tuple[str, ...] = ()
    source_ports: PortRange = LINUX_PORTS
    guarded: bool = True
    accepts: bool = True
    vpc: str = ""
    """The VPC's id if the resource names no subnet."""


def places(records: Records, tasks: int) -> Iterator[Place]:
    """Yield every resource with interfaces; each service has ``tasks`` tasks in each of its subnets."""
    for kind in sorted(_KINDS):
        for resource in records.of(kind):
            place = _KINDS[kind](records, resource)
            if place is not None:
                yield _repeated(place, tasks) if kind in ("ecs.Service", "ecs.TaskSet") else place


def read_kinds() -> frozenset[str]:
    """The resource types whose interfaces the plan contains."""
    return frozenset(_KINDS)


def _repeated(place: Place, tasks: int) -> Place:
    return Place(place.resource, place.subnets, place.groups, place.public, each=tasks)


def _service(records: Records, resource: Resource) -> Place | None:
    del records
    if value(resource, "networkConfiguration") is None:
        return None
    where = "networkConfiguration."
    subnets, groups = texts(resource, f"{where}subnets"), texts(resource, f"{where}securityGroups")
    return Place(resource, subnets, groups, flag(resource, f"{where}assignPublicIp"))


def _function(records: Records, resource: Resource) -> Place | None:
    del records
    if not texts(resource, "vpcConfig.subnetIds"):
        return None
    subnets, groups = texts(resource, "vpcConfig.subnetIds"), texts(resource, "vpcConfig.securityGroupIds")
    v6 = flag(resource, "vpcConfig.ipv6AllowedForDualStack")
    return Place(resource, subnets, groups, v6=v6, source_ports=AWS_PORTS, accepts=False)


def _balancer(records: Records, resource: Resource) -> Place | None:
    del records
    subnets = texts(resource, "subnets") or tuple(
        text(resource, f"subnetMappings[{index}].subnetId") for index in range(count(resource, "subnetMappings"))
    )
    groups = texts(resource, "securityGroups")
    network = text(resource, "loadBalancerType") in ("network", "gateway")
    return Place(
        resource,
        subnets,
        groups,
        public=not flag(resource, "internal"),
        v6=text(resource, "ipAddressType").startswith("dualstack"),
        source_ports=AWS_PORTS,
        guarded=bool(groups) or not network,
    )


def _subnet_group(records: Records, name: str, kind: str) -> tuple[str, ...]:
    group = records.named(name, kind)
    return () if group is None else texts(group, "subnetIds")


def _database(records: Records, resource: Resource) -> Place | None:
    subnets = _subnet_group(records, text(resource, "dbSubnetGroupName"), "rds.SubnetGroup")
    groups, public = texts(resource, "vpcSecurityGroupIds"), flag(resource, "publiclyAccessible")
    one = _in_zone(records, subnets, text(resource, "availabilityZone"), 0)
    return Place(resource, one, groups, public, v6=text(resource, "networkType").upper() == "DUAL")


def _cluster(records: Records, resource: Resource) -> Place | None:
    """A cluster's interfaces are its instances'; without any, it stands alone in its first subnet."""
    identifiers = {text(resource, "id"), text(resource, "clusterIdentifier")} - {""}
    if any(text(other, "clusterIdentifier") in identifiers for other in records.of("rds.ClusterInstance")):
        return None
    subnets = _subnet_group(records, text(resource, "dbSubnetGroupName"), "rds.SubnetGroup")
    v6 = text(resource, "networkType").upper() == "DUAL"
    return Place(resource, subnets[:1], texts(resource, "vpcSecurityGroupIds"), v6=v6)


def _cluster_instance(records: Records, resource: Resource) -> Place | None:
    cluster = records.named(text(resource, "clusterIdentifier"), "rds.Cluster")
    if cluster is None:
        return None
    named = text(resource, "dbSubnetGroupName") or text(cluster, "dbSubnetGroupName")
    siblings = [
        other.urn
        for other in records.of("rds.ClusterInstance")
        if text(other, "clusterIdentifier") == text(resource, "clusterIdentifier")
    ]
    subnets = _subnet_group(records, named, "rds.SubnetGroup")
    one = _in_zone(records, subnets, text(resource, "availabilityZone"), siblings.index(resource.urn))
    public, groups = flag(resource, "publiclyAccessible"), texts(cluster, "vpcSecurityGroupIds")
    v6 = text(cluster, "networkType").upper() == "DUAL"
    return Place(resource, one, groups, public, v6=v6, stands_for=(cluster.urn,))


def _in_zone(records: Records, subnets: tuple[str, ...], zone: str, index: int) -> tuple[str, ...]:
    """The subnet of a zone; without one, they take turns."""
    for identifier in subnets if zone else ():
        subnet = records.named(identifier, "ec2.Subnet")
        if subnet is not None and text(subnet, "availabilityZone") == zone:
            return (identifier,)
    return (subnets[index % len(subnets)],) if subnets else ()


def _cache(records: Records, resource: Resource) -> Place | None:
    subnets = _subnet_group(records, text(resource, "subnetGroupName"), "elasticache.SubnetGroup")
    nodes = number(resource, "numCacheClusters") or number(resource, "numCacheNodes") or 1
    shards = number(resource, "numNodeGroups")
    if shards and not number(resource, "numCacheClusters"):
        nodes = shards * (1 + number(resource, "replicasPerNodeGroup"))
    turns = tuple(subnets[index % len(subnets)] for index in range(nodes)) if subnets else ()
    v6 = text(resource, "networkType") in ("dual_stack", "ipv6")
    return Place(resource, turns, texts(resource, "securityGroupIds"), v6=v6)


def _listed(subnets: str, groups: str) -> Callable[[Records, Resource], Place | None]:
    """A resource that names its subnets and groups itself and has one interface in each subnet."""

    def place(records: Records, resource: Resource) -> Place | None:
        del records
        return Place(resource, texts(resource, subnets), texts(resource, groups), v6=False)

    return place


def _endpoint(records: Records, resource: Resource) -> Place | None:
    if text(resource, "vpcEndpointType") != "Interface":
        return None
    own = text(resource, "id")
    subnets, groups = texts(resource, "subnetIds"), texts(resource, "securityGroupIds")
    for association in records.of("ec2.VpcEndpointSubnetAssociation"):
        if text(association, "vpcEndpointId") == own:
            subnets += texts(association, "subnetId")
    for association in records.of("ec2.SecurityGroupAssociation"):
        if text(association, "vpcEndpointId") == own:
            groups += texts(association, "securityGroupId")
    v6 = text(resource, "ipAddressType") in ("dualstack", "ipv6")
    return Place(resource, tuple(dict.fromkeys(subnets)), groups, v6=v6)


def _instance(records: Records, resource: Resource) -> Place | None:
    if not text(resource, "subnetId"):
        return None  # its interface is a separate resource, or it is in a default VPC
    groups = texts(resource, "vpcSecurityGroupIds") + _attached_groups(
        records, text(resource, "primaryNetworkInterfaceId"), text(resource, "id")
    )
    public: bool | None = None
    if value(resource, "associatePublicIpAddress") is not None and resource.declares("associatePublicIpAddress"):
        public = flag(resource, "associatePublicIpAddress")
    if _elastic(records, resource, "instance", "instanceId"):
        public = True
    v4 = text(resource, "privateIp") if resource.declares("privateIp") else ""
    return Place(resource, (text(resource, "subnetId"),), groups, public, v6=_asks_v6(resource), v4=v4)


def _interface(records: Records, resource: Resource) -> Place | None:
    groups = texts(resource, "securityGroups") + _attached_groups(records, text(resource, "id"))
    public = _elastic(records, resource, "networkInterface", "networkInterfaceId")
    given = texts(resource, "privateIps") if resource.declares("privateIps") else ()
    v4 = given[0] if given else text(resource, "privateIp") if resource.declares("privateIp") else ""
    return Place(resource, (text(resource, "subnetId"),), groups, public, v6=_asks_v6(resource), v4=v4)


def _asks_v6(resource: Resource) -> bool | None:
    """Whether an interface asks for an IPv6 address itself."""
    asked = resource.declares("ipv6Addresses") or resource.declares("ipv6AddressCount")
    return True if asked and (texts(resource, "ipv6Addresses") or number(resource, "ipv6AddressCount")) else None


def _attached_groups(records: Records, *interfaces: str) -> tuple[str, ...]:
    return tuple(
        text(attachment, "securityGroupId")
        for attachment in records.of("ec2.NetworkInterfaceSecurityGroupAttachment")
        if text(attachment, "networkInterfaceId") in interfaces
    )


def _elastic(records: Records, holder: Resource, at_address: str, at_association: str) -> bool:
    own = text(holder, "id")
    return any(text(address, at_address) == own for address in records.of("ec2.Eip")) or any(
        text(association, at_association) == own for association in records.of("ec2.EipAssociation")
    )


def _nat(records: Records, resource: Resource) -> Place | None:
    del records
    public = text(resource, "connectivityType") != "private"
    return Place(resource, texts(resource, "subnetId"), (), public, source_ports=AWS_PORTS, guarded=False, v6=False)


_KINDS: Mapping[str, Callable[[Records, Resource], Place | None]] = {
    "ec2.Instance": _instance,
    "ec2.NatGateway": _nat,
    "ec2.NetworkInterface": _interface,
    "ec2.SpotInstanceRequest": _instance,
    "ec2.VpcEndpoint": _endpoint,
    "ecs.Service": _service,
    "ecs.TaskSet": _service,
    "efs.MountTarget": _listed("subnetId", "securityGroups"),
    "elasticache.Cluster": _cache,
    "elasticache.ReplicationGroup": _cache,
    "elasticache.ServerlessCache": _listed("subnetIds", "securityGroupIds"),
    "lambda.Function": _function,
    "lb.LoadBalancer": _balancer,
    "rds.Cluster": _cluster,
    "rds.ClusterInstance": _cluster_instance,
    "rds.Instance": _database,
    "rds.Proxy": _listed("vpcSubnetIds", "vpcSecurityGroupIds"),
}
