"""A VPC whose Fargate tasks have no route to the internet has the VPC endpoints that a task needs to start.

A task cannot start without ecr.api, ecr.dkr, logs and the S3 gateway endpoint, and an internet route is then a tempting
workaround.

The policy checks stacks that create their endpoints; it cannot see which other services an application calls.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.network.routing import SUBNETS
from ...topology.reachability.facts.build import facts_of

NEEDED = {"ecr.api": "Interface", "ecr.dkr": "Interface", "logs": "Interface", "s3": "Gateway"}
"""Service → the type of endpoint that a task uses to reach it: image layers come through the S3 gateway endpoint only."""
_FIX = "add aws.ec2.VpcEndpoint for each of " + ", ".join(NEEDED)


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each VPC of a stack that runs services without a NAT gateway."""
    if graph.of_type("ec2.NatGateway"):
        return
    leaving = _with_a_route_out(graph)
    for vpc in graph.of_type("ec2.Vpc"):
        if vpc.urn in leaving:
            continue
        endpoints = referring(graph, vpc, "vpcId", "ec2.VpcEndpoint")
        told = [e.value(path) for e in endpoints for path in ("serviceName", "vpcEndpointType")]
        unknown = [value for value in told if isinstance(value, Unknown)]
        for service, type_ in NEEDED.items():
            wanted = f"an endpoint of type {type_} for {service}"
            if any(_serves(endpoint, service, type_) for endpoint in endpoints):
                continue
            if unknown:
                yield not_proven(vpc, "", unknown, wanted, _FIX)
            else:
                yield violated(vpc, "", f"no endpoint of type {type_} for {service}", wanted, _FIX)


def _with_a_route_out(graph: Graph) -> set[str]:
    """The VPCs of which every subnet of a service has a route out: to a gateway, another network or an inspecting endpoint."""
    routing, subnets = facts_of(graph).routing, dict[str, bool]()
    for service in graph.of_type("ecs.Service", "ecs.TaskSet"):
        for subnet in graph.referenced(service, "networkConfiguration.subnets", SUBNETS):
            if (vpc := routing.vpc_of(subnet)) is not None:
                subnets[vpc.urn] = subnets.get(vpc.urn, True) and routing.leaves(subnet)
    return {urn for urn, leaves in subnets.items() if leaves}


def _serves(endpoint: Resource, service: str, type_: str) -> bool:
    name, given = endpoint.value("serviceName"), endpoint.value("vpcEndpointType")
    of_type = "Gateway" if given is None else given  # AWS's default
    return isinstance(name, str) and name.endswith(f".{service}") and of_type == type_


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("ecs.Service",),
    controls=("EC2.55", "EC2.56"),
)
