"""What the plan of a network reads from a graph, without a kernel."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pytest

from local.network import plan_network
from local.network.layout import lay_out
from local.network.model import AWS_PORTS, LINUX_PORTS, GroupRule, Match, NotKnownError, Target
from policies.guardrails.topology.graph.resources import Graph
from tests.topology.conftest import recorded_graph
from tests.topology.packets.recorded import Recorded

STACKS = ("prod", "staging")
EVERYWHERE = ("0.0.0.0/0", "::/0")


@pytest.fixture(scope="module", params=STACKS)
def graph(request: pytest.FixtureRequest) -> Graph:
    return recorded_graph(request.param, False)


def test_every_interface_has_a_different_address_that_aws_does_not_reserve(graph: Graph) -> None:
    plan = plan_network(graph, tasks_per_subnet=3)
    subnets = {subnet.urn: ipaddress.IPv4Network(subnet.v4) for subnet in plan.subnets}
    placed = [node for node in plan.nodes if node.subnet]
    assert len({node.v4 for node in placed}) == len(placed)
    for node in placed:
        block, address = subnets[node.subnet], ipaddress.IPv4Address(node.v4)
        offset = int(address) - int(block.network_address)
        assert 4 <= offset <= block.num_addresses - 2, node


def test_nothing_of_a_real_stack_is_left_out(graph: Graph) -> None:
    assert plan_network(graph).not_emulated == ()


def test_the_interfaces_of_a_real_stack(graph: Graph) -> None:
    plan = plan_network(graph, tasks_per_subnet=2)
    zones = {subnet.zone for subnet in plan.subnets}
    tasks, balancer = plan.of("service-service"), plan.of("edge-balancer")
    assert {node.zone for node in tasks} == {node.zone for node in balancer} == zones
    assert len(tasks) == 2 * len(zones)
    assert all(node.public and node.source_ports == AWS_PORTS for node in balancer)
    assert not any(node.public for node in plan.nodes if node not in balancer)
    assert all(node.source_ports == LINUX_PORTS for node in tasks)
    assert {node.kind for node in plan.of("state-database")} == {"rds.ClusterInstance"}


def test_a_subnet_has_its_local_route_and_those_of_gateway_endpoints(graph: Graph) -> None:
    plan = plan_network(graph)
    private = {node.subnet for node in plan.of("service-service")}
    for subnet in plan.subnets:
        targets = {route.target for route in subnet.routes}
        assert targets == {Target.LOCAL, Target.ENDPOINT if subnet.urn in private else Target.INTERNET}


def test_the_same_graph_gives_the_same_rules(graph: Graph) -> None:
    again = Graph(reversed(graph.resources))
    mine, other = (lay_out(plan_network(one)) for one in (graph, again))
    assert [(box.key, box.rules, box.commands) for box in mine.boxes.values()] == [
        (box.key, box.rules, box.commands) for box in other.boxes.values()
    ]
    assert mine.links == other.links


def test_a_first_preview_names_what_is_not_known(real_graph: Callable[[str, bool], Graph]) -> None:
    with pytest.raises(NotKnownError, match="is not known yet"):
        plan_network(real_graph("prod", True))


def _small(**subnet: object) -> tuple[Recorded, str, str]:
    recorded = Recorded()
    vpc = recorded.add("ec2.Vpc", "vpc", cidrBlock="10.0.0.0/16")
    made = recorded.add("ec2.Subnet", "subnet", vpcId=vpc["id"], cidrBlock="10.0.0.0/24", **subnet)
    return recorded, vpc["id"], made["id"]


def test_without_groups_an_interface_has_the_default_group_which_admits_itself() -> None:
    recorded, vpc, subnet = _small()
    recorded.add("ec2.Instance", "instance", subnetId=subnet)
    plan = plan_network(recorded.graph())
    (group,) = plan.node("instance").groups
    assert group == next(item for item in recorded.records if item["id"] == vpc)["outputs"]["defaultSecurityGroupId"]
    assert plan.groups[group] == (
        GroupRule(False, Match(), groups=(group,)),
        GroupRule(True, Match(), blocks=EVERYWHERE),
    )


def test_an_adopted_default_group_has_the_declared_rules_only() -> None:
    recorded, vpc, subnet = _small()
    recorded.add("ec2.DefaultSecurityGroup", "locked", vpcId=vpc)
    recorded.add("ec2.Instance", "instance", subnetId=subnet)
    plan = plan_network(recorded.graph())
    assert plan.groups[plan.node("instance").groups[0]] == ()


def test_aws_default_network_acl_allows_everything_and_an_adopted_one_what_it_declares() -> None:
    recorded, _, _ = _small()
    assert plan_network(recorded.graph()).subnets[0].acl is None
    default = recorded.records[0]["outputs"]["defaultNetworkAclId"]
    recorded.add("ec2.DefaultNetworkAcl", "locked", defaultNetworkAclId=default)
    assert plan_network(recorded.graph()).subnets[0].acl == ()


def test_a_subnet_gives_public_addresses_unless_the_instance_says_otherwise() -> None:
    recorded, _, subnet = _small(mapPublicIpOnLaunch=True)
    recorded.add("ec2.Instance", "as-the-subnet", subnetId=subnet)
    recorded.add("ec2.Instance", "private", subnetId=subnet, associatePublicIpAddress=False)
    plan = plan_network(recorded.graph())
    assert plan.node("as-the-subnet").public
    assert not plan.node("private").public


def test_what_is_not_emulated_is_named() -> None:
    recorded, vpc, subnet = _small()
    table = recorded.add("ec2.RouteTable", "table", vpcId=vpc)
    recorded.add(
        "ec2.Route", "away", routeTableId=table["id"], destinationCidrBlock="10.9.0.0/16", transitGatewayId="tgw-1"
    )
    recorded.add("mq.Broker", "broker", subnetIds=[subnet])
    assert plan_network(recorded.graph()).not_emulated == (
        ("ec2.Route away", "its transitGatewayId leads outside of the model: packets are dropped"),
        ("mq.Broker broker", "has subnetIds; the twin does not emulate its interfaces"),
    )


def test_a_full_subnet_is_an_error() -> None:
    recorded = Recorded()
    vpc = recorded.add("ec2.Vpc", "vpc", cidrBlock="10.0.0.0/16")
    subnet = recorded.add("ec2.Subnet", "small", vpcId=vpc["id"], cidrBlock="10.0.0.0/28")
    for number in range(12):
        recorded.add("ec2.Instance", f"instance-{number}", subnetId=subnet["id"])
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/28 has no free address left"):
        plan_network(recorded.graph())
