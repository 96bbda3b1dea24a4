"""Networks as hypothesis makes them: every form in which the provider declares subnets, routes, groups and network ACLs.

Everything is something that AWS accepts. Ports and blocks come from small pools, so that rules meet each other's edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from .drawing import Made
from .recorded import Record, Recorded
from .workloads import add_workloads

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
    made = Made(draw, recorded, vpc, v6)
    _subnets(made, block)
    _prefix_lists(made)
    _routes(made)
    _groups(made)
    _acls(made)
    add_workloads(made)
    if made.chance(25):
        _second_vpc(made, block)
    return recorded


def _subnets(made: Made, block: str) -> None:
    first = block.rpartition(".0/")[0].rpartition(".")[0]
    bases = [f"{first}.{index}" for index in range(3)]
    if made.chance(20):
        made.add("ec2.VpcIpv4CidrBlockAssociation", vpcId=made.vpc["id"], cidrBlock="10.99.0.0/20")
        bases[1] = "10.99.3"
    for index in range(made.number(1, 3)):
        length = made.one((24, 26, 27))
        inputs: dict[str, Any] = {"vpcId": made.vpc["id"], "cidrBlock": f"{bases[index]}.0/{length}"}
        inputs["availabilityZone"] = f"us-east-1{'abc'[index]}"
        half = 2 ** (31 - length)
        made.halves += [
            f"{bases[index]}.0/{length}",
            f"{bases[index]}.0/{length + 1}",
            f"{bases[index]}.{half}/{length + 1}",
        ]
        if made.v6 and made.chance(80):
            prefix = f"2a05:d018:100:{index}"
            inputs |= {"ipv6CidrBlock": f"{prefix}::/64", "assignIpv6AddressOnCreation": True}
            made.halves_v6 += [f"{prefix}::/64", f"{prefix}::/65", f"{prefix}:8000::/65"]
        if made.chance(30):
            inputs["mapPublicIpOnLaunch"] = True
        made.subnets.append(made.add("ec2.Subnet", f"subnet-{index}", **inputs))


def _routes(made: Made) -> None:
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
            made.tables.append(tables[-1])
        for route in [] if inline else routes:
            made.add("ec2.Route", routeTableId=tables[-1]["id"], **route)
    main = made.one(("as made", "adopted", "replaced"))
    if main == "adopted":
        routes = _destinations(made, gateway, None, None)
        table = made.add("ec2.DefaultRouteTable", "main", defaultRouteTableId=made.vpc["defaultRouteTableId"])
        made.tables.append(table)
        for route in routes:
            made.add("ec2.Route", routeTableId=table["id"], **route)
    elif main == "replaced":
        made.add("ec2.MainRouteTableAssociation", "main", vpcId=vpc, routeTableId=tables[0]["id"])
    for subnet in made.subnets:
        if made.chance(80):
            made.add("ec2.RouteTableAssociation", subnetId=subnet["id"], routeTableId=made.one(tables)["id"])


def _destinations(made: Made, gateway: Record, nat: Record | None, outward: Record | None) -> list[Record]:
    found: dict[str, Record] = {}
    if made.chance(60):
        found["0.0.0.0/0"] = {"destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway["id"]}
    if made.v6 and made.chance(60):
        found["::/0"] = {"destinationIpv6CidrBlock": "::/0", "gatewayId": gateway["id"]}
    for _ in range(made.number(0, 1)):
        block = made.one(("0.0.0.0/0", "0.0.0.0/1", "203.0.113.0/25", "203.0.113.0/24"))
        through = made.one(("igw", "igw", "igw", "nat", "tgw"))
        if made.route_lists and made.chance(50):
            found["list"] = {"destinationPrefixListId": made.route_lists[0]["id"], "gatewayId": gateway["id"]}
        elif through == "nat" and nat is not None:
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


def _prefix_lists(made: Made) -> None:
    if made.chance(50):
        made.lists.append(_prefix_list(made, "list", (*_INTERNET_V4, *made.halves)))
    if made.chance(20):
        # A route that is more specific than a local one cannot lead to an internet gateway.
        made.route_lists.append(_prefix_list(made, "route-list", _INTERNET_V4))


def _prefix_list(made: Made, name: str, blocks: Sequence[str]) -> Record:
    entries = [{"cidr": block} for block in dict.fromkeys(made.one(blocks) for _ in range(made.number(1, 2)))]
    common = {"addressFamily": "IPv4", "maxEntries": 5, "name": name}
    if made.chance(50):
        return made.add("ec2.ManagedPrefixList", name, entries=entries, **common)
    listed = made.add("ec2.ManagedPrefixList", name, **common)
    for entry in entries:
        made.add("ec2.ManagedPrefixListEntry", prefixListId=listed["id"], **entry)
    return listed


def _groups(made: Made) -> None:
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
        made.groups.append(
            made.add("ec2.DefaultSecurityGroup", "default-group", vpcId=vpc, ingress=rules, egress=rules)
        )


def _open(made: Made) -> list[Record]:
    """In some groups a rule that allows everything, as a group's egress often does."""
    everything = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"], "ipv6CidrBlocks": ["::/0"]}
    return [everything] if made.chance(35) else []


def _ports_and_protocol(made: Made) -> tuple[str, int, int]:
    name = made.one(("tcp", "tcp", "tcp", "6", "udp", "-1", "icmp"))
    if name == "-1":
        return name, 0, 0
    return (name, -1, -1) if name == "icmp" else (name, *made.one(_PORTS))


def _source(made: Made, groups: Sequence[Record], *, itself: bool) -> tuple[str, object]:
    kinds = ["v4", "v4", "near"] + (["v6", "near6"] if made.v6 else []) + (["group", "group"] if groups else [])
    kinds += ["self"] if itself else []
    kinds += ["list"] if made.lists else []
    kind = made.one(kinds)
    if kind == "v6" or (kind == "near6" and not made.halves_v6):
        return "v6", made.one(_INTERNET_V6)
    if kind in ("near", "near6"):
        return (
            ("v4", made.one([*made.halves, *made.halves[:1]])) if kind == "near" else ("v6", made.one(made.halves_v6))
        )
    if kind == "group":
        return "group", made.one(groups)["id"]
    return ("list", made.one(made.lists)["id"]) if kind == "list" else (kind, made.one(_INTERNET_V4))


def _inline(made: Made, groups: Sequence[Record]) -> Record:
    name, low, high = _ports_and_protocol(made)
    kind, value = _source(made, groups, itself=True)
    where: dict[str, Any] = {
        "v4": {"cidrBlocks": [value]}, "v6": {"ipv6CidrBlocks": [value]}, "group": {"securityGroups": [value]},
        "list": {"prefixListIds": [value]}, "self": {"self": True},
    }[kind]  # fmt: skip
    if made.chance(25):
        where.setdefault("cidrBlocks", []).append(made.one(made.halves))
    return {"protocol": name, "fromPort": low, "toPort": high, **where}


def _older(made: Made, group: Record, direction: str) -> None:
    name, low, high = _ports_and_protocol(made)
    kind, value = _source(made, made.groups, itself=True)
    where: Record = {
        "v4": {"cidrBlocks": [value]}, "v6": {"ipv6CidrBlocks": [value]}, "group": {"sourceSecurityGroupId": value},
        "list": {"prefixListIds": [value]}, "self": {"self": True},
    }[kind]  # fmt: skip
    made.add(
        "ec2.SecurityGroupRule", type=direction, securityGroupId=group["id"], protocol=name, fromPort=low, toPort=high,
        **where,
    )  # fmt: skip


def _separate(made: Made, group: Record, direction: str) -> None:
    name, low, high = _ports_and_protocol(made)
    kind, value = _source(made, made.groups, itself=False)
    where = {"v4": "cidrIpv4", "v6": "cidrIpv6", "group": "referencedSecurityGroupId", "list": "prefixListId"}[kind]
    between = {} if name == "-1" else {"fromPort": low, "toPort": high}
    made.add(
        f"vpc.SecurityGroup{direction.capitalize()}Rule", securityGroupId=group["id"], ipProtocol=name,
        **between, **{where: value},
    )  # fmt: skip


def _acls(made: Made) -> None:
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


def _entries(made: Made) -> list[Record]:
    found = [_entry(made, 100 + 10 * index) for index in range(made.number(0, 4))]
    if made.chance(70):
        open_: Record = {"action": "allow", "protocol": "-1", "fromPort": 0, "toPort": 0}
        found.append({"ruleNo": 500, "cidrBlock": "0.0.0.0/0", **open_})
        if made.v6:
            found.append({"ruleNo": 501, "ipv6CidrBlock": "::/0", **open_})
    return found


def _entry(made: Made, number: int) -> Record:
    shape = made.one(("all", "ephemeral", "ports", "ephemeral", "ports"))
    action = made.one(("allow", "allow", "allow", "deny"))
    entry: Record = {"ruleNo": number, "action": action}
    if shape == "all":
        entry |= {"protocol": "-1", "fromPort": 0, "toPort": 0}
    else:
        low, high = made.one(_EPHEMERAL if shape == "ephemeral" else _PORTS)
        entry |= {"protocol": made.one(("tcp", "tcp", "6", "udp")), "fromPort": low, "toPort": high}
    if made.v6 and made.chance(30):
        return entry | {"ipv6CidrBlock": made.one((*_INTERNET_V6, *made.halves_v6))}
    return entry | {"cidrBlock": made.one(("0.0.0.0/0", "0.0.0.0/0", *_INTERNET_V4, *made.halves))}


def _second_vpc(made: Made, block: str) -> None:
    """Another VPC, with or without a peering connection and the routes through it."""
    vpc = made.add("ec2.Vpc", "second", cidrBlock="10.200.0.0/16")
    subnet = made.add("ec2.Subnet", "second", vpcId=vpc["id"], cidrBlock="10.200.0.0/24", availabilityZone="us-east-1a")
    table = made.add("ec2.RouteTable", "second", vpcId=vpc["id"])
    made.add("ec2.RouteTableAssociation", "second", subnetId=subnet["id"], routeTableId=table["id"])
    group = made.add("ec2.SecurityGroup", "second", vpcId=vpc["id"])
    where = {"subnets": [subnet["id"]], "securityGroups": [group["id"]], "assignPublicIp": False}
    made.add("ecs.Service", "second", networkConfiguration=where, desiredCount=2)
    peering = made.add(
        "ec2.VpcPeeringConnection", "peering", vpcId=made.vpc["id"], peerVpcId=vpc["id"], autoAccept=True
    )
    connected = made.chance(80)
    for near in made.tables if connected else ():
        if made.chance(80):
            far = made.one(("10.200.0.0/16", "10.200.0.0/16", "10.200.0.0/24", "10.200.0.0/25", "10.200.1.0/24"))
            made.add(
                "ec2.Route", routeTableId=near["id"], destinationCidrBlock=far, vpcPeeringConnectionId=peering["id"]
            )
    if connected and made.chance(80):
        made.add(
            "ec2.Route", routeTableId=table["id"], destinationCidrBlock=block, vpcPeeringConnectionId=peering["id"]
        )
    made.halves += [block, block]
    made.groups.append(group)
    for direction in ("ingress", "egress"):
        for _ in range(made.number(1, 2)):
            _separate(made, group, direction)
    for direction in ("ingress", "egress"):
        mine = made.groups[0]
        where = {"referencedSecurityGroupId": group["id"]} if made.chance(50) else {"cidrIpv4": "10.200.0.0/16"}
        made.add(
            f"vpc.SecurityGroup{direction.capitalize()}Rule", securityGroupId=mine["id"], ipProtocol="tcp", fromPort=22,
            toPort=8443, **where,
        )  # fmt: skip
