"""A VPC with custom network ACLs and route tables also manages the default ones, and leaves them empty.

A subnet without an association gets the defaults: the default network ACL allows all traffic, and a route added to the
main route table applies to every subnet without a table.

VPCs that use only the defaults are not checked. Nothing is exposed yet, so this is advisory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import referring
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_PAIRS = (
    ("ec2.NetworkAcl", "ec2.DefaultNetworkAcl", "defaultNetworkAclId", ("ingress", "egress")),
    ("ec2.RouteTable", "ec2.DefaultRouteTable", "defaultRouteTableId", ("routes",)),
)
_FIX = "add aws.ec2.DefaultNetworkAcl without entries and aws.ec2.DefaultRouteTable without routes for the VPC"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each VPC that has custom network ACLs."""
    for vpc in graph.of_type("ec2.Vpc"):
        if not referring(graph, vpc, "vpcId", "ec2.NetworkAcl"):
            continue
        for own, default, path, contents in _PAIRS:
            taken = referring(graph, vpc, path, default, keys=(path, "id", "mainRouteTableId"))
            if referring(graph, vpc, "vpcId", own) and not taken:
                yield violated(vpc, path, "AWS's default", f"aws.{default} without contents", _FIX)
            for resource in taken:
                yield from _empty(resource, contents)


def _empty(resource: Resource, contents: tuple[str, ...]) -> Iterator[Finding]:
    for path in contents:
        found = resource.items(path)
        if isinstance(found, Unknown):
            if resource.property_dependencies.get(path):
                yield not_proven(resource, path, [found], "nothing", _FIX)
        elif found:
            yield violated(resource, path, found, "nothing", f"remove {path}")


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.LOW, remediation=_FIX, types=("ec2.Vpc",), level=Level.ADVISORY
)
