"""One stack for each row of the placement table, made from what the SDK says about the type and not from the row.

Every property by which AWS takes security groups, subnets or a public address is set: an open group, public subnets, a
public address. A property that the row does not name, or misspells, is then missing from the claim.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from policies.guardrails.topology.graph.values import Value
from policies.guardrails.topology.reachability.evaluation import reachability
from tests.policies.sdk_schema import Property, settable, tokens
from tests.topology.builders import Ref, Stack

GROUPS = frozenset(
    {
        "customSecurityGroupId",
        "emrManagedMasterSecurityGroup",
        "securityGroupId",
        "securityGroupIds",
        "securityGroups",
        "vpcSecurityGroupIds",
        "workspaceSecurityGroupId",
    }
)
SUBNETS = frozenset({"subnets", "subnetId", "subnetIds", "vpcSubnetIds", "clientSubnets"})
SUBNET_GROUPS = frozenset(
    {
        "subnetGroupName",
        "dbSubnetGroupName",
        "neptuneSubnetGroupName",
        "clusterSubnetGroupName",
        "replicationSubnetGroupId",
    }
)
PUBLIC: dict[str, Value] = {
    "publiclyAccessible": True,
    "assignPublicIp": True,
    "publicAddressAllocationIds": ["eipalloc-1"],
    "publicAccess": {"type": "SERVICE_PROVIDED_EIPS"},
    "webserverAccessMode": "PUBLIC_ONLY",
}
ANY_SUBNET = frozenset({"eks.Cluster"})
"""AWS asks for public and private subnets, and its network interfaces never have public addresses."""
SUBJECT = "subject"


@dataclass
class Case:
    """A stack with one exposed resource, and what about it is open."""

    stack: Stack
    groups: bool = False
    subnets: bool = False
    public: bool = False
    set: dict[str, Any] = field(default_factory=dict[str, Any])


def open_group(kind: str) -> Case:
    """The case of one resource type."""
    case = Case(_public_network())
    case.set = _filled(case, kind, settable(kind))
    if kind == "ec2.VpcEndpoint":
        case.set["vpcEndpointType"] = "Interface"
    if not case.groups:
        _opened_by_default(case.stack)
    case.stack.add(kind, SUBJECT, **case.set)
    return case


def missing(kind: str) -> list[str]:
    """What the claim about the case's resource does not say although it is open; every row of the table says all."""
    case = open_group(kind)
    claims = [item for item in reachability(case.stack.graph()).claims if item.subject.endswith(f"::{SUBJECT}")]
    findings = [finding for claim in claims for finding in claim.findings]
    said = {
        "a claim": bool(claims),
        "the open group": any("allows internet traffic" in finding.what for finding in findings),
        "the public subnet": not case.subnets
        or kind in ANY_SUBNET
        or any("public subnet" in finding.what for finding in findings),
        "the public address": not case.public or any(finding.what.startswith("gives") for finding in findings),
        "the path from the internet": not case.public or any(finding.witness for finding in findings),
    }
    return [name for name, found in said.items() if not found]


def _public_network() -> Stack:
    stack = Stack()
    vpc = stack.add("ec2.Vpc", "vpc", cidrBlock="10.0.0.0/16")
    stack.add("ec2.InternetGateway", "igw", vpcId=vpc)
    stack.add("ec2.RouteTable", "public", vpcId=vpc)
    stack.add("ec2.Route", "out", routeTableId=Ref("public"), destinationCidrBlock="0.0.0.0/0", gatewayId=Ref("igw"))
    for name in ("one", "two"):
        stack.add("ec2.Subnet", name, vpcId=vpc, cidrBlock=f"10.0.{len(stack.entries)}.0/24")
        stack.add("ec2.RouteTableAssociation", f"{name}-table", subnetId=Ref(name), routeTableId=Ref("public"))
    everything = [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}]
    stack.add("ec2.SecurityGroup", "open", vpcId=vpc, ingress=everything)
    return stack


def _opened_by_default(stack: Stack) -> None:
    """Without a property for groups, a resource has the default group of its VPC."""
    stack.add("ec2.DefaultSecurityGroup", "default", vpcId=Ref("vpc"), ingress=stack["open"]["ingress"])


def _filled(case: Case, kind: str, level: dict[str, Property]) -> dict[str, Any]:
    """Every property of a level that is about groups, subnets or public addresses, with an exposing value."""
    found: dict[str, Any] = {}
    for name, item in level.items():
        value = _value(case, kind, name, item)
        if value is None and item.nested and name not in PUBLIC:
            inner = _filled(case, kind, item.nested)
            value = ([inner] if item.many else inner) if inner else None
        if value is not None:
            found[name] = value
    return found


def _value(case: Case, kind: str, name: str, item: Property) -> Value:
    if name in GROUPS:
        case.groups = True
        return [Ref("open")] if item.many else Ref("open")
    if name in SUBNETS:
        case.subnets = True
        return [Ref("one"), Ref("two")] if item.many else Ref("one")
    if name in SUBNET_GROUPS:
        return _subnet_group(case, kind)
    if name in PUBLIC:
        case.public = True
        return PUBLIC[name]
    if name == "clusterIdentifier" and kind.endswith(".ClusterInstance"):
        return _cluster(case, kind)
    return None


def _subnet_group(case: Case, kind: str) -> Ref:
    """The subnet group of the type's service, with the public subnets."""
    module = kind.partition(".")[0]
    (group,) = (other for other in tokens() if other.startswith(f"{module}.") and other.endswith("SubnetGroup"))
    if "subnet-group" not in case.stack.entries:
        case.stack.add(group, "subnet-group", **_filled(case, group, {"subnetIds": settable(group)["subnetIds"]}))
    return Ref("subnet-group", "id" if module == "dms" else "name")


def _cluster(case: Case, kind: str) -> Ref:
    """The cluster that a member belongs to; it has the subnet group unless the member names one itself."""
    cluster = f"{kind.partition('.')[0]}.Cluster"
    given = settable(cluster)
    if settable(kind).keys() & SUBNET_GROUPS:
        given = {name: item for name, item in given.items() if name not in SUBNET_GROUPS}
    case.stack.add(cluster, "cluster", **_filled(case, cluster, given))
    return Ref("cluster")
