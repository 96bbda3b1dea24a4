"""A security group rule or a service's address list opens at most ports 80 and 443 to large parts of the internet.

Any other open port exposes a service that was not built to face the internet. Split ranges are added up: 0.0.0.0/1 and
128.0.0.0/1 together are the whole internet. ICMP type 3 code 4 opens no port: routers on the path use it to report that
a packet is too large, and without it VPN users may not receive large responses.

The policy checks one resource at a time. Rules in several resources, addresses of security group rules that are not known yet and
the resulting exposure are checked by the reachability-* policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import listed
from ...public_switches import spread
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.values import Unknown, Value, as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.network.addresses import (
    ICMP,
    INTERNET,
    NO_ADDRESSES,
    TOO_LARGE,
    UNREACHABLE,
    Addresses,
    describe,
    is_wide,
    parse,
    protocols,
)

_WANTED = "no public range wider than /16 (IPv6: /32), except on the ports that may be public"
_FIX = "restrict the rule to the addresses or the security group that need the port"
_PORTS = "portInfos"
_ADMITTED = ("cidrs", "ipv6Cidrs", "cidrListAliases")
_SCHEMA = {
    "ports": {
        "type": "array",
        "items": {"type": "integer"},
        "default": [80, 443],
        "description": "The ports that may be opened to the internet.",
    }
}
_SINGLE = {
    "ec2.SecurityGroupRule": ("cidrBlocks", "ipv6CidrBlocks"),
    "vpc.SecurityGroupIngressRule": ("cidrIpv4", "cidrIpv6"),
}
_INLINE = ("cidrBlocks", "ipv6CidrBlocks")
_LISTS = {
    "chime.VoiceConnectorTermination": ("cidrAllowLists[]",),
    "codepipeline.Webhook": ("authenticationConfiguration.allowedIpRange",),
    "gamelift.Fleet": ("ec2InboundPermissions[].ipRange",),
    "lightsail.InstancePublicPorts": ("portInfos[].cidrs[]", "portInfos[].ipv6Cidrs[]"),
    "medialive.InputSecurityGroup": ("whitelistRules[].cidr",),
    "sagemaker.Workforce": ("sourceIpConfig.cidrs[]",),
    "storagegateway.NfsFileShare": ("clientLists[]",),
    "workspaces.IpGroup": ("rules[].source",),
    "workspacesweb.IpAccessSettings": ("ipRules[].ipRange",),
}
"""Services with a separate address list → where its blocks are."""


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one security group with its inline rules, or one rule."""
    allowed = {int(port) for port in settings["ports"]}
    if resource.kind in _LISTS:
        yield from _listed_addresses(resource, allowed)
        return
    if resource.kind in _SINGLE:
        if resource.kind == "ec2.SecurityGroupRule" and resource.value("type") != "ingress":
            return
        protocol = "protocol" if resource.kind == "ec2.SecurityGroupRule" else "ipProtocol"
        found = _addresses(resource, "", _SINGLE[resource.kind])
        if not _within(resource.properties, protocol, allowed):
            yield from _finding(resource, _SINGLE[resource.kind][0], found)
        return
    opened, total = "", NO_ADDRESSES
    for index, rule in enumerate(listed(resource.value("ingress"))):
        if isinstance(rule, dict) and not _within(rule, "protocol", allowed):
            total |= _addresses(resource, f"ingress[{index}].", _INLINE)
            opened = opened or f"ingress[{index}].cidrBlocks"
    yield from _finding(resource, opened, total)


def _listed_addresses(resource: Resource, allowed: set[int]) -> Iterator[Finding]:
    """The address list of a service: one that is not set on a port of a Lightsail instance admits everyone."""
    opened, total = "", NO_ADDRESSES
    unclear: dict[str, Unknown] = {}
    for place, block in (item for path in _LISTS[resource.kind] for item in spread(resource, path)):
        rule = resource.value(f"{place.partition('].')[0]}]") if place.startswith(f"{_PORTS}[") else None
        if isinstance(rule, dict) and _within(rule, "protocol", allowed):
            continue
        if isinstance(block, Unknown):
            unclear.setdefault(block.path or place, block)
        elif isinstance(block, str):
            total |= parse(block) or NO_ADDRESSES
            opened = opened or place
    for index, rule in enumerate(listed(resource.value(_PORTS))):
        ports = as_mapping(rule)
        given = [ports.get(name) for name in _ADMITTED] if ports is not None else [True]
        bare = not any(isinstance(item, Unknown) or item for item in given)
        if bare and not _within(rule, "protocol", allowed):
            total |= INTERNET
            opened = opened or f"{_PORTS}[{index}].cidrs"
    found = list(_finding(resource, opened, total))
    yield from found or [not_proven(resource, place, [unknown], _WANTED, _FIX) for place, unknown in unclear.items()]


def _finding(resource: Resource, path: str, found: Addresses) -> Iterator[Finding]:
    if is_wide(found):
        yield violated(resource, path, describe(found), _WANTED, _FIX, what="is open to the internet")


def _within(rule: Value, protocol: str, allowed: set[int]) -> bool:
    low, high = rule.get("fromPort"), rule.get("toPort")
    if protocols(str(rule.get(protocol))) == (ICMP,):
        return (low, high) == (UNREACHABLE, TOO_LARGE)
    if str(rule.get(protocol)).lower() not in ("tcp", "6"):
        return False
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return False
    return set(range(int(low), min(int(high), int(low) + len(allowed)) + 1)) <= allowed


def _addresses(resource: Resource, prefix: str, paths: tuple[str, ...]) -> Addresses:
    found = NO_ADDRESSES
    for path in paths:
        for block in listed(resource.value(f"{prefix}{path}")):
            if isinstance(block, str):
                found |= parse(block) or NO_ADDRESSES
    return found


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation=_FIX,
    types=("ec2.DefaultSecurityGroup", "ec2.SecurityGroup", *sorted(_SINGLE), *sorted(_LISTS)),
    controls=("EC2.13", "EC2.14", "EC2.18", "EC2.19"),
    schema=_SCHEMA,
)
