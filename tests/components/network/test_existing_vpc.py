"""A VPC that exists: what is read of it, what is still made, and which ids are refused."""

from dataclasses import replace

import pytest

from components.network import PrivateNetwork
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.network.routing import Routing
from preflight.recording.recorder import record
from preflight.sdk.wire import Json
from tests.components.edge_fixtures import EXISTING, counts, names, network_args, outputs_of, recorded_network

ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
ASSOCIATED = {"private_route_table_association_ids": ["rtbassoc-00000000000000001", "rtbassoc-00000000000000002"]}


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
        ({"private_subnet_ids": EXISTING["public_subnet_ids"]}, "a subnet is listed twice"),
    ],
)
def test_existing_ids_that_do_not_fit_the_zones_are_refused(changes: dict[str, Json], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network_args(existing={**EXISTING, **changes})
