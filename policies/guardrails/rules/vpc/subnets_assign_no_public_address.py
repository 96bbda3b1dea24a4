"""Subnets do not assign public addresses automatically.

A resource should get a public address only because its own declaration asks for one. Load balancers do not need this
subnet setting.

The policy cannot see default subnets that a program uses without declaring them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_FIX = "set it to false; assign a public address to the one resource that needs it"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one subnet."""
    default = resource.kind == "ec2.DefaultSubnet"
    yield from expect_value(resource, "mapPublicIpOnLaunch", False, _FIX, default=default)
    if resource.value("ipv6CidrBlock") is not None or resource.value("ipv6Native") is True:
        yield from expect_value(resource, "assignIpv6AddressOnCreation", False, _FIX, default=False)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="set mapPublicIpOnLaunch to false",
    types=("ec2.DefaultSubnet", "ec2.Subnet"),
    controls=("EC2.15", "EFS.6"),
)
