"""The private network: what is made for 2 and 3 zones, and that nothing leads outside."""

import pytest

from components.network import PrivateNetwork
from preflight.recording.recorder import record
from preflight.sdk.wire import Json
from tests.components.edge_fixtures import (
    TAGS,
    ZONES,
    counts,
    named,
    network_args,
    outputs_of,
    recorded_network,
    untagged,
)

SUBNET = "aws:ec2/subnet:Subnet"
ROUTE = "aws:ec2/route:Route"
ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"


@pytest.mark.parametrize(("zones", "subnets", "tables", "entries"), [(2, 4, 3, 23), (3, 6, 4, 27)])
def test_each_zone_has_a_public_and_a_private_subnet_and_a_private_route_table(
    zones: int, subnets: int, tables: int, entries: int
) -> None:
    assert counts(recorded_network(zones)) == {
        "DefaultNetworkAcl": 1,
        "DefaultRouteTable": 1,
        "DefaultSecurityGroup": 1,
        "FlowLog": 1,
        "InternetGateway": 1,
        "LogGroup": 2,
        "LogResourcePolicy": 1,
        "NetworkAcl": 2,
        "NetworkAclRule": entries,
        "ResolverFirewallConfig": 1,
        "ResolverFirewallDomainList": 2,
        "ResolverFirewallRule": 2,
        "ResolverFirewallRuleGroup": 1,
        "ResolverFirewallRuleGroupAssociation": 1,
        "ResolverQueryLogConfig": 1,
        "ResolverQueryLogConfigAssociation": 1,
        "Role": 1,
        "RolePolicy": 1,
        "Route": 1,
        "RouteTable": tables,
        "RouteTableAssociation": subnets,
        "Subnet": subnets,
        "Vpc": 1,
    }


def test_the_only_route_is_the_public_table_s_to_the_internet_gateway() -> None:
    recording = recorded_network(3)
    (route,) = recording.of_type(ROUTE)
    public = named(recording, "network-public-routes", ROUTE_TABLE)
    gateway = named(recording, "network-internet", "aws:ec2/internetGateway:InternetGateway")

    assert route.inputs == {
        "destinationCidrBlock": "0.0.0.0/0",
        "gatewayId": gateway.id,
        "routeTableId": public.id,
    }
    assert not any("routes" in table.inputs for table in recording.of_type(ROUTE_TABLE))


def test_private_subnets_are_associated_with_their_own_tables_and_public_ones_with_the_public_table() -> None:
    recording = recorded_network(2)
    table_names = {table.id: table.name for table in recording.of_type(ROUTE_TABLE)}
    subnet_names = {subnet.id: subnet.name for subnet in recording.of_type(SUBNET)}

    assert {
        subnet_names[a.inputs["subnetId"]]: table_names[a.inputs["routeTableId"]]
        for a in recording.of_type("aws:ec2/routeTableAssociation:RouteTableAssociation")
    } == {
        "network-private-eu-west-1a": "network-private-eu-west-1a",
        "network-private-eu-west-1b": "network-private-eu-west-1b",
        "network-public-eu-west-1a": "network-public-routes",
        "network-public-eu-west-1b": "network-public-routes",
    }


def test_the_vpc_has_the_declared_block_and_names_for_its_endpoints() -> None:
    vpc = named(recorded_network(), "network-vpc", "aws:ec2/vpc:Vpc").inputs

    assert {key: value for key, value in vpc.items() if key != "tags"} == {
        "cidrBlock": "10.20.0.0/16",
        "enableDnsSupport": True,
        "enableDnsHostnames": True,
    }


@pytest.mark.parametrize("zones", [2, 3])
def test_each_subnet_has_its_zone_s_share(zones: int) -> None:
    recording = recorded_network(zones)
    vpc = named(recording, "network-vpc", "aws:ec2/vpc:Vpc").id
    shares = {
        "eu-west-1a": ("10.20.224.0/26", "10.20.0.0/19"),
        "eu-west-1b": ("10.20.224.64/26", "10.20.32.0/19"),
        "eu-west-1c": ("10.20.224.128/26", "10.20.64.0/19"),
    }

    assert {
        subnet.name: (subnet.inputs["availabilityZone"], subnet.inputs["cidrBlock"], subnet.inputs["vpcId"])
        for subnet in recording.of_type(SUBNET)
    } == {
        f"network-{kind}-{zone}": (zone, shares[zone][position], vpc)
        for zone in ZONES[zones]
        for position, kind in enumerate(("public", "private"))
    }


def test_no_subnet_gives_out_public_addresses_and_none_has_ipv6() -> None:
    recording = recorded_network(3)

    assert [subnet.inputs["mapPublicIpOnLaunch"] for subnet in recording.of_type(SUBNET)] == [False] * 6
    assert not any("ipv6" in key.lower() for subnet in recording.of_type(SUBNET) for key in subnet.inputs)


def test_the_vpc_s_defaults_admit_nothing_and_lead_nowhere() -> None:
    recording = recorded_network()
    vpc = named(recording, "network-vpc", "aws:ec2/vpc:Vpc")
    tags = {**TAGS, "Name": "network-default-unused"}

    assert named(recording, "network-default-group", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup").inputs == {
        "vpcId": vpc.id,
        "ingress": [],
        "egress": [],
        "tags": tags,
    }
    assert named(recording, "network-default-routes", "aws:ec2/defaultRouteTable:DefaultRouteTable").inputs == {
        "defaultRouteTableId": vpc.outputs["defaultRouteTableId"],
        "routes": [],
        "tags": tags,
    }
    assert named(recording, "network-default-acl", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl").inputs == {
        "defaultNetworkAclId": vpc.outputs["defaultNetworkAclId"],
        "ingress": [],
        "egress": [],
        "tags": tags,
    }


@pytest.mark.parametrize("zones", [2, 3])
def test_every_taggable_resource_carries_owner_and_environment(zones: int) -> None:
    assert untagged(recorded_network(zones)) == []


def test_outputs_are_sorted_by_zone_whatever_the_order_of_the_zones() -> None:
    def make() -> PrivateNetwork:
        return PrivateNetwork("network", network_args(availability_zones=list(reversed(ZONES[3]))))

    recording = recorded_network(3)
    assert outputs_of(make, "private_subnet_ids", "cidr_block") == {
        "private_subnet_ids": [named(recording, f"network-private-{zone}", SUBNET).id for zone in ZONES[3]],
        "cidr_block": "10.20.0.0/16",
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cidr_block": "10.0.0.0/24"}, "it must be a network of /16 to /20"),
        ({"availability_zones": ["eu-west-1a", "eu-west-1a"]}, "each must be listed once"),
        ({"internal_ports": [5432, 5432]}, "two are equal or differ by a multiple of 3000"),
        (
            {"internal_ports": [5432, 8443]},
            "8443 is target_port, which the network ACL allows from the public subnets only",
        ),
        ({"internal_ports": [0]}, "each port must be from 1 to 65535"),
        ({"internal_ports": list(range(5001, 5009))}, "can have 6 ports besides 443 with 2 zones"),
        ({"nat_gateway": True}, "Extra inputs are not permitted"),
    ],
)
def test_mistakes_are_refused_before_anything_is_registered(changes: dict[str, Json], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network_args(**changes)


def test_vpc_and_subnets_are_protected_until_deletion_is_allowed() -> None:
    def protected(*, allowed: bool) -> list[str]:
        recording = record(lambda: PrivateNetwork("network", network_args(2, allow_deletion=allowed)))
        return [resource.name for resource in recording.resources if resource.protect]

    zones = ZONES[2]
    assert sorted(protected(allowed=False)) == sorted(
        ["network-vpc", *(f"network-{kind}-{zone}" for kind in ("public", "private") for zone in zones)]
    )
    assert protected(allowed=True) == []


@pytest.mark.parametrize(("allowed", "protection"), [(False, "ENABLED"), (True, "DISABLED")])
def test_the_dns_firewall_cannot_be_removed_until_deletion_is_allowed(*, allowed: bool, protection: str) -> None:
    recording = record(lambda: PrivateNetwork("network", network_args(2, allow_deletion=allowed)))
    (association,) = recording.of_type(
        "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
    )
    assert association.inputs["mutationProtection"] == protection


def test_an_entry_of_a_network_acl_is_deleted_before_its_number_is_used_again() -> None:
    entries = recorded_network(2).of_type("aws:ec2/networkAclRule:NetworkAclRule")
    assert {entry.delete_before_replace for entry in entries} == {True}
