"""A network whose Fargate tasks have no way out offers the endpoints that a task starts with.

Without ecr.api, ecr.dkr, logs and the S3 gateway a task cannot be started, and somebody would add a way out instead.

It judges stacks that make their own VPC and endpoints; which services an application calls, it cannot know.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..rule import Rule, Settings, Severity, stack_rule
from ..topology.resources import Graph, Unknown
from ..topology.verdicts import Finding, not_proven, violated

NEEDED = ("ecr.api", "ecr.dkr", "logs", "s3")
_FIX = "add aws.ec2.VpcEndpoint for each of " + ", ".join(NEEDED)


def judge(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each VPC of a stack that runs services without a NAT gateway."""
    if graph.of_type("ec2.NatGateway"):
        return
    endpoints = graph.of_type("ec2.VpcEndpoint")
    names = [(endpoint, endpoint.value("serviceName")) for endpoint in endpoints]
    unknown = [name for _, name in names if isinstance(name, Unknown)]
    for vpc in graph.of_type("ec2.Vpc"):
        for service in NEEDED:
            if any(isinstance(name, str) and name.endswith(f".{service}") for _, name in names):
                continue
            if unknown:
                yield not_proven(vpc, "", unknown, f"an endpoint for {service}", _FIX)
            else:
                yield violated(vpc, "", f"no endpoint for {service}", f"an endpoint for {service}", _FIX)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    judge,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("ecs.Service",),
    controls=("EC2.55", "EC2.56"),
)
