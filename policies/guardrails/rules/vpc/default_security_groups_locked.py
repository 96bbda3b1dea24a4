"""Every VPC's default security group is managed by the stack and has no rules.

A resource created without a security group gets the default one, whose members can reach each other and the internet.

The policy checks VPCs of this stack, and existing VPCs whose default group the stack looks up.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_FIX = "add aws.ec2.DefaultSecurityGroup for the VPC, without ingress and egress"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each VPC, and each default group."""
    for vpc in graph.of_type("ec2.Vpc"):
        read = graph.referenced(vpc, "defaultSecurityGroupId", ("ec2.SecurityGroup",)).resources
        if read:
            yield from _read_group(read[0])
        elif not referring(graph, vpc, "vpcId", "ec2.DefaultSecurityGroup"):
            wanted = "a default security group without rules"
            yield violated(vpc, "defaultSecurityGroupId", "AWS's default rules", wanted, _FIX)
    for group in graph.of_type("ec2.DefaultSecurityGroup"):
        yield from _group(group)


def _read_group(group: Resource) -> Iterator[Finding]:
    """The default group of an existing VPC, as AWS returns it."""
    fix = "remove every rule of the VPC's default security group, in the stack that creates the VPC"
    for path in ("ingress", "egress"):
        found = group.items(path)
        if isinstance(found, Unknown):
            yield not_proven(group, path, [found], "no rules", fix)
        elif found:
            yield violated(group, path, found, "no rules", fix)


def _group(group: Resource) -> Iterator[Finding]:
    for path in ("ingress", "egress"):
        found = group.items(path)
        if isinstance(found, Unknown):
            # The provider answers with what it will set; what is not declared is removed by this resource type.
            if any(True for _ in group.property_dependencies.get(path, ())):
                yield not_proven(group, path, [found], "no rules", _FIX)
        elif found:
            yield violated(group, path, found, "no rules", f"remove {path}")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ec2.DefaultSecurityGroup", "ec2.Vpc"),
    controls=("EC2.2",),
)
