"""Safe variants beside what one setting, one document or another provider could open."""

from __future__ import annotations

from tests.topology.builders import Ref, Stack
from tests.topology.planted_by_setting import described, integrated
from tests.topology.safe_variants import safe

AUTHORIZED = {"securityDefinitions": {"own": {"type": "apiKey", "x-amazon-apigateway-authorizer": {"type": "request"}}}}


@safe
def a_private_api_with_its_routes_in_a_document(stack: Stack) -> None:
    stack.add("apigateway.RestApi", "api", endpointConfiguration={"types": "PRIVATE"}, body=described(integrated()))


@safe
def a_document_with_an_authorizer_behind_a_firewall(stack: Stack) -> None:
    stack.add("apigateway.RestApi", "api", body=described(integrated(), security=[{"own": []}], **AUTHORIZED))
    stack.add("apigateway.Stage", "live", restApi=Ref("api"), deployment="d", stageName="live")
    stack.add("wafv2.WebAclAssociation", "acl-api", resourceArn=Ref("live", "arn"), webAclArn=Ref("acl", "arn"))


@safe
def a_document_that_only_answers_by_itself(stack: Stack) -> None:
    operation = {"x-amazon-apigateway-integration": {"type": "MOCK"}}
    stack.add("apigatewayv2.Api", "api", protocolType="HTTP", body=described(operation))


@safe
def a_database_without_the_data_api(stack: Stack) -> None:
    stack["db"]["enableHttpEndpoint"] = False


@safe
def a_graph_inside_the_network(stack: Stack) -> None:
    stack.add("neptunegraph.Graph", "knowledge", provisionedMemory=16, publicConnectivity=False)


@safe
def a_task_set_like_its_service(stack: Stack) -> None:
    network = {"subnets": [Ref("private-a")], "securityGroups": [Ref("task-sg")], "assignPublicIp": False}
    stack.add("ecs.TaskSet", "next", service=Ref("service"), taskDefinition="app:2", networkConfiguration=network)


@safe
def a_read_replica_in_the_same_place(stack: Stack) -> None:
    stack.add(
        "rds.Instance", "replica", replicateSourceDb=Ref("reports"), dbSubnetGroupName=Ref("db-subnets", "name"),
        vpcSecurityGroupIds=[Ref("state-sg")], publiclyAccessible=False,
    )  # fmt: skip


@safe
def a_serverless_cache_for_the_tasks(stack: Stack) -> None:
    stack.add(
        "elasticache.ServerlessCache",
        "pool",
        engine="valkey",
        subnetIds=[Ref("private-a")],
        securityGroupIds=[Ref("state-sg")],
    )


@safe
def an_address_of_a_nat_gateway(stack: Stack) -> None:
    address = stack.add("ec2.Eip", "nat-address", domain="vpc")
    stack.add("ec2.NatGateway", "nat", subnetId=Ref("public-a"), allocationId=address)


@safe
def logs_by_another_provider(stack: Stack) -> None:
    stack.add("aws-native:logs:LogGroup", "log", retentionInDays=30)


@safe
def a_second_private_service(stack: Stack) -> None:
    stack.add("ec2.SecurityGroup", "jobs-sg", vpcId=Ref("vpc"))
    network = {"subnets": [Ref("private-b")], "securityGroups": [Ref("jobs-sg")]}
    stack.add("ecs.Service", "jobs", networkConfiguration=network)


@safe
def a_third_private_subnet(stack: Stack) -> None:
    stack.add("ec2.Subnet", "private-c", vpcId=Ref("vpc"), cidrBlock="10.0.12.0/24")
    stack.add("ec2.RouteTableAssociation", "private-c-table", subnetId=Ref("private-c"), routeTableId=Ref("private"))
    stack["db-subnets"]["subnetIds"] = [Ref("private-a"), Ref("private-b"), Ref("private-c")]


@safe
def names_of_the_balancer(stack: Stack) -> None:
    aliases = [{"name": Ref("edge", "dnsName"), "zoneId": "Z1", "evaluateTargetHealth": True}]
    stack.add("route53.Record", "name", name="chat.example.test", type="A", aliases=aliases)
