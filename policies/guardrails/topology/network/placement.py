"""The placement of each resource with network interfaces: its subnets, its security groups, and whether it has a public
address.

One row per resource type lists the property of each of the three. Instances, groups of instances and network
interfaces, which spread them over several resources, have their own functions in ``instances``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..graph.resources import Graph, Resource
from ..graph.values import Unknown
from .routing import SUBNETS
from .security_groups import GroupSet, SecurityGroups


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """Whether a resource gets a public IPv4 address (``None``: not known), and the property that determines it."""

    value: bool | None
    resource: Resource
    property: str = ""
    unknowns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedResource:
    """A resource with network interfaces, and its placement in the network."""

    resource: Resource
    role: str
    subnets: tuple[Resource, ...]
    subnet_property: str
    subnet_unknowns: tuple[str, ...]
    loose: bool
    """Whether the resource might use only some of these subnets, because the list is not known yet."""
    groups: GroupSet
    group_property: str
    public: PublicAddress
    accepts: bool = True
    """Whether it accepts connections; a function in a VPC does not."""


@dataclass(frozen=True, slots=True)
class _SubnetGroup:
    """A named group of subnets between a resource and its subnets."""

    property: str
    kind: str
    keys: tuple[str, ...] = ("name", "id", "arn")
    subnets: str = "subnetIds"


@dataclass(frozen=True, slots=True)
class Row:
    """The properties in which AWS stores the subnets, the groups and the public address of one resource type."""

    role: str
    subnets: str = ""
    via: _SubnetGroup | None = None
    groups: str = ""
    public: str = ""
    public_default: bool = False
    accepts: bool = True
    owner: tuple[str, str, tuple[str, ...]] | None = None
    """Property, type and keys of the resource from which this one inherits settings."""
    required: str = ""
    """Without this property, the resource has no network interface."""
    in_any_subnet: bool = False
    """Its interfaces never have public addresses, although AWS requires public and private subnets."""


def _by_name(kind: str, property_: str = "subnetGroupName", subnets: str = "subnetIds") -> _SubnetGroup:
    return _SubnetGroup(property_, kind, subnets=subnets)


_RDS_SUBNETS = _by_name("rds.SubnetGroup", "dbSubnetGroupName")
_RDS_OWNER = ("clusterIdentifier", "rds.Cluster", ("clusterIdentifier", "id", "arn"))
_DOCDB_OWNER = ("clusterIdentifier", "docdb.Cluster", ("clusterIdentifier", "id", "arn"))
_NEPTUNE_OWNER = ("clusterIdentifier", "neptune.Cluster", ("clusterIdentifier", "id", "arn"))

ROWS: dict[str, Row] = {
    "ecs.Service": Row(
        "service", "networkConfiguration.subnets", groups="networkConfiguration.securityGroups",
        public="networkConfiguration.assignPublicIp", required="networkConfiguration",
    ),
    "ecs.TaskSet": Row(
        "service", "networkConfiguration.subnets", groups="networkConfiguration.securityGroups",
        public="networkConfiguration.assignPublicIp", required="networkConfiguration",
    ),
    "cloudwatch.EventTarget": Row(
        "scheduled task", "ecsTarget.networkConfiguration.subnets", groups="ecsTarget.networkConfiguration.securityGroups",
        public="ecsTarget.networkConfiguration.assignPublicIp", required="ecsTarget.networkConfiguration",
    ),
    "scheduler.Schedule": Row(
        "scheduled task", "target.ecsParameters.networkConfiguration.subnets",
        groups="target.ecsParameters.networkConfiguration.securityGroups",
        public="target.ecsParameters.networkConfiguration.assignPublicIp",
        required="target.ecsParameters.networkConfiguration",
    ),
    "lambda.Function": Row(
        "function", "vpcConfig.subnetIds", groups="vpcConfig.securityGroupIds", accepts=False, required="vpcConfig",
    ),
    "rds.Instance": Row("database", via=_RDS_SUBNETS, groups="vpcSecurityGroupIds", public="publiclyAccessible"),
    "rds.Cluster": Row("database", via=_RDS_SUBNETS, groups="vpcSecurityGroupIds", public="publiclyAccessible"),
    "rds.ClusterInstance": Row("database", via=_RDS_SUBNETS, public="publiclyAccessible", owner=_RDS_OWNER),
    "rds.Proxy": Row("database proxy", "vpcSubnetIds", groups="vpcSecurityGroupIds"),
    "docdb.Cluster": Row("database", via=_by_name("docdb.SubnetGroup", "dbSubnetGroupName"), groups="vpcSecurityGroupIds"),
    "docdb.ClusterInstance": Row("database", owner=_DOCDB_OWNER),
    "neptune.Cluster": Row(
        "database", via=_by_name("neptune.SubnetGroup", "neptuneSubnetGroupName"), groups="vpcSecurityGroupIds",
    ),
    "neptune.ClusterInstance": Row(
        "database", via=_by_name("neptune.SubnetGroup", "neptuneSubnetGroupName"), public="publiclyAccessible",
        owner=_NEPTUNE_OWNER,
    ),
    "redshift.Cluster": Row(
        "database", via=_by_name("redshift.SubnetGroup", "clusterSubnetGroupName"), groups="vpcSecurityGroupIds",
        public="publiclyAccessible",
    ),
    "redshiftserverless.Workgroup": Row(
        "database", "subnetIds", groups="securityGroupIds", public="publiclyAccessible",
    ),
    "timestreaminfluxdb.DbInstance": Row(
        "database", "vpcSubnetIds", groups="vpcSecurityGroupIds", public="publiclyAccessible",
    ),
    "dms.ReplicationInstance": Row(
        "replication instance",
        via=_SubnetGroup("replicationSubnetGroupId", "dms.ReplicationSubnetGroup", ("replicationSubnetGroupId", "id")),
        groups="vpcSecurityGroupIds", public="publiclyAccessible",
    ),
    "elasticache.Cluster": Row("cache", via=_by_name("elasticache.SubnetGroup"), groups="securityGroupIds"),
    "elasticache.ReplicationGroup": Row("cache", via=_by_name("elasticache.SubnetGroup"), groups="securityGroupIds"),
    "elasticache.ServerlessCache": Row("cache", "subnetIds", groups="securityGroupIds"),
    "memorydb.Cluster": Row("cache", via=_by_name("memorydb.SubnetGroup"), groups="securityGroupIds"),
    "dax.Cluster": Row("cache", via=_by_name("dax.SubnetGroup"), groups="securityGroupIds"),
    "efs.MountTarget": Row("file system", "subnetId", groups="securityGroups"),
    "fsx.LustreFileSystem": Row("file system", "subnetIds", groups="securityGroupIds"),
    "fsx.OpenZfsFileSystem": Row("file system", "subnetIds", groups="securityGroupIds"),
    "fsx.OntapFileSystem": Row("file system", "subnetIds", groups="securityGroupIds"),
    "fsx.WindowsFileSystem": Row("file system", "subnetIds", groups="securityGroupIds"),
    "ec2.VpcEndpoint": Row("interface VPC endpoint", "subnetIds", groups="securityGroupIds"),
    "mq.Broker": Row("broker", "subnetIds", groups="securityGroups", public="publiclyAccessible"),
    "msk.Cluster": Row(
        "broker", "brokerNodeGroupInfo.clientSubnets", groups="brokerNodeGroupInfo.securityGroups",
        public="brokerNodeGroupInfo.connectivityInfo.publicAccess.type",
    ),
    "opensearch.Domain": Row("search domain", "vpcOptions.subnetIds", groups="vpcOptions.securityGroupIds", required="vpcOptions"),
    "elasticsearch.Domain": Row("search domain", "vpcOptions.subnetIds", groups="vpcOptions.securityGroupIds", required="vpcOptions"),
    "eks.Cluster": Row(
        "cluster", groups="vpcConfig.securityGroupIds", required="vpcConfig", in_any_subnet=True,
    ),
    "eks.NodeGroup": Row("node group", "subnetIds"),
    "route53.ResolverEndpoint": Row("resolver endpoint", "ipAddresses", groups="securityGroupIds"),
    "sagemaker.NotebookInstance": Row("notebook", "subnetId", groups="securityGroups", required="subnetId"),
    "mwaa.Environment": Row(
        "workflow environment", "networkConfiguration.subnetIds", groups="networkConfiguration.securityGroupIds",
        public="webserverAccessMode",
    ),
}  # fmt: skip

_PUBLIC_WORDS = {
    "true": True, "false": False, "enabled": True, "disabled": False,
    "service_provided_eips": True, "public_only": True, "private_only": False,
}  # fmt: skip
"""The values of a property that mean a public address; any other value means none."""


def as_switch(value: object, default: bool) -> bool | None:
    """A property that may be a boolean or one of AWS's words for it; ``None`` if it is not known yet."""
    if isinstance(value, Unknown):
        return None
    if isinstance(value, bool):
        return value
    return _PUBLIC_WORDS.get(value.lower(), False) if isinstance(value, str) else default


@dataclass(slots=True)
class Subnets:
    """The subnets collected so far, with the reasons why they may be incomplete."""

    property: str = ""
    found: dict[str, Resource] = field(default_factory=dict[str, Resource])
    unknowns: list[str] = field(default_factory=list[str])
    loose: bool = False

    def add(self, graph: Graph, resource: Resource, path: str) -> None:
        """Add the subnets that a property refers to."""
        references = graph.referenced(resource, path, types=SUBNETS)
        self.loose |= references.loose and len(references.resources) > 1
        self.found.update((subnet.urn, subnet) for subnet in references)
        self.unknowns += [f"{resource.label}.{path} {literal}" for literal in references.external]
        self.unknowns += [f"{resource.label}.{unknown.path}" for unknown in references.unknowns]

    def ordered(self) -> tuple[Resource, ...]:
        """The subnets, sorted by URN."""
        return tuple(self.found[urn] for urn in sorted(self.found))


def place(graph: Graph, groups: SecurityGroups, resource: Resource) -> PlacedResource | None:
    """The placement of a resource in the table; ``None`` if it has no network interface."""
    row = ROWS[resource.kind]
    if row.required and resource.value(row.required) in (None, [], {}):
        return None
    if resource.kind == "ec2.VpcEndpoint" and resource.value("vpcEndpointType") in (
        None,
        "Gateway",
        "GatewayLoadBalancer",
    ):
        return None
    owner = _owner(graph, row, resource)
    subnets = Subnets() if row.in_any_subnet else _subnets(graph, row, resource)
    if not subnets.found and owner is not None:
        subnets = _subnets(graph, ROWS[owner.kind], owner)
    holder, path = (resource, row.groups) if row.groups or owner is None else (owner, ROWS[owner.kind].groups)
    found = groups.of(holder, path) if path else GroupSet(default=True)
    return PlacedResource(
        resource=resource,
        role=row.role,
        subnets=subnets.ordered(),
        subnet_property=subnets.property,
        subnet_unknowns=tuple(subnets.unknowns),
        loose=subnets.loose,
        groups=found,
        group_property=path,
        public=_public(row, resource),
        accepts=row.accepts,
    )


def _owner(graph: Graph, row: Row, resource: Resource) -> Resource | None:
    if row.owner is None:
        return None
    property_, kind, keys = row.owner
    found = graph.referenced(resource, property_, types=(kind,), keys=keys).resources
    return found[0] if found else None


def _subnets(graph: Graph, row: Row, resource: Resource) -> Subnets:
    subnets = Subnets(row.subnets or (row.via.property if row.via else ""))
    if row.via is None and row.owner is not None:
        subnets.unknowns.append(f"{resource.label}.{row.owner[0]}")
        return subnets
    if row.via is None:
        subnets.add(graph, resource, row.subnets)
        if not subnets.found and not subnets.unknowns:
            subnets.unknowns.append(f"{resource.label}.{row.subnets or 'subnets'} (not set)")
        return subnets
    named = graph.referenced(resource, row.via.property, types=(row.via.kind,), keys=row.via.keys)
    for group in named:
        subnets.add(graph, group, row.via.subnets)
    subnets.unknowns += [f"{resource.label}.{row.via.property} {literal}" for literal in named.external]
    subnets.unknowns += [f"{resource.label}.{unknown.path}" for unknown in named.unknowns]
    if not named.resources and not subnets.unknowns:
        subnets.unknowns.append(f"{resource.label}.{row.via.property} (not set: the default network's subnets)")
    return subnets


def _public(row: Row, resource: Resource) -> PublicAddress:
    if not row.public:
        return PublicAddress(False, resource)
    value = resource.value(row.public)
    switched = as_switch(value, row.public_default)
    unknowns = (f"{resource.label}.{row.public}",) if switched is None else ()
    return PublicAddress(switched, resource, row.public, unknowns)
