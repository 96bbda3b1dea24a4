"""The private network: what is made for 2 and 3 zones and in an existing VPC, and that nothing leads outside."""

import json
from dataclasses import replace

import pytest

from components.network import PrivateNetwork
from policies.guardrails.topology.resources import Graph
from policies.guardrails.topology.routing import Routing
from preflight.recorder import record
from preflight.wire import Json
from tests.components.edge_room import (
    ACCOUNT,
    EXISTING,
    REGION,
    TAGS,
    ZONES,
    counts,
    named,
    names,
    network_args,
    outputs_of,
    recorded_network,
    untagged,
)

SUBNET = "aws:ec2/subnet:Subnet"
ROUTE = "aws:ec2/route:Route"
ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
ASSOCIATED = {"private_route_table_association_ids": ["rtbassoc-00000000000000001", "rtbassoc-00000000000000002"]}


@pytest.mark.parametrize(("zones", "subnets", "tables", "entries"), [(2, 4, 3, 18), (3, 6, 4, 22)])
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


def test_every_flow_is_logged_each_minute_by_a_role_that_only_this_account_s_flow_logs_may_take() -> None:
    recording = recorded_network()
    (flow,) = recording.of_type("aws:ec2/flowLog:FlowLog")
    role = named(recording, "network-flow", "aws:iam/role:Role")
    group = named(recording, "network-flow", "aws:cloudwatch/logGroup:LogGroup")

    assert {key: value for key, value in flow.inputs.items() if key != "tags"} == {
        "vpcId": named(recording, "network-vpc", "aws:ec2/vpc:Vpc").id,
        "trafficType": "ALL",
        "maxAggregationInterval": 60,
        "logDestinationType": "cloud-watch-logs",
        "logDestination": group.outputs["arn"],
        "iamRoleArn": role.outputs["arn"],
    }
    assert json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": [ACCOUNT]},
        "ArnLike": {"aws:SourceArn": [f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/*"]},
    }
    assert group.inputs["retentionInDays"] == 90


def test_only_allowed_names_resolve_and_the_resolver_fails_closed() -> None:
    recording = recorded_network()
    lists = {
        r.id: r.inputs["domains"]
        for r in recording.of_type("aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList")
    }
    rules = recording.of_type("aws:route53/resolverFirewallRule:ResolverFirewallRule")

    assert [
        (
            r.inputs["priority"],
            r.inputs["action"],
            lists[r.inputs["firewallDomainListId"]],
            r.inputs.get("blockResponse"),
        )
        for r in sorted(rules, key=lambda r: r.inputs["priority"])
    ] == [
        (100, "ALLOW", ["login.example.com", "logs.eu-west-1.amazonaws.com"], None),
        (200, "BLOCK", ["*"], "NXDOMAIN"),
    ]
    (config,) = recording.of_type("aws:route53/resolverFirewallConfig:ResolverFirewallConfig")
    assert config.inputs["firewallFailOpen"] == "DISABLED"
    (association,) = recording.of_type(
        "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
    )
    assert 100 < association.inputs["priority"] < 9900


def test_every_dns_question_is_logged_before_the_network_is_used() -> None:
    recording = recorded_network()
    vpc = named(recording, "network-vpc", "aws:ec2/vpc:Vpc")
    log = named(recording, "network-dns", "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig")
    permission = named(recording, "network-dns", "aws:cloudwatch/logResourcePolicy:LogResourcePolicy")
    association = named(
        recording, "network-dns", "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation"
    )

    assert association.inputs == {"resolverQueryLogConfigId": log.id, "resourceId": vpc.id}
    assert permission.urn in log.dependencies


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


def test_in_an_existing_vpc_nothing_is_made_but_logs_and_what_its_ids_tell_is_read() -> None:
    assert counts(recorded_network(existing=True)) == {
        "FlowLog": 4,
        "LogGroup": 1,
        "Role": 1,
        "RolePolicy": 1,
        "RouteTable (read)": 2,
        "SecurityGroup (read)": 1,
        "Subnet (read)": 2,
        "Vpc (read)": 1,
    }


def test_in_an_existing_vpc_the_flows_of_each_zone_s_subnets_are_logged() -> None:
    flows = recorded_network(existing=True).of_type("aws:ec2/flowLog:FlowLog")

    assert {flow.name: flow.inputs["subnetId"] for flow in flows} == {
        "network-flow-public-eu-west-1a": "subnet-00000000000000002",
        "network-flow-public-eu-west-1b": "subnet-00000000000000001",
        "network-flow-private-eu-west-1a": "subnet-00000000000000003",
        "network-flow-private-eu-west-1b": "subnet-00000000000000004",
    }
    assert not any("vpcId" in flow.inputs for flow in flows)


def test_what_is_read_is_named_by_zone_so_that_environments_can_be_compared() -> None:
    recording = record(lambda: PrivateNetwork("network", network_args(existing={**EXISTING, **ASSOCIATED})))

    assert {(r.name, r.id) for r in recording.resources if r.external and "Group" not in r.type} == {
        ("network-existing-vpc", "vpc-0123456789abcdef0"),
        ("network-existing-public-eu-west-1a", "subnet-00000000000000002"),
        ("network-existing-public-eu-west-1b", "subnet-00000000000000001"),
        ("network-existing-private-eu-west-1a", "subnet-00000000000000003"),
        ("network-existing-private-eu-west-1b", "subnet-00000000000000004"),
        ("network-existing-private-eu-west-1a", "rtb-00000000000000001"),
        ("network-existing-private-eu-west-1b", "rtb-00000000000000002"),
        ("network-existing-private-eu-west-1a", "rtbassoc-00000000000000001"),
        ("network-existing-private-eu-west-1b", "rtbassoc-00000000000000002"),
    }


@pytest.mark.parametrize(
    ("route", "internet", "unknown"),
    [
        ([], False, False),
        ([{"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-00000000000000001"}], True, False),
        (None, False, True),
    ],
    ids=["closed", "open", "not known offline"],
)
def test_the_routes_of_an_existing_private_subnet_are_judged_by_what_aws_answers(
    route: Json, internet: bool, unknown: bool
) -> None:
    recording = record(lambda: PrivateNetwork("network", network_args(existing={**EXISTING, **ASSOCIATED})))
    answers = {
        "rtb-00000000000000001": {"routes": route},
        "rtbassoc-00000000000000001": {
            "subnetId": "subnet-00000000000000003",
            "routeTableId": "rtb-00000000000000001",
            "gatewayId": "",
        },
    }
    graph = Graph.from_recorded(
        replace(r, outputs={**r.outputs, **answers[r.id]}) if r.id in answers and route is not None else r
        for r in recording.resources
    )
    (subnet,) = [r for r in graph.of_type("ec2.Subnet") if r.value("id") == "subnet-00000000000000003"]
    placed = Routing(graph).placement(subnet)

    assert (bool(placed.internet), bool(placed.unknowns)) == (internet, unknown)


def test_a_route_table_of_several_zones_is_read_once_under_the_first_of_them() -> None:
    shared = ["rtb-00000000000000001", "rtb-00000000000000001"]
    recording = record(
        lambda: PrivateNetwork("network", network_args(existing={**EXISTING, "private_route_table_ids": shared}))
    )

    assert [(r.name, r.id) for r in recording.of_type(ROUTE_TABLE)] == [
        ("network-existing-private-eu-west-1a", "rtb-00000000000000001")
    ]


def test_an_existing_vpc_s_dns_is_filtered_only_when_that_is_asked_for() -> None:
    type_ = "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"

    assert names(recorded_network(existing=True), type_) == []
    (association,) = recorded_network(existing=True, filter_dns=True).of_type(type_)
    assert association.inputs["vpcId"] == EXISTING["vpc_id"]


def test_an_existing_vpc_s_ids_come_out_by_zone() -> None:
    def make() -> PrivateNetwork:
        return PrivateNetwork("network", network_args(existing=dict(EXISTING)))

    assert outputs_of(make, "vpc_id", "public_subnet_ids", "private_route_table_ids") == {
        "vpc_id": EXISTING["vpc_id"],
        "public_subnet_ids": EXISTING["public_subnet_ids"],
        "private_route_table_ids": sorted(EXISTING["private_route_table_ids"]),
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"public_subnet_ids": [f"subnet-0000000{n}" for n in range(3)]}, "public_subnet_ids has 3 ids for 2 zones"),
        ({"private_route_table_association_ids": ["rtbassoc-00000000"]}, "has 1 ids for 2 zones"),
        ({"private_subnet_ids": EXISTING["public_subnet_ids"]}, "a subnet is named twice"),
    ],
)
def test_existing_ids_that_do_not_fit_the_zones_are_refused(changes: dict[str, Json], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network_args(existing={**EXISTING, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cidr_block": "10.0.0.0/24"}, "a network of /16 to /20 is needed"),
        ({"availability_zones": ["eu-west-1a", "eu-west-1a"]}, "each may be named once"),
        ({"internal_ports": [5432, 5432]}, "two are the same or differ by a multiple of 3000"),
        ({"internal_ports": [0]}, "ports are 1 to 65535"),
        ({"internal_ports": list(range(5001, 5009))}, "has room for 7 besides 443 with 2 zones"),
        ({"nat_gateway": True}, "Extra inputs are not permitted"),
    ],
)
def test_mistakes_are_refused_before_anything_is_registered(changes: dict[str, Json], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network_args(**changes)
