"""A security group rule names its protocol and the ports that it is needed for.

A wide rule exposes nothing to the internet, but it lets an intruder in the network reach every service instead of one.

The policy checks each rule separately; several narrow rules may add up to a wide one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, violated

_FIX = "name the protocol and the port"
_SCHEMA = {
    "maximumPorts": {
        "type": "integer",
        "minimum": 1,
        "default": 100,
        "description": "The number of ports that one rule may open.",
    }
}
_SINGLE = {
    "ec2.SecurityGroupRule": "protocol",
    "vpc.SecurityGroupEgressRule": "ipProtocol",
    "vpc.SecurityGroupIngressRule": "ipProtocol",
}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one rule, or the inline rules of one group."""
    limit = int(settings["maximumPorts"])
    if resource.kind in _SINGLE:
        yield from _rule(resource, "", resource.properties, _SINGLE[resource.kind], limit)
        return
    for direction in ("ingress", "egress"):
        rules = resource.items(direction)
        for index, rule in enumerate([] if isinstance(rules, Unknown) else rules):
            if isinstance(rule, Mapping):
                inline = cast("Mapping[str, Any]", rule)
                yield from _rule(resource, f"{direction}[{index}].", inline, "protocol", limit)


def _rule(resource: Resource, prefix: str, rule: Mapping[str, Any], protocol: str, limit: int) -> Iterator[Finding]:
    wanted = f"at most {limit} ports of one protocol"
    low, high = rule.get("fromPort"), rule.get("toPort")
    if str(rule.get(protocol)).lower() in ("-1", "all"):
        yield violated(resource, f"{prefix}{protocol}", "every protocol", wanted, _FIX)
    elif isinstance(low, int | float) and isinstance(high, int | float) and high - low >= limit:
        yield violated(resource, f"{prefix}toPort", f"{low:g} to {high:g}", wanted, _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("ec2.DefaultSecurityGroup", "ec2.SecurityGroup", *sorted(_SINGLE)),
    schema=_SCHEMA,
    level=Level.ADVISORY,
)
