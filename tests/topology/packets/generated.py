"""Networks as hypothesis makes them: every form in which the provider declares subnets, routes, groups and network ACLs.

Everything is something that AWS accepts. Ports and blocks come from small pools, so that rules meet each other's edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

from .recorded import Record, Recorded

T = TypeVar("T")
LISTENING = (22, 443, 8443)
"""The ports on which everything in a generated network listens."""
CLIENTS_V4 = ("8.8.8.8", "20.0.0.1", "150.1.1.1", "203.0.113.10", "203.0.113.200")
CLIENTS_V6 = ("2001:db8:ffff::10", "2600::1", "2a00::1")
"""One address of the internet from each part into which the pools of blocks below cut it."""
_INTERNET_V4 = ("0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "203.0.113.0/24", "203.0.113.0/25", "8.0.0.0/7")
_INTERNET_V6 = ("::/0", "::/0", "2000::/3", "2001:db8:ffff::/48", "2600::/12")
_PORTS = (
    (22, 22), (443, 443), (8443, 8443), (22, 443), (0, 65535), (444, 8443), (442, 8442), (1, 21), (8443, 8444), (23, 442),
)  # fmt: skip
_EPHEMERAL = ((1024, 65535), (1024, 65535), (32768, 60999), (32768, 65535), (49152, 65535), (1024, 3388), (0, 65535))
_BLOCKS = ("10.0.0.0/16", "172.20.0.0/16", "192.168.0.0/20", "100.70.0.0/16", "52.30.0.0/16")
"""The last one is no private range: a VPC may have any block, and then it is not the internet."""


@dataclass
class _Made:
    """What of one VPC later resources refer to."""

    draw: st.DrawFn
    recorded: Recorded
    vpc: Record
    v6: bool
    subnets: list[Record] = field(default_factory=list[Record])
    halves: list[str] = field(default_factory=list[str])
    """Blocks of subnets and parts of them, for rules."""
    halves_v6: list[str] = field(default_factory=list[str])
    lists: list[Record] = field(default_factory=list[Record])
    groups: list[Record] = field(default_factory=list[Record])
    count: int = 0

    def one(self, options: Sequence[T]) -> T:
        """One of several."""
        return self.draw(st.sampled_from(options))

    def chance(self, percent: int) -> bool:
        """True this often; shrinks to False."""
        return self.draw(st.integers(0, 99)) >= 100 - percent

    def number(self, low: int, high: int) -> int:
        """A whole number."""
        return self.draw(st.integers(low, high))

    def add(self, kind: str, name: str = "", /, **inputs: object) -> Record:
        """Register a resource under a name of its own."""
        self.count += 1
        return self.recorded.add(kind, name or f"{kind.rpartition('.')[2].lower()}-{self.count}", **inputs)


@st.composite
def networks(draw: st.DrawFn) -> Recorded:
    """One VPC with everything in it."""
    recorded = Recorded()
    v6 = draw(st.booleans())
    block = draw(st.sampled_from(_BLOCKS))
    inputs: dict[str, Any] = {"cidrBlock": block}
    if v6:
        inputs["ipv6CidrBlock"] = "2a05:d018:100::/56"
    vpc = recorded.add("ec2.Vpc", "vpc", **inputs)
    made = _Made(draw, recorded, vpc, v6)
    _subnets(made, block)
    _routes(made)
    _prefix_lists(made)
    _groups(made)
    _acls(made)
    _workloads(made)
    return recorded


def _subnets(made: _Made, block: str) -> None:
    first = block.rpartition(".0/")[0].rpartition(".")[0]
    bases = [f"{first}.{index}" for index in range(3)]
    if made.chance(20):
        made.add("ec2.VpcIpv4CidrBlockAssociation", vpcId=made.vpc["id"], cidrBlock="10.99.0.0/20")
        bases[1] = "10.99.3"
    for index in range(made.number(1, 3)):
        length = made.one((24, 26, 28))
        inputs: dict[str, Any] = {"vpcId": made.vpc["id"], "cidrBlock": f"{bases[index]}.0/{length}"}
        inputs["availabilityZone"] = f"us-east-1{'abc'[index]}"
        half = 2 ** (31 - length)
        made.halves += [f"{bases[index]}.0/{length}", f"{bases[index]}.0/{length + 1}", f"{bases[index]}.{half}/{length + 1}"]
        if made.v6 and made.chance(80):
            prefix = f"2a05:d018:100:{index}"
            inputs |= {"ipv6CidrBlock": f"{prefix}::/64", "assignIpv6AddressOnCreation": True}
            made.halves_v6 += [f"{prefix}::/64", f"{prefix}::/65", f"{prefix}:8000::/65"]
        if made.chance(30):
            inputs["mapPublicIpOnLaunch"] = True
        made.subnets.append(made.add("ec2.Subnet", f"subnet-{index}", **inputs))


def _routes(made: _Made) -> None:
    vpc = made.vpc["id"]
    gateway = made.add("ec2.InternetGateway", "igw", vpcId=vpc)
    nat = None
    if made.chance(15):
        nat = made.add("ec2.NatGateway", "nat", subnetId=made.subnets[-1]["id"], connectivityType="public")
    outward = made.add("ec2.EgressOnlyInternetGateway", "eigw", vpcId=vpc) if made.v6 and made.chance(30) else None
    tables: list[Record] = []
    for index in range(made.number(1, 2)):
        routes = _destinations(made, gateway, nat if index == 0 else None, outward)
        if inline := made.chance(40):
            renamed = {"destinationCidrBlock": "cidrBlock", "destinationIpv6CidrBlock": "ipv6CidrBlock"}
            listed = [{renamed.get(key, key): value for key, value in route.items()} for route in routes]
            tables.append(made.add("ec2.RouteTable", f"table-{index}", vpcId=vpc, routes=listed))
        else:
            tables.append(made.add("ec2.RouteTable", f"table-{index}", vpcId=vpc))
        for route in [] if inline else routes:
            made.add("ec2.Route", routeTableId=tables[-1]["id"], **route)
    main = made.one(("as made", "adopted", "replaced"))
    if main == "adopted":
        routes = _destinations(made, gateway, None, None)
        table = made.add("ec2.DefaultRouteTable", "main", defaultRouteTableId=made.vpc["defaultRouteTableId"])
        for route in routes:
            made.add("ec2.Route", routeTableId=table["id"], **route)
    elif main == "replaced":
        made.add("ec2.MainRouteTableAssociation", "main", vpcId=vpc, routeTableId=tables[0]["id"])
    for subnet in made.subnets:
        if made.chance(80):
            made.add("ec2.RouteTableAssociation", subnetId=subnet["id"], routeTableId=made.one(tables)["id"])


def _destinations(
    made: _Made, gateway: Record, nat: Record | None, outward: Record | None
) -> list[dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    if made.chance(60):
        found["0.0.0.0/0"] = {"destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway["id"]}
    if made.v6 and made.chance(60):
        found["::/0"] = {"destinationIpv6CidrBlock": "::/0", "gatewayId": gateway["id"]}
    for _ in range(made.number(0, 1)):
        block = made.one(("0.0.0.0/0", "0.0.0.0/1", "203.0.113.0/25", "203.0.113.0/24"))
        through = made.one(("igw", "igw", "igw", "nat", "tgw"))
        if through == "nat" and nat is not None:
            found[block] = {"destinationCidrBlock": block, "natGatewayId": nat["id"]}
        elif through == "tgw":
            found[block] = {"destinationCidrBlock": block, "transitGatewayId": "tgw-0123456789abcdef0"}
        else:
            found[block] = {"destinationCidrBlock": block, "gatewayId": gateway["id"]}
    for _ in range(made.number(0, 1) if made.v6 else 0):
        block = made.one(("::/0", "2001:db8:ffff::/48"))
        if outward is not None and made.chance(50):
            found[block] = {"destinationIpv6CidrBlock": block, "egressOnlyGatewayId": outward["id"]}
        else:
            found[block] = {"destinationIpv6CidrBlock": block, "gatewayId": gateway["id"]}
    return list(found.values())


def _prefix_lists(made: _Made) -> None:
    for index in range(made.number(0, 1)):
        blocks = [made.one((*_INTERNET_V4, *made.halves)) for _ in range(made.number(1, 2))]
        entries = [{"cidr": block} for block in dict.fromkeys(blocks)]
        common = {"addressFamily": "IPv4", "maxEntries": 5, "name": f"list-{index}"}
        if made.chance(50):
            made.lists.append(made.add("ec2.ManagedPrefixList", f"list-{index}", entries=entries, **common))
        else:
            made.lists.append(made.add("ec2.ManagedPrefixList", f"list-{index}", **common))
            for entry in entries:
                made.add("ec2.ManagedPrefixListEntry", prefixListId=made.lists[-1]["id"], **entry)


def _groups(made: _Made) -> None:
    vpc = made.vpc["id"]
    names = [f"group-{index}" for index in range(made.number(1, 3))]
    forms = [made.one(("inline", "separate", "older")) for _ in names]
    for name, form in zip(names, forms, strict=True):
        inline = {}
        if form == "inline":
            # Inline rules can name the groups that already exist.
            inline = {
                direction: [*_open(made), *(_inline(made, made.groups) for _ in range(made.number(0, 3)))]
                for direction in ("ingress", "egress")
            }
        made.groups.append(made.add("ec2.SecurityGroup", name, vpcId=vpc, **inline))
    for group, form in zip(list(made.groups), forms, strict=True):
        for direction in ("ingress", "egress") if form != "inline" else ():
            for _ in _open(made):
                made.add(
                    "ec2.SecurityGroupRule", type=direction, securityGroupId=group["id"], protocol="-1", fromPort=0,
                    toPort=0, cidrBlocks=["0.0.0.0/0"], ipv6CidrBlocks=["::/0"],
                )  # fmt: skip
            for _ in range(made.number(0, 3)):
                if form == "older":
                    _older(made, group, direction)
                else:
                    _separate(made, group, direction)
    if made.chance(40):
        rules = [_inline(made, made.groups) for _ in range(made.number(0, 1))]
        made.groups.append(made.add("ec2.DefaultSecurityGroup", "default-group", vpcId=vpc, ingress=rules, egress=rules))


def _open(made: _Made) -> list[dict[str, object]]:
    """In some groups a rule that allows everything, as a group's egress often does."""
    everything = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"], "ipv6CidrBlocks": ["::/0"]}
    return [everything] if made.chance(35) else []


def _ports_and_protocol(made: _Made) -> tuple[str, int, int]:
    name = made.one(("tcp", "tcp", "tcp", "6", "udp", "-1", "icmp"))
    if name == "-1":
        return name, 0, 0
    return (name, -1, -1) if name == "icmp" else (name, *made.one(_PORTS))


def _source(made: _Made, groups: Sequence[Record], *, itself: bool) -> tuple[str, object]:
    kinds = ["v4", "v4", "near"] + (["v6", "near6"] if made.v6 else []) + (["group", "group"] if groups else [])
    kinds += ["self"] if itself else []
    kinds += ["list"] if made.lists else []
    kind = made.one(kinds)
    if kind == "v6" or (kind == "near6" and not made.halves_v6):
        return "v6", made.one(_INTERNET_V6)
    if kind in ("near", "near6"):
        return ("v4", made.one([*made.halves, *made.halves[:1]])) if kind == "near" else ("v6", made.one(made.halves_v6))
    if kind == "group":
        return "group", made.one(groups)["id"]
    return ("list", made.one(made.lists)["id"]) if kind == "list" else (kind, made.one(_INTERNET_V4))


def _inline(made: _Made, groups: Sequence[Record]) -> dict[str, object]:
    name, low, high = _ports_and_protocol(made)
    kind, value = _source(made, groups, itself=True)
    where: dict[str, object] = {
        "v4": {"cidrBlocks": [value]}, "v6": {"ipv6CidrBlocks": [value]}, "group": {"securityGroups": [value]},
        "list": {"prefixListIds": [value]}, "self": {"self": True},
    }[kind]  # fmt: skip
    return {"protocol": name, "fromPort": low, "toPort": high, **where}


def _older(made: _Made, group: Record, direction: str) -> None:
    name, low, high = _ports_and_protocol(made)
    kind, value = _source(made, made.groups, itself=True)
    where: dict[str, object] = {
        "v4": {"cidrBlocks": [value]}, "v6": {"ipv6CidrBlocks": [value]}, "group": {"sourceSecurityGroupId": value},
        "list": {"prefixListIds": [value]}, "self": {"self": True},
    }[kind]  # fmt: skip
    made.add(
        "ec2.SecurityGroupRule", type=direction, securityGroupId=group["id"], protocol=name, fromPort=low, toPort=high,
        **where,
    )  # fmt: skip


def _separate(made: _Made, group: Record, direction: str) -> None:
    name, low, high = _ports_and_protocol(made)
    kind, value = _source(made, made.groups, itself=False)
    where = {"v4": "cidrIpv4", "v6": "cidrIpv6", "group": "referencedSecurityGroupId", "list": "prefixListId"}[kind]
    between = {} if name == "-1" else {"fromPort": low, "toPort": high}
    made.add(
        f"vpc.SecurityGroup{direction.capitalize()}Rule", securityGroupId=group["id"], ipProtocol=name,
        **between, **{where: value},
    )  # fmt: skip


def _acls(made: _Made) -> None:
    vpc = made.vpc["id"]
    if made.chance(20):
        made.add(
            "ec2.DefaultNetworkAcl", "default-acl", defaultNetworkAclId=made.vpc["defaultNetworkAclId"],
            ingress=_entries(made), egress=_entries(made),
        )  # fmt: skip
    for index, subnet in enumerate(made.subnets):
        form = made.one(("none", "none", "inline", "separate", "associated"))
        if form == "none":
            continue
        entries = {direction: _entries(made) for direction in ("ingress", "egress")}
        inputs: dict[str, Any] = {"vpcId": vpc}
        if form == "inline":
            inputs |= entries
        if form != "associated":
            inputs["subnetIds"] = [subnet["id"]]
        acl = made.add("ec2.NetworkAcl", f"acl-{index}", **inputs)
        for direction, rules in entries.items() if form != "inline" else ():
            for rule in rules:
                renamed = {"ruleNo": "ruleNumber", "action": "ruleAction"}
                made.add(
                    "ec2.NetworkAclRule", networkAclId=acl["id"], egress=direction == "egress",
                    **{renamed.get(key, key): value for key, value in rule.items()},
                )  # fmt: skip
        if form == "associated":
            made.add("ec2.NetworkAclAssociation", networkAclId=acl["id"], subnetId=subnet["id"])


def _entries(made: _Made) -> list[dict[str, object]]:
    found = [_entry(made, 100 + 10 * index) for index in range(made.number(0, 4))]
    if made.chance(70):
        open_: dict[str, object] = {"action": "allow", "protocol": "-1", "fromPort": 0, "toPort": 0}
        found.append({"ruleNo": 500, "cidrBlock": "0.0.0.0/0", **open_})
        if made.v6:
            found.append({"ruleNo": 501, "ipv6CidrBlock": "::/0", **open_})
    return found


def _entry(made: _Made, number: int) -> dict[str, object]:
    shape = made.one(("all", "ephemeral", "ports", "ephemeral", "ports"))
    action = made.one(("allow", "allow", "allow", "deny"))
    entry: dict[str, object] = {"ruleNo": number, "action": action}
    if shape == "all":
        entry |= {"protocol": "-1", "fromPort": 0, "toPort": 0}
    else:
        low, high = made.one(_EPHEMERAL if shape == "ephemeral" else _PORTS)
        entry |= {"protocol": made.one(("tcp", "tcp", "6", "udp")), "fromPort": low, "toPort": high}
    if made.v6 and made.chance(30):
        return entry | {"ipv6CidrBlock": made.one((*_INTERNET_V6, *made.halves_v6))}
    return entry | {"cidrBlock": made.one(("0.0.0.0/0", "0.0.0.0/0", *_INTERNET_V4, *made.halves))}


def _workloads(made: _Made) -> None:
    for _ in range(made.number(1, 4)):
        _WORKLOADS[made.one(sorted(_WORKLOADS))](made)


def _some(made: _Made, most: int) -> list[str]:
    chosen = made.draw(st.lists(st.sampled_from(range(len(made.subnets))), min_size=1, max_size=most, unique=True))
    return [made.subnets[index]["id"] for index in sorted(chosen)]


def _own(made: _Made) -> list[str]:
    chosen = made.draw(st.lists(st.sampled_from(range(len(made.groups))), min_size=1, max_size=2, unique=True))
    return [made.groups[index]["id"] for index in sorted(chosen)]


def _service(made: _Made) -> None:
    where = {"subnets": _some(made, 2), "securityGroups": _own(made), "assignPublicIp": made.chance(50)}
    made.add("ecs.Service", networkConfiguration=where, desiredCount=2)


def _instance(made: _Made) -> None:
    public = made.one(("subnet", "yes", "no", "eip"))
    inputs: dict[str, Any] = {"associatePublicIpAddress": public == "yes"} if public in ("yes", "no") else {}
    instance = made.add("ec2.Instance", subnetId=made.one(made.subnets)["id"], vpcSecurityGroupIds=_own(made), **inputs)
    if public == "eip":
        address = made.add("ec2.Eip", domain="vpc")
        made.add("ec2.EipAssociation", instanceId=instance["id"], allocationId=address["id"])


def _interface(made: _Made) -> None:
    interface = made.add("ec2.NetworkInterface", subnetId=made.one(made.subnets)["id"], securityGroups=_own(made))
    if made.chance(50):
        made.add("ec2.Eip", domain="vpc", networkInterface=interface["id"])


def _function(made: _Made) -> None:
    where = {"subnetIds": _some(made, 2), "securityGroupIds": _own(made), "ipv6AllowedForDualStack": True}
    made.add("lambda.Function", role="arn:aws:iam::111122223333:role/function", vpcConfig=where)


def _database(made: _Made) -> None:
    group = made.add("rds.SubnetGroup", subnetIds=_some(made, 1))
    made.add(
        "rds.Instance", instanceClass="db.t4g.small", engine="postgres", dbSubnetGroupName=group["name"],
        vpcSecurityGroupIds=_own(made), publiclyAccessible=made.chance(50), networkType="DUAL" if made.v6 else "IPV4",
    )  # fmt: skip


def _endpoint(made: _Made) -> None:
    made.add(
        "ec2.VpcEndpoint", vpcId=made.vpc["id"], vpcEndpointType="Interface", serviceName="com.amazonaws.us-east-1.logs",
        subnetIds=_some(made, 2), securityGroupIds=_own(made), ipAddressType="dualstack" if made.v6 else "ipv4",
    )  # fmt: skip


def _balancer(made: _Made) -> None:
    internal = made.chance(40)
    balancer = made.add(
        "lb.LoadBalancer", loadBalancerType="application", internal=internal, subnets=_some(made, 2),
        securityGroups=_own(made), ipAddressType="dualstack" if made.v6 else "ipv4",
    )  # fmt: skip
    login = {"type": "authenticate-oidc", "order": 1, "authenticateOidc": {"onUnauthenticatedRequest": "deny"}}
    answer = {"type": "fixed-response", "order": 2, "fixedResponse": {"contentType": "text/plain", "statusCode": "404"}}
    made.add(
        "lb.Listener", loadBalancerArn=balancer["arn"], port=443, protocol="HTTPS", defaultActions=[login, answer],
    )  # fmt: skip


_WORKLOADS = {
    "balancer": _balancer, "database": _database, "endpoint": _endpoint, "function": _function, "instance": _instance,
    "interface": _interface, "service": _service,
}  # fmt: skip
