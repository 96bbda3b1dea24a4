"""Subnets that hold tasks, functions, databases or VPC endpoints have no route to the internet.

Without a route, a wrong security group rule cannot send data to the internet, and no response can reach it. A NAT
gateway is such a route; it is allowed in a VPC without the VPC endpoints that replace it, because
vpc-upstream-egress-declared limits its use.

The policy checks routes of this stack; it cannot see whether a network behind a peering connection or transit gateway
forwards traffic to the internet.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, hop, not_proven, violated
from ...topology.network.addresses import INTERNET, describe_public, parse
from ...topology.network.routing import SUBNETS, TABLES

_WANTED = "no route to the internet"
_FIX = "remove the route, or move the workload to a subnet without one; reach AWS through VPC endpoints"
_WAYS = ("gatewayId", "natGatewayId", "egressOnlyGatewayId")
_DESTINATIONS = ("destinationCidrBlock", "destinationIpv6CidrBlock", "cidrBlock", "ipv6CidrBlock")
_SUBNETS = {
    "docdb.SubnetGroup": "subnetIds",
    "ec2.VpcEndpoint": "subnetIds",
    "ecs.Service": "networkConfiguration.subnets",
    "ecs.TaskSet": "networkConfiguration.subnets",
    "efs.MountTarget": "subnetId",
    "elasticache.ServerlessCache": "subnetIds",
    "elasticache.SubnetGroup": "subnetIds",
    "lambda.Function": "vpcConfig.subnetIds",
    "memorydb.SubnetGroup": "subnetIds",
    "neptune.SubnetGroup": "subnetIds",
    "rds.SubnetGroup": "subnetIds",
    "redshift.SubnetGroup": "subnetIds",
}
_SCHEMA = {
    "nat": {
        "type": "string",
        "enum": ["forbid", "allow", "without endpoints"],
        "default": "without endpoints",
        "description": "Whether a NAT or egress-only gateway is allowed where security groups limit egress. With "
        "'without endpoints', it is allowed unless the VPC has interface endpoints for the services "
        "that a task needs to start.",
    }
}
_STARTING = ("ecr.api", "ecr.dkr", "logs")


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each route in each route table of a subnet that contains a workload."""
    closed = settings["nat"] == "forbid" or (settings["nat"] == "without endpoints" and _is_closed(graph))
    ways = _WAYS if closed else _WAYS[:1]
    held = _held(graph)
    routes = _routes(graph)
    for association in graph.of_type("ec2.RouteTableAssociation"):
        subnets = [s for s in graph.referenced(association, "subnetId", SUBNETS) if s.urn in held]
        if not subnets:
            continue
        for table in graph.referenced(association, "routeTableId", TABLES):
            for route, prefix in routes.get(table.urn, ()):
                yield from _route(route, prefix, ways, held[subnets[0].urn], association)


def _is_closed(graph: Graph) -> bool:
    """Whether the VPC is built to work without a route to the internet: tasks start through its VPC endpoints."""
    names = [endpoint.value("serviceName") for endpoint in graph.of_type("ec2.VpcEndpoint")]
    return all(any(isinstance(name, str) and name.endswith(f".{part}") for name in names) for part in _STARTING)


def _held(graph: Graph) -> dict[str, Resource]:
    """Subnet → the first workload in it."""
    found: dict[str, Resource] = {}
    for workload in graph.of_type(*_SUBNETS):
        for subnet in graph.referenced(workload, _SUBNETS[workload.kind], SUBNETS):
            found.setdefault(subnet.urn, workload)
    return found


def _routes(graph: Graph) -> dict[str, list[tuple[Resource, str]]]:
    """Route table → its routes, each as a resource and the prefix of its properties."""
    found: dict[str, list[tuple[Resource, str]]] = {}
    for table in graph.of_type(*TABLES):
        inline = table.items("routes")
        count = 0 if isinstance(inline, Unknown) else len(inline)
        found[table.urn] = [(table, f"routes[{index}].") for index in range(count)]
    for route in graph.of_type("ec2.Route"):
        for table in graph.referenced(route, "routeTableId", TABLES):
            found.setdefault(table.urn, []).append((route, ""))
    return found


def _route(
    route: Resource, prefix: str, ways: tuple[str, ...], workload: Resource, association: Resource
) -> Iterator[Finding]:
    used = [way for way in ways if route.value(f"{prefix}{way}") not in (None, "")]
    gateway = route.value(f"{prefix}gatewayId")
    if not used or (used == ["gatewayId"] and isinstance(gateway, str) and not gateway.startswith("igw-")):
        return
    place = f"{prefix}{used[0]}"
    for name in _DESTINATIONS:
        block = route.value(f"{prefix}{name}")
        if isinstance(block, Unknown):
            yield not_proven(route, f"{prefix}{name}", [block], _WANTED, _FIX)
        elif isinstance(block, str) and (parsed := parse(block)) and parsed & INTERNET:
            witness = (hop(workload), hop(association, "routeTableId"), hop(route, place, block))
            yield violated(
                route,
                place,
                block,
                _WANTED,
                _FIX,
                what=f"adds a route to {describe_public(parsed)} to a workload's subnet",
                witness=witness,
            )


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ec2.Route", "ec2.RouteTable", "ec2.DefaultRouteTable"),
    controls=("RDS.46",),
    schema=_SCHEMA,
)
