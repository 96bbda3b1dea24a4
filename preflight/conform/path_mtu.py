"""Path MTU discovery works between the internet and each load balancer.

A router that cannot forward a packet because it is too large reports that with ICMP type 3 code 4. If a load balancer's
security group or its subnets' network ACLs drop that message, the load balancer keeps sending packets of the same size:
clients on a path with a smaller MTU, such as a VPN, receive small responses but never large ones.

Network ACLs of another stack are not in the graph and are not checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from preflight.conform.documented.model import Json, listed
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import RecordedResource, Recording

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
GROUP, INGRESS = (
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
)
ACL, ACL_RULE = "aws:ec2/networkAcl:NetworkAcl", "aws:ec2/networkAclRule:NetworkAclRule"
ANYWHERE = "0.0.0.0/0"
UNREACHABLE, TOO_LARGE, ANY = 3, 4, -1
GROUP_SOURCE = (
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-update-security-groups.html"
)
ACL_SOURCE = "https://docs.aws.amazon.com/vpc/latest/userguide/path_mtu_discovery.html"


def findings(recording: Recording) -> list[Finding]:
    """Each security group and network ACL of an internet-facing load balancer that drops the message."""
    found: list[Finding] = []
    for balancer in recording.of_type(BALANCER):
        if balancer.inputs.get("internal") is not True and balancer.inputs.get("loadBalancerType") != "gateway":
            found += _groups(recording, balancer)
            found += _acls(recording, balancer)
    return found


def _groups(recording: Recording, balancer: RecordedResource) -> Iterator[Finding]:
    named = set(listed(balancer.inputs.get("securityGroups")))
    rules = [one.inputs for one in recording.of_type(INGRESS) if one.inputs.get("securityGroupId") in named]
    groups = [one for one in recording.of_type(GROUP) if one.id in named]
    rules += [rule for group in groups for rule in listed(group.inputs.get("ingress"))]
    if groups and not any(_admits(rule) for rule in rules):
        wanted = f"ICMP type 3 code 4 from {ANYWHERE} in a group of {balancer.name} ({GROUP_SOURCE})"
        yield _finding(recording, groups[0], "ingress", wanted)


def _acls(recording: Recording, balancer: RecordedResource) -> Iterator[Finding]:
    subnets = set(listed(balancer.inputs.get("subnets")))
    for acl in recording.of_type(ACL):
        if not subnets & set(listed(acl.inputs.get("subnetIds"))):
            continue
        for egress in (False, True):
            rules = [one.inputs for one in recording.of_type(ACL_RULE) if one.inputs.get("networkAclId") == acl.id]
            rules = [one for one in rules if (one.get("egress") is True) is egress]
            rules += listed(acl.inputs.get("egress" if egress else "ingress"))
            if not _passes(rules):
                direction = "to" if egress else "from"
                wanted = f"an entry for ICMP type 3 code 4 {direction} {ANYWHERE} ({ACL_SOURCE})"
                yield _finding(recording, acl, "egress" if egress else "ingress", wanted)


def _admits(rule: Json) -> bool:
    """Whether a rule of a group admits the message from anywhere."""
    protocol = str(rule.get("ipProtocol", rule.get("protocol"))).lower()
    blocks = [rule.get("cidrIpv4"), *listed(rule.get("cidrBlocks"))]
    types = (rule.get("fromPort", ANY), rule.get("toPort", ANY))
    return ANYWHERE in blocks and (protocol in ("-1", "all") or (protocol in ("icmp", "1") and _is_too_large(*types)))


def _passes(rules: list[Json]) -> bool:
    """Whether the first entry that matches the message allows it; AWS evaluates them by number."""
    for rule in sorted(rules, key=lambda one: int(one.get("ruleNumber", one.get("ruleNo", 0)))):
        protocol = str(rule.get("protocol")).lower()
        types = (int(rule.get("icmpType", ANY)), int(rule.get("icmpCode", ANY)))
        about = protocol in ("-1", "all") or (protocol in ("icmp", "1") and _is_too_large(*types))
        if about and rule.get("cidrBlock") == ANYWHERE:
            return str(rule.get("ruleAction", rule.get("action"))).lower() == "allow"
    return False


def _is_too_large(type_: int, code: int) -> bool:
    return type_ in (ANY, UNREACHABLE) and code in (ANY, TOO_LARGE)


def _finding(recording: Recording, resource: RecordedResource, path: str, wanted: str) -> Finding:
    return Finding(
        environment=recording.stack,
        rule="conform-path-mtu",
        verdict=Verdict.VIOLATED,
        headline=f"{resource.name}.{path} drops the routers' messages about packets that are too large: large "
        "responses never reach clients on a VPN",
        urn=resource.urn,
        found="no rule for it",
        wanted=wanted,
        fix="add the rule; the message opens no port",
        pack="conform",
        source_file=resource.source_file,
        source_line=resource.source_line,
    )
