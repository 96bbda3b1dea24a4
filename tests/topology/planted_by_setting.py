"""Planted exposures that one setting, one document or another provider opens, past the network that a plan shows."""

from __future__ import annotations

import json

from policies.guardrails.topology.graph.values import Value
from tests.topology.builders import Ref, Stack
from tests.topology.planted_entry_points import network_balancer
from tests.topology.planted_networks import opened
from tests.topology.planting import planted


def integrated(**more: Value) -> dict[str, Value]:
    """An operation that hands on to an address inside the network."""
    integration = {"type": "http_proxy", "connectionType": "VPC_LINK", "uri": "http://task.test"}
    return {"x-amazon-apigateway-integration": integration, **more}


def described(operation: Value, **document: Value) -> str:
    """An OpenAPI document with one operation."""
    return json.dumps({"openapi": "3.0.1", "paths": {"/{proxy+}": {"get": operation}}, **document})


@planted("unauthenticated", "api.body[get /{proxy+}]")
def an_http_api_with_its_routes_in_a_document(stack: Stack) -> None:
    stack.add("apigatewayv2.Api", "api", protocolType="HTTP", body=described(integrated()))


@planted("unauthenticated", "api.body[get /{proxy+}]")
def a_document_that_asks_for_an_api_key_only(stack: Stack) -> None:
    schemes = {"securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}}
    body = described(integrated(security=[{"key": []}]), components=schemes)
    stack.add("apigateway.RestApi", "api", body=body)


@planted("unauthenticated", "api.body[get /{proxy+}]")
def a_document_of_which_the_authorizer_is_optional(stack: Stack) -> None:
    schemes = {"securityDefinitions": {"jwt": {"type": "oauth2", "x-amazon-apigateway-authorizer": {"type": "jwt"}}}}
    stack.add(
        "apigatewayv2.Api",
        "api",
        protocolType="HTTP",
        body=described(integrated(security=[{"jwt": []}, {}]), **schemes),
    )


@planted("unprotected", "api.")
def a_document_behind_no_firewall(stack: Stack) -> None:
    body = described(integrated(**{"x-amazon-apigateway-auth": {"type": "AWS_IAM"}}))
    stack.add("apigateway.RestApi", "api", body=body)


@planted("exposures", "db.enableHttpEndpoint")
def a_database_that_answers_on_the_public_data_api(stack: Stack) -> None:
    stack["db"]["enableHttpEndpoint"] = True


@planted("exposures", "knowledge.publicConnectivity")
def a_graph_with_public_connectivity(stack: Stack) -> None:
    stack.add("neptunegraph.Graph", "knowledge", provisionedMemory=16, publicConnectivity=True)


@planted("exposures", "search.vpcOptions")
def a_search_domain_outside_the_network(stack: Stack) -> None:
    stack.add("elasticsearch.Domain", "search")


@planted("exposures", "site.settings")
def a_beanstalk_environment_with_its_default_load_balancer(stack: Stack) -> None:
    setting = {"namespace": "aws:ec2:vpc", "name": "VPCId", "value": Ref("vpc")}
    stack.add("elasticbeanstalk.Environment", "site", application="site", settings=[setting])


@planted("exposures", "shell.subnetId")
def a_development_endpoint_outside_the_network(stack: Stack) -> None:
    stack.add("glue.DevEndpoint", "shell", roleArn="arn:aws:iam::111122223333:role/glue")


@planted("exposures", "rules.policy")
def a_network_policy_that_admits_the_internet(stack: Stack) -> None:
    rules = [{"ResourceType": "collection", "Resource": ["collection/notes"]}]
    policy = json.dumps([{"Rules": rules, "AllowFromPublic": True}])
    stack.add("opensearch.ServerlessSecurityPolicy", "rules", type="network", name="notes", policy=policy)


@planted("exposures", "job.containerProperties")
def a_job_with_a_public_address(stack: Stack) -> None:
    properties = {"image": "app", "networkConfiguration": {"assignPublicIp": "ENABLED"}}
    stack.add("batch.JobDefinition", "job", type="container", containerProperties=json.dumps(properties))


@planted("exposures", "app.networkConfiguration.ingressConfiguration.isPubliclyAccessible")
def an_app_runner_service_with_its_default_ingress(stack: Stack) -> None:
    stack.add("apprunner.Service", "app", serviceName="app")


@planted("exposures", "next.networkConfiguration.assignPublicIp")
def a_task_set_with_a_public_address(stack: Stack) -> None:
    network = {"subnets": [Ref("private-a")], "securityGroups": [Ref("task-sg")], "assignPublicIp": True}
    stack.add("ecs.TaskSet", "next", service=Ref("service"), taskDefinition="app:2", networkConfiguration=network)


@planted("exposures", "pool.securityGroupIds", "planted.cidrIpv4", any_of=True)
def a_serverless_cache_with_an_open_group(stack: Stack) -> None:
    stack.add(
        "elasticache.ServerlessCache",
        "pool",
        engine="valkey",
        subnetIds=[Ref("private-a")],
        securityGroupIds=[Ref("state-sg")],
    )
    opened(stack, "state", cidrIpv4="0.0.0.0/0")


@planted("exposures", "planted.cidrIpv4")
def a_peered_network_of_public_addresses(stack: Stack) -> None:
    stack.add("ec2.VpcPeeringConnection", "peer", vpcId=Ref("vpc"), peerVpcId="vpc-other")
    stack.add(
        "ec2.Route", "to-peer", routeTableId=Ref("private"), destinationCidrBlock="198.51.100.0/24",
        vpcPeeringConnectionId=Ref("peer"),
    )  # fmt: skip
    opened(stack, "state", cidrIpv4="198.51.100.0/24")


@planted("exposures", "db.dbSubnetGroupName")
def an_internet_route_beside_a_transit_gateway(stack: Stack) -> None:
    stack.add("ec2transitgateway.TransitGateway", "hub")
    for name, block, target in (("all", "0.0.0.0/0", "transitGatewayId"), ("some", "192.0.2.0/24", "gatewayId")):
        to = {target: Ref("hub" if target == "transitGatewayId" else "igw")}
        stack.add("ec2.Route", f"by-{name}", routeTableId=Ref("private"), destinationCidrBlock=block, **to)


@planted("exposures", "db.dbSubnetGroupName")
def ipv6_both_ways_beside_an_egress_only_gateway(stack: Stack) -> None:
    stack.add("ec2.EgressOnlyInternetGateway", "eigw", vpcId=Ref("vpc"))
    stack["private-a"]["ipv6CidrBlock"] = "2600:1f18::/64"
    for name, block, target, to in (
        ("out", "::/0", "egressOnlyGatewayId", "eigw"),
        ("half", "2000::/4", "gatewayId", "igw"),
    ):
        stack.add(
            "ec2.Route", f"v6-{name}", routeTableId=Ref("private"), destinationIpv6CidrBlock=block, **{target: Ref(to)}
        )


@planted("not_modelled", "planted.")
def a_group_rule_by_another_provider(stack: Stack) -> None:
    stack.add(
        "aws-native:ec2:SecurityGroupIngress", "planted", groupId=Ref("task-sg"), ipProtocol="tcp", cidrIp="0.0.0.0/0"
    )


@planted("not_modelled", "service.")
def a_service_offered_through_lattice(stack: Stack) -> None:
    stack["service"].inputs["vpcLatticeConfigurations"] = [{"portName": "web", "targetGroupArn": "arn:tg"}]


@planted("not_modelled", "planted.")
def a_database_behind_a_lattice_resource_of_other_accounts(stack: Stack) -> None:
    """The resource alone admits no one: what associates a network with it, or shares it, is reported."""
    stack.add("vpclattice.ResourceConfiguration", "inner", resourceGatewayIdentifier="rgw-1")
    stack.add("ram.ResourceAssociation", "planted", resourceArn=Ref("inner", "arn"), resourceShareArn="arn:share")


@planted("not_modelled", "planted.")
def a_database_that_is_public_by_design(stack: Stack) -> None:
    stack.add("dsql.Cluster", "planted")


@planted("unauthenticated", "tcp.defaultActions[0]")
def a_distribution_into_the_network(stack: Stack) -> None:
    network_balancer(stack, internal=True)
    stack.add("cloudfront.VpcOrigin", "inner", vpcOriginEndpointConfig={"arn": Ref("nlb", "arn"), "httpsPort": 443})
    origin = {"domainName": "inner.test", "originId": "one", "vpcOriginConfig": {"vpcOriginId": Ref("inner")}}
    stack.add(
        "cloudfront.Distribution", "cdn", enabled=True, origins=[origin], defaultCacheBehavior={"targetOriginId": "one"}
    )
