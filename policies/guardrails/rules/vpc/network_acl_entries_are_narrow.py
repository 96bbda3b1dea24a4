"""A network ACL entry names its protocol, and does not combine well-known ports with all others in one range.

The network ACL still protects a subnet when a security group is wrong; an entry that allows all traffic removes that
protection.

Network ACLs are stateless and responses go to ephemeral ports, so wide ranges above port 1023 are needed and are not
reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, violated

_SYSTEM_PORTS = 1024
_WIDE = 100
_WANTED = "one protocol, and either a few ports or ephemeral ports"
_FIX = "name the protocol and the ports; add a separate entry for responses to ephemeral ports"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one entry, or the inline entries of a network ACL."""
    if resource.kind == "ec2.NetworkAclRule":
        yield from _entry(resource, "", resource.properties, "ruleAction")
        return
    for direction in ("ingress", "egress"):
        entries = resource.items(direction)
        for index, entry in enumerate([] if isinstance(entries, Unknown) else entries):
            if isinstance(entry, Mapping):
                yield from _entry(resource, f"{direction}[{index}].", cast("Mapping[str, Any]", entry), "action")


def _entry(resource: Resource, prefix: str, entry: Mapping[str, Any], action: str) -> Iterator[Finding]:
    if str(entry.get(action)).lower() != "allow":
        return
    low, high = entry.get("fromPort"), entry.get("toPort")
    if str(entry.get("protocol")).lower() in ("-1", "all"):
        yield violated(resource, f"{prefix}protocol", "every protocol", _WANTED, _FIX)
    elif isinstance(low, int | float) and isinstance(high, int | float) and low < _SYSTEM_PORTS and high - low >= _WIDE:
        yield violated(resource, f"{prefix}fromPort", f"{low:g} to {high:g}", _WANTED, _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("ec2.DefaultNetworkAcl", "ec2.NetworkAcl", "ec2.NetworkAclRule"),
    level=Level.ADVISORY,
)
