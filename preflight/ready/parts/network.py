"""The existing network, and the endpoint services, engine versions and node types that are offered in the zones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from preflight.account.lines import Group, Line, joined
from preflight.conform.reaching.names import private_names
from preflight.ready.context import Part, ReadyContext

ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"


def existing(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The ids in ``network.existing`` exist, in one VPC and in the zones that the settings list."""
    network = context.wanted.settings.network
    if network.existing is None:
        return
    fix = f"correct network.existing in Pulumi.{context.wanted.stack}.yaml"
    vpc = network.existing.vpc_id
    found = context.account.find("ec2", "describe_vpcs", ("InvalidVpcID.NotFound",), VpcIds=[vpc])
    if found is None:
        yield group.missing("VPC", f"{vpc} does not exist", fix)
        return
    block, written = found["Vpcs"][0]["CidrBlock"], str(network.cidr_block)
    yield group.holds("VPC", block == written, f"{vpc} has the block {block}", f"{fix}: network.cidrBlock is {written}")
    for key, ids in (
        ("publicSubnetIds", network.existing.public_subnet_ids),
        ("privateSubnetIds", network.existing.private_subnet_ids),
    ):
        answer = context.account.find("ec2", "describe_subnets", ("InvalidSubnetID.NotFound",), SubnetIds=list(ids))
        places = {s["SubnetId"]: (s["VpcId"], s["AvailabilityZone"]) for s in (answer or {}).get("Subnets", [])}
        right = [places.get(i) == (vpc, zone) for i, zone in zip(ids, network.availability_zones, strict=True)]
        yield group.holds(
            key,
            all(right),
            f"{joined(ids)} are in {vpc}, one in each zone"
            if all(right)
            else f"not in {vpc} and the expected zone: {joined(i for i, ok in zip(ids, right, strict=True) if not ok)}",
            f"{fix}: one subnet of the VPC for each of {joined(network.availability_zones)}, in that order",
        )
    tables = sorted(set(network.existing.private_route_table_ids))
    answer = context.account.find(
        "ec2", "describe_route_tables", ("InvalidRouteTableID.NotFound",), RouteTableIds=tables
    )
    inside = sorted(t["RouteTableId"] for t in (answer or {}).get("RouteTables", []) if t["VpcId"] == vpc)
    yield group.holds(
        "privateRouteTableIds", inside == tables, f"in {vpc}: {joined(inside)}; wanted: {joined(tables)}", fix
    )


def endpoints(context: ReadyContext, group: Group) -> Iterator[Line]:
    """Every endpoint service exists in the region, and interface endpoints are offered in every zone of the stack."""
    zones = context.wanted.zones
    for inputs in sorted(context.wanted.inputs(ENDPOINT), key=lambda inputs: str(inputs["serviceName"])):
        name = str(inputs["serviceName"])
        answer = context.account.find(
            "ec2", "describe_vpc_endpoint_services", ("InvalidServiceName",), ServiceNames=[name]
        )
        kind = str(inputs.get("vpcEndpointType", "Gateway"))
        details = [
            d
            for d in (answer or {}).get("ServiceDetails", [])
            if d["ServiceName"] == name and kind in [t["ServiceType"] for t in d.get("ServiceType", [])]
        ]
        lost = (
            [] if kind == "Gateway" or not details else [z for z in zones if z not in details[0]["AvailabilityZones"]]
        )
        yield group.holds(
            name,
            bool(details) and not lost,
            (f"{kind} is not offered in {joined(lost)}" if lost else f"{kind} is offered in every zone")
            if details
            else f"the region has no {kind} endpoint of this name",
            "have its owner allow this account and offer it in these zones (docs/models.md), or correct endpointService"
            if name.startswith("com.amazonaws.vpce.")
            else f"choose zones or a region that have it in Pulumi.{context.wanted.stack}.yaml",
        )
        if name.endswith(".bedrock-mantle") and details:
            yield _private_name(group, name, details[0])


def _private_name(group: Group, name: str, details: Mapping[str, Any]) -> Line:
    """The private name of bedrock-mantle, which AWS's SDKs do not state: the proxy resolves it."""
    _, _, region, service = name.split(".", 3)
    (wanted,) = private_names(service, region)
    found = sorted(str(one["PrivateDnsName"]) for one in details.get("PrivateDnsNames", []))
    return group.holds(
        f"private name of {name}",
        wanted in found,
        f"{joined(found) or 'none'}; the proxy calls {wanted}",
        "report it: the name is in components/network/endpoint_services.py and assembly/task.py",
    )


def database(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The database's instance class can be ordered with its engine version in the zones of its instances.

    The version is set on the cluster only: Aurora instances use their cluster's version.
    """
    versions = {
        c["clusterIdentifier"]: str(c["engineVersion"]) for c in context.wanted.inputs("aws:rds/cluster:Cluster")
    }
    instances = context.wanted.inputs("aws:rds/clusterInstance:ClusterInstance")
    for engine, version, size in sorted(
        {(i["engine"], versions[i["clusterIdentifier"]], i["instanceClass"]) for i in instances}
    ):
        options = context.account.every(
            "rds",
            "describe_orderable_db_instance_options",
            "OrderableDBInstanceOptions",
            Engine=engine,
            DBInstanceClass=size,
        )
        fitting = [o for o in options if o["EngineVersion"] == version or o["EngineVersion"].startswith(f"{version}.")]
        offered = {z["Name"] for option in fitting for z in option.get("AvailabilityZones", [])}
        zones = sorted({str(i["availabilityZone"]) for i in instances if i.get("availabilityZone")})
        lost = [zone for zone in zones if zone not in offered]
        yield group.holds(
            f"{engine} {version} on {size}",
            bool(fitting) and not lost,
            f"can be ordered in {joined(sorted(offered))}"
            if fitting
            else f"cannot be ordered; versions for {size}: {joined(sorted({o['EngineVersion'] for o in options}))}",
            "choose other zones, or a region that has it: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/"
            "Concepts.Aurora_Fea_Regions_DB-eng.Feature.ServerlessV2.html",
        )


def cache(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The cache's engine version exists, and its node type is offered in the region."""
    for inputs in context.wanted.inputs("aws:elasticache/replicationGroup:ReplicationGroup"):
        engine, version, node = inputs["engine"], str(inputs["engineVersion"]), inputs["nodeType"]
        known = context.account.every(
            "elasticache", "describe_cache_engine_versions", "CacheEngineVersions", Engine=engine
        )
        versions = sorted({str(v["EngineVersion"]) for v in known})
        yield group.holds(
            f"{engine} {version}",
            any(v == version or v.startswith(f"{version}.") for v in versions),
            f"the region has {engine} {joined(versions)}",
            f"choose a region that has {engine} {version}",
        )
        offers = context.account.every(
            "elasticache", "describe_reserved_cache_nodes_offerings", "ReservedCacheNodesOfferings", CacheNodeType=node
        )
        # No call lists the node types of a region. A type that can be reserved exists; others may exist as well.
        if offers:
            yield group.ok(node, "is offered in the region")
        else:
            yield group.cannot_tell(
                node,
                "the region offers no reservation for this node type",
                "check in the console's list of node types that the region has it, or change data.cache.nodeType",
            )


PART = Part(
    "network and engines",
    (
        ("existing network", existing),
        ("endpoint services", endpoints),
        ("database", database),
        ("cache", cache),
    ),
)
