"""Each layer between the internet and an endpoint counts: a witness goes through all of them, a closed one ends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import Value
from policies.guardrails.topology.graph.verdicts import Finding, Verdict
from policies.guardrails.topology.network.acls import NetworkAcls
from policies.guardrails.topology.network.addresses import TCP, parse, ports
from policies.guardrails.topology.network.routing import Routing
from policies.guardrails.topology.reachability.evaluation import reachability
from tests.topology.builders import UNKNOWN, Ref, Stack, compliant, urn

KNOWN = pytest.mark.parametrize("known", [True, False], ids=["known", "first preview"])


def exposed() -> Stack:
    """An instance in a public subnet with a public address and an open port."""
    stack = compliant()
    stack.add("ec2.SecurityGroup", "open-sg", vpcId=Ref("vpc"))
    stack.add(
        "vpc.SecurityGroupIngressRule", "open", securityGroupId=Ref("open-sg"), ipProtocol="tcp", fromPort=22, toPort=22,
        cidrIpv4="0.0.0.0/0",
    )  # fmt: skip
    stack.add(
        "ec2.Instance", "bastion", subnetId=Ref("public-a"), vpcSecurityGroupIds=[Ref("open-sg")],
        associatePublicIpAddress=True,
    )  # fmt: skip
    return stack


def network_acl(stack: Stack, *rules: dict[str, Value]) -> None:
    """A network ACL on the public subnet that answers everything, with these rules inward."""
    answers = {"ruleNo": 1, "action": "allow", "protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlock": "0.0.0.0/0"}
    numbered = [{"protocol": "tcp", "fromPort": 22, "toPort": 22, **rule} for rule in rules]
    stack.add("ec2.NetworkAcl", "acl-public", subnetIds=[Ref("public-a")], ingress=numbered, egress=[answers])


def rule_finding(graph: Graph) -> Finding:
    return next(item for item in reachability(graph).exposures if item.resource.endswith(" open"))


@KNOWN
def test_the_witness_names_every_layer(known: bool) -> None:
    finding = rule_finding(exposed().graph(known=known))
    assert [f"{step.resource}.{step.property}" for step in finding.witness] == [
        "internet.",
        "ec2.RouteTableAssociation public-a-table.routeTableId",
        "ec2.Route out.destinationCidrBlock",
        "ec2.Subnet public-a.routeTableId",
        "vpc.SecurityGroupIngressRule open.cidrIpv4",
        "ec2.Instance bastion.associatePublicIpAddress",
        "ec2.Instance bastion.",
    ]
    assert not finding.latent


CLOSED: dict[str, Callable[[Stack], None]] = {
    "a private subnet": lambda stack: stack["bastion"].inputs.update(subnetId=Ref("private-a")),
    "no public address": lambda stack: stack["bastion"].inputs.update(associatePublicIpAddress=False),
    "a route to no internet gateway": lambda stack: stack["out"].inputs.update(
        gatewayId=None, natGatewayId="nat-1", destinationCidrBlock="0.0.0.0/0"
    ),
    "a network ACL without the port": lambda stack: network_acl(
        stack, {"ruleNo": 1, "action": "allow", "fromPort": 443, "toPort": 443, "cidrBlock": "0.0.0.0/0"}
    ),
    "a network ACL that denies first": lambda stack: network_acl(
        stack,
        {"ruleNo": 2, "action": "allow", "cidrBlock": "0.0.0.0/0"},
        {"ruleNo": 1, "action": "deny", "protocol": "-1", "cidrBlock": "0.0.0.0/0"},
    ),
    "a network ACL that denies both halves": lambda stack: network_acl(
        stack,
        {"ruleNo": 1, "action": "deny", "cidrBlock": "0.0.0.0/1"},
        {"ruleNo": 2, "action": "deny", "cidrBlock": "128.0.0.0/1"},
        {"ruleNo": 3, "action": "allow", "cidrBlock": "0.0.0.0/0"},
    ),
}


@KNOWN
@pytest.mark.parametrize("name", CLOSED)
def test_one_closed_layer_ends_the_path_and_leaves_a_latent_exposure(name: str, known: bool) -> None:
    stack = exposed()
    CLOSED[name](stack)
    finding = rule_finding(stack.graph(known=known))
    assert finding.witness == ()
    assert "latent" in finding.what


def _address_from_the_subnet(stack: Stack) -> None:
    del stack["bastion"].inputs["associatePublicIpAddress"]
    stack["public-a"]["mapPublicIpOnLaunch"] = True


OPEN: dict[str, Callable[[Stack], None]] = {
    "a network ACL that allows first": lambda stack: network_acl(
        stack,
        {"ruleNo": 9, "action": "deny", "protocol": "-1", "cidrBlock": "0.0.0.0/0"},
        {"ruleNo": 1, "action": "allow", "cidrBlock": "0.0.0.0/0"},
    ),
    "a network ACL that denies one half": lambda stack: network_acl(
        stack, {"ruleNo": 1, "action": "deny", "cidrBlock": "0.0.0.0/1"}, {"ruleNo": 2, "action": "allow", "cidrBlock": "0.0.0.0/0"}
    ),
    "a network ACL with a denial that is not known": lambda stack: network_acl(
        stack, {"ruleNo": 1, "action": "deny", "cidrBlock": UNKNOWN}, {"ruleNo": 2, "action": "allow", "cidrBlock": "0.0.0.0/0"}
    ),
    "an address from the subnet": _address_from_the_subnet,
    "a group with another closed one": lambda stack: stack["bastion"].inputs.update(
        vpcSecurityGroupIds=[Ref("task-sg"), Ref("open-sg")]
    ),
}  # fmt: skip


@KNOWN
@pytest.mark.parametrize("name", OPEN)
def test_a_layer_that_still_lets_something_through_closes_nothing(name: str, known: bool) -> None:
    stack = exposed()
    OPEN[name](stack)
    assert rule_finding(stack.graph(known=known)).witness


@KNOWN
def test_ipv6_needs_no_public_ipv4_address(known: bool) -> None:
    stack = exposed()
    stack["bastion"]["associatePublicIpAddress"] = False
    stack["open"].inputs = {**stack["open"].inputs, "cidrIpv6": "::/0"}
    stack["public-a"]["ipv6CidrBlock"] = "2600:1f18:1:2::/64"
    stack.add("ec2.Route", "out-v6", routeTableId=Ref("public"), destinationIpv6CidrBlock="::/0", gatewayId=Ref("igw"))
    assert rule_finding(stack.graph(known=known)).witness


def test_rule_resources_and_an_association_make_up_a_network_acl() -> None:
    stack = compliant()
    stack.add("ec2.NetworkAcl", "acl-x", vpcId=Ref("vpc"))
    stack.add("ec2.NetworkAclAssociation", "acl-x-a", networkAclId=Ref("acl-x"), subnetId=Ref("private-a"))
    for number, egress, action, low, block in (
        (10, False, "allow", 443, "10.0.0.0/8"), (20, False, "deny", 443, "10.1.0.0/16"), (5, False, "deny", 443, "10.2.0.0/16"),
        (10, True, "allow", 1024, "10.0.0.0/8"),
    ):  # fmt: skip
        stack.add(
            "ec2.NetworkAclRule", f"rule-{number}-{egress}-{block}", networkAclId=Ref("acl-x"), ruleNumber=number, egress=egress,
            ruleAction=action, protocol="tcp", fromPort=low, toPort=65535 if egress else low, cidrBlock=block,
        )  # fmt: skip
    graph = stack.graph(known=False)
    admitted = NetworkAcls(graph).admitted(graph.of_type("ec2.Subnet")[0])[TCP].at(443)
    outer, denied, late = parse("10.0.0.0/8"), parse("10.2.0.0/16"), parse("10.1.0.0/16")
    assert outer is not None
    assert denied is not None
    assert late is not None
    assert admitted == outer - denied
    assert late <= admitted


def test_a_network_acl_that_answers_nothing_admits_nothing() -> None:
    stack = compliant()
    allow = {"ruleNo": 1, "action": "allow", "protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlock": "0.0.0.0/0"}
    stack.add("ec2.NetworkAcl", "acl-x", subnetIds=[Ref("private-a")], ingress=[allow])
    graph = stack.graph()
    assert not NetworkAcls(graph).admitted(graph.of_type("ec2.Subnet")[0])[TCP]


@KNOWN
def test_the_longest_prefix_decides(known: bool) -> None:
    stack = compliant()
    stack.add(
        "ec2.Route", "nat-half", routeTableId=Ref("public"), destinationCidrBlock="0.0.0.0/1", natGatewayId="nat-1"
    )
    graph = stack.graph(known=known)
    public = next(subnet for subnet in graph.of_type("ec2.Subnet") if subnet.name == "public-a")
    internet = Routing(graph).placement(public).internet
    lower, upper = parse("8.8.8.8"), parse("203.0.113.1")
    assert lower is not None
    assert upper is not None
    assert not internet & lower
    assert upper <= internet


@KNOWN
def test_assumptions_say_what_a_proof_rests_on(known: bool) -> None:
    stack = compliant()
    stack.drop("private-a-table")
    stack.add("ec2transitgateway.TransitGateway", "hub")
    stack.add(
        "ec2.Route", "more", routeTableId=Ref("private"), destinationCidrBlock="0.0.0.0/0", transitGatewayId=Ref("hub")
    )
    evaluated = reachability(stack.graph(known=known))
    assert evaluated.exposures == ()
    assert evaluated.assumptions == (
        "the main route table of ec2.Vpc vpc, which is not declared, has its local route only",
        "the network behind ec2.Route more.destinationCidrBlock forwards no traffic from the internet",
    )


def test_a_list_of_which_only_a_part_may_be_meant_proves_and_accuses_nothing() -> None:
    stack = compliant()
    everywhere = [Ref("private-a"), Ref("public-a")]
    stack.add(
        "elasticache.ServerlessCache", "mixed", subnetIds=everywhere, securityGroupIds=[Ref("state-sg"), Ref("edge-sg")]
    )
    records = stack.recorded(known=False)
    record = next(item for item in records if item["name"] == "mixed")
    record["inputs"] |= {"subnetIds": UNKNOWN, "securityGroupIds": UNKNOWN}
    found = reachability(Graph.from_recorded(records)).exposures
    assert {finding.verdict for finding in found} == {Verdict.NOT_PROVEN}
    assert {text for finding in found for text in finding.unknowns} == {
        "elasticache.ServerlessCache mixed.securityGroupIds",
        "elasticache.ServerlessCache mixed.subnetIds",
    }
    record["property_dependencies"]["subnetIds"] = [urn("public-a"), urn("public-b")]
    record["property_dependencies"]["securityGroupIds"] = [urn("state-sg")]
    [finding] = reachability(Graph.from_recorded(records)).exposures
    assert (finding.verdict, finding.property) == (Verdict.VIOLATED, "subnetIds")


@KNOWN
def test_a_path_carries_addresses_ports_and_protocol(known: bool) -> None:
    stack = compliant()
    stack["edge-in"]["cidrIpv4"] = "203.0.113.0/24"
    [path] = reachability(stack.graph(known=known)).paths
    assert path.addresses == parse("203.0.113.0/24")
    assert path.ports == (ports(443, 443), ports(8443, 8443))
    assert path.entry.protocol == TCP
    assert (path.web_acl.value, path.authentication.value) == (True, True)


@pytest.mark.parametrize(("others", "proven"), [(("private-b",), True), (("public-a",), False)])
def test_an_association_with_one_of_several_subnets_is_judged_for_all_of_them(
    others: tuple[str, ...], proven: bool
) -> None:
    stack = compliant()
    table = "private" if proven else "public"
    stack["private-a-table"]["routeTableId"] = Ref(table)
    records = stack.recorded(known=False)
    record = next(item for item in records if item["name"] == "private-a-table")
    record["property_dependencies"]["subnetId"] = [urn("private-a"), *map(urn, others)]
    found = [item for item in reachability(Graph.from_recorded(records)).exposures if item.resource.endswith(" files")]
    assert [item.verdict for item in found] == ([] if proven else [Verdict.NOT_PROVEN])


OLD_RULE = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}
OLD_ROUTE = {"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}


@KNOWN
def test_what_the_provider_still_answers_after_a_rule_is_gone_does_not_keep_it_from_going(known: bool) -> None:
    records = compliant().recorded(known=known)
    for record in records:
        if record["name"] == "state-sg":
            record["outputs"]["ingress"] = [OLD_RULE]
        if record["name"] == "private":
            record["outputs"]["routes"] = [OLD_ROUTE]
    assert reachability(Graph.from_recorded(records)).exposures == ()


def test_a_group_that_is_read_and_not_managed_is_judged_by_what_the_provider_answers() -> None:
    records = compliant().recorded(known=True)
    record = next(item for item in records if item["name"] == "state-sg")
    record |= {"external": True, "inputs": {}, "outputs": {**record["outputs"], "ingress": [OLD_RULE]}}
    [finding] = reachability(Graph.from_recorded(records)).exposures
    assert (finding.resource, finding.property) == ("ec2.SecurityGroup state-sg", "ingress[0].cidrBlocks")
