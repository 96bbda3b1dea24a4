"""What is not known yet keeps a claim from being proven, is named, and hides no violation beside it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from policies.guardrails.topology.entry.public_services import PUBLIC_BY_SETTING
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.verdicts import Finding, Verdict
from policies.guardrails.topology.reachability.evaluation import reachability
from tests.topology.builders import UNKNOWN, Entry, Inputs, Ref, Stack, compliant, forward, token
from tests.topology.planting import Plant
from tests.topology.plants import PLANTS

Change = Callable[[Stack], None]
ROWS: dict[str, tuple[str, Change, str]] = {}


def row(section: str, unknown: str) -> Callable[[Change], Change]:
    def register(change: Change) -> Change:
        ROWS[change.__name__.replace("_", " ")] = (section, change, unknown)
        return change

    return register


@row("exposures", "vpc.SecurityGroupIngressRule more.cidrIpv4")
def the_block_of_a_rule(stack: Stack) -> None:
    stack.add(
        "vpc.SecurityGroupIngressRule", "more", securityGroupId=Ref("state-sg"), ipProtocol="tcp", cidrIpv4=UNKNOWN
    )


@row("exposures", "ec2.SecurityGroup state-sg.ingress")
def all_inline_rules_of_a_group(stack: Stack) -> None:
    stack["state-sg"]["ingress"] = UNKNOWN


@row("exposures", "vpc.SecurityGroupIngressRule more.prefixListId pl-elsewhere")
def a_prefix_list_of_another_stack(stack: Stack) -> None:
    stack.add(
        "vpc.SecurityGroupIngressRule",
        "more",
        securityGroupId=Ref("state-sg"),
        ipProtocol="tcp",
        prefixListId="pl-elsewhere",
    )


@row("exposures", "the rules of sg-elsewhere")
def a_group_of_another_stack(stack: Stack) -> None:
    stack["db"]["vpcSecurityGroupIds"] = ["sg-elsewhere"]


@row("exposures", "rds.Cluster db.vpcSecurityGroupIds[0]")
def a_group_without_a_dependency(stack: Stack) -> None:
    stack["db"]["vpcSecurityGroupIds"] = [UNKNOWN]


@row("exposures", "ecs.Service service.networkConfiguration.assignPublicIp")
def whether_a_task_has_a_public_address(stack: Stack) -> None:
    stack["service"]["networkConfiguration"]["assignPublicIp"] = UNKNOWN


@row("exposures", "ecs.Service service.networkConfiguration.subnets subnet-elsewhere")
def a_subnet_of_another_stack(stack: Stack) -> None:
    stack["service"]["networkConfiguration"]["subnets"] = ["subnet-elsewhere"]


@row("exposures", "ec2.Route more.gatewayId")
def the_gateway_of_a_default_route(stack: Stack) -> None:
    stack.add("ec2.Route", "more", routeTableId=Ref("private"), destinationCidrBlock="0.0.0.0/0", gatewayId=UNKNOWN)


@row("exposures", "ec2.Route more.destinationCidrBlock")
def the_destination_of_a_route_to_the_internet_gateway(stack: Stack) -> None:
    stack.add("ec2.Route", "more", routeTableId=Ref("private"), destinationCidrBlock=UNKNOWN, gatewayId=Ref("igw"))


@row("exposures", "ec2.RouteTableAssociation private-a-table.routeTableId")
def a_route_table_of_another_stack(stack: Stack) -> None:
    stack["private-a-table"]["routeTableId"] = "rtb-elsewhere"


@row("exposures", "ec2.RouteTableAssociation more.subnetId")
def which_subnet_is_associated_with_the_public_table(stack: Stack) -> None:
    stack.drop("private-a-table")
    stack.add("ec2.RouteTableAssociation", "more", subnetId=UNKNOWN, routeTableId=Ref("public"))


@row("exposures", "ec2.MainRouteTableAssociation more.routeTableId")
def the_main_table_of_another_stack(stack: Stack) -> None:
    stack.drop("private-a-table")
    stack.add("ec2.MainRouteTableAssociation", "more", vpcId=Ref("vpc"), routeTableId="rtb-elsewhere")


@row("exposures", "ec2.Route more.routeTableId")
def the_table_of_a_route_to_the_internet(stack: Stack) -> None:
    stack.drop("private-a-table")
    stack.add("ec2.Route", "more", routeTableId=UNKNOWN, destinationCidrBlock="0.0.0.0/0", gatewayId=Ref("igw"))


@row("exposures", "vpc.SecurityGroupIngressRule more.securityGroupId")
def the_group_that_an_open_rule_belongs_to(stack: Stack) -> None:
    stack.add("vpc.SecurityGroupIngressRule", "more", securityGroupId=UNKNOWN, ipProtocol="tcp", cidrIpv4="0.0.0.0/0")


@row("exposures", "rds.Instance reports.publiclyAccessible")
def whether_a_database_is_publicly_accessible(stack: Stack) -> None:
    stack["reports"]["publiclyAccessible"] = UNKNOWN


@row("exposures", "rds.Instance reports.dbSubnetGroupName (not set: the default network's subnets)")
def a_database_in_the_default_network(stack: Stack) -> None:
    del stack["reports"].inputs["dbSubnetGroupName"]


@row("exposures", "eks.Cluster cluster.vpcConfig.endpointPublicAccess")
def whether_a_cluster_has_a_public_endpoint(stack: Stack) -> None:
    stack.add("eks.Cluster", "cluster", vpcConfig={"subnetIds": [Ref("private-a")], "endpointPublicAccess": UNKNOWN})


@row("unauthenticated", "lb.ListenerRule pages.actions[0].type")
def the_type_of_an_action(stack: Stack) -> None:
    stack["pages"]["actions"] = [{"type": UNKNOWN, "order": 1}, forward()]


@row("unauthenticated", "lb.ListenerRule pages.actions[0].authenticateOidc.onUnauthenticatedRequest")
def what_happens_without_a_login(stack: Stack) -> None:
    action = {"type": "authenticate-oidc", "order": 1, "authenticateOidc": {"onUnauthenticatedRequest": UNKNOWN}}
    stack["pages"]["actions"] = [action, forward()]


@row("unauthenticated", "lb.ListenerRule pages.actions")
def all_actions_of_a_rule(stack: Stack) -> None:
    stack["pages"]["actions"] = UNKNOWN


@row("unprotected", "wafv2.WebAclAssociation acl-edge.resourceArn")
def what_a_firewall_is_associated_with(stack: Stack) -> None:
    stack["acl-edge"]["resourceArn"] = UNKNOWN


@row("unprotected", "wafv2.WebAcl acl.rules")
def the_rules_of_a_firewall(stack: Stack) -> None:
    stack["acl"]["rules"] = UNKNOWN


@row("unauthenticated", "lambda.FunctionUrl url.authorizationType")
def who_may_call_a_function(stack: Stack) -> None:
    stack.add("lambda.FunctionUrl", "url", functionName=Ref("hook", "name"), authorizationType=UNKNOWN)


@row("unauthenticated", "lb.ListenerRule shared.listenerArn")
def the_load_balancer_of_a_rule_on_a_shared_listener(stack: Stack) -> None:
    arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shared/1/2"
    stack.add("lb.ListenerRule", "shared", listenerArn=arn, priority=1, actions=[forward()])


@row("exposures", "ec2.EipAssociation more.instanceId")
def the_instance_of_an_elastic_address(stack: Stack) -> None:
    stack.add("ec2.EipAssociation", "more", instanceId=UNKNOWN, allocationId="eipalloc-1")


@row("exposures", "ec2.EipAssociation more.networkInterfaceId")
def the_interface_of_another_stack_that_gets_an_elastic_address(stack: Stack) -> None:
    stack.add("ec2.EipAssociation", "more", networkInterfaceId="eni-0abc", allocationId="eipalloc-1")


@row("exposures", "rds.Cluster db.enableHttpEndpoint")
def the_data_api_of_a_database(stack: Stack) -> None:
    stack["db"]["enableHttpEndpoint"] = UNKNOWN


@row("unauthenticated", "apigatewayv2.Api more.body")
def the_document_of_an_api(stack: Stack) -> None:
    stack.add("apigatewayv2.Api", "more", protocolType="HTTP", body=UNKNOWN)


@row("unauthenticated", "globalaccelerator.EndpointGroup more.endpointConfigurations[0].endpointId")
def what_an_accelerator_leads_to(stack: Stack) -> None:
    stack.add("globalaccelerator.EndpointGroup", "more", endpointConfigurations=[{"endpointId": UNKNOWN}])


@row("unauthenticated", "cloudfront.Distribution more.origins[0].domainName")
def what_a_distribution_leads_to(stack: Stack) -> None:
    stack.add("cloudfront.Distribution", "more", enabled=True, origins=[{"originId": "o", "domainName": UNKNOWN}])


def switches() -> list[tuple[Plant, str, str]]:
    """Each planted setting that makes a service public: the plant, the resource's name and the property."""
    found: list[tuple[Plant, str, str]] = []
    for plant in PLANTS:
        stack = compliant()
        plant.change(stack)
        found += [
            (plant, name, path)
            for name, _, path in (place.partition(".") for place in plant.places)
            if plant.section == "exposures" and name in stack.entries and stack[name].type in PUBLIC_TYPES
        ]
    return found


PUBLIC_TYPES = {token(kind): kind for kind in PUBLIC_BY_SETTING}
SWITCHES = switches()


def unknown_instead(inputs: Inputs, path: str) -> None:
    """Make one setting unknown."""
    *outer, last = path.split(".")
    for step in outer:
        inputs = inputs.setdefault(step, {})
    inputs[last] = UNKNOWN


@pytest.mark.parametrize(
    ("plant", "name", "path"), SWITCHES, ids=[f"{plant.name}, {path}" for plant, _, path in SWITCHES]
)
def test_an_unknown_setting_that_may_make_a_service_public_is_not_proven(plant: Plant, name: str, path: str) -> None:
    stack = compliant()
    plant.change(stack)
    unknown_instead(stack[name].inputs, path)
    found = [finding for finding in findings(stack.graph(), "exposures") if finding.resource.endswith(f" {name}")]
    assert Verdict.NOT_PROVEN in {finding.verdict for finding in found}


def test_every_type_that_a_setting_makes_public_is_planted() -> None:
    planted = {PUBLIC_TYPES[made.type] for made in (entry(*switch[:2]) for switch in SWITCHES)}
    assert planted == set(PUBLIC_BY_SETTING)


def entry(plant: Plant, name: str) -> Entry:
    stack = compliant()
    plant.change(stack)
    return stack[name]


def findings(graph: Graph, section: str) -> tuple[Finding, ...]:
    evaluated = reachability(graph)
    return {
        "exposures": evaluated.exposures,
        "unprotected": evaluated.unprotected,
        "unauthenticated": evaluated.unauthenticated,
    }[section]


@pytest.mark.parametrize("known", [True, False], ids=["known otherwise", "first preview"])
@pytest.mark.parametrize("name", ROWS)
def test_an_unknown_is_not_proven_and_named(name: str, known: bool) -> None:
    section, change, unknown = ROWS[name]
    stack = compliant()
    change(stack)
    for graph in (stack.graph(known=known), stack.policy_graph(known=known)):
        found = findings(graph, section)
        assert found
        assert {finding.verdict for finding in found} == {Verdict.NOT_PROVEN}
        assert unknown in {text for finding in found for text in finding.unknowns}


@pytest.mark.parametrize("name", [name for name, (section, _, _) in ROWS.items() if section == "exposures"])
def test_an_unknown_hides_no_violation_beside_it(name: str) -> None:
    stack = compliant()
    ROWS[name][1](stack)
    stack.add(
        "vpc.SecurityGroupIngressRule",
        "open",
        securityGroupId=Ref("endpoint-sg"),
        ipProtocol="tcp",
        cidrIpv4="0.0.0.0/0",
    )
    violated = [
        finding for finding in findings(stack.graph(known=False), "exposures") if finding.verdict is Verdict.VIOLATED
    ]
    assert [finding.resource for finding in violated] == ["vpc.SecurityGroupIngressRule open"]
