"""Changes to the compliant stack that expose nothing and have to stay silent."""

from __future__ import annotations

from tests.topology.builders import OIDC, Ref, Stack, forward
from tests.topology.planting import Change

SAFE: list[Change] = []


def safe(change: Change) -> Change:
    """Register a safe variant."""
    SAFE.append(change)
    return change


def rule(stack: Stack, group: str, **source: object) -> None:
    """One more rule on a group."""
    ports = {"ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432}
    stack.add("vpc.SecurityGroupIngressRule", "more", **{**ports, "securityGroupId": Ref(f"{group}-sg"), **source})


@safe
def nothing_changed(stack: Stack) -> None:
    assert len(stack.entries) > 0


@safe
def the_private_blocks_reach_the_database(stack: Stack) -> None:
    rule(stack, "state", cidrIpv4="10.0.0.0/8")


@safe
def the_network_has_a_block_that_is_not_private(stack: Stack) -> None:
    stack["vpc"]["cidrBlock"] = "11.7.0.0/16"
    rule(stack, "state", cidrIpv4="11.7.0.0/16")


@safe
def unique_local_addresses_reach_the_database(stack: Stack) -> None:
    rule(stack, "state", cidrIpv6="fd00::/8")


@safe
def path_mtu_messages_from_anywhere(stack: Stack) -> None:
    rule(stack, "task", ipProtocol="icmp", fromPort=3, toPort=4, cidrIpv4="0.0.0.0/0")


@safe
def a_group_that_admits_itself(stack: Stack) -> None:
    stack["state-sg"]["ingress"] = [{"protocol": "-1", "fromPort": 0, "toPort": 0, "self": True}]


@safe
def an_older_rule_by_reference(stack: Stack) -> None:
    stack.add(
        "ec2.SecurityGroupRule", "more", type="ingress", securityGroupId=Ref("state-sg"), protocol="tcp", fromPort=5432,
        toPort=5432, sourceSecurityGroupId=Ref("task-sg"),
    )  # fmt: skip


@safe
def egress_to_anywhere(stack: Stack) -> None:
    stack.add(
        "vpc.SecurityGroupEgressRule", "more", securityGroupId=Ref("task-sg"), ipProtocol="-1", cidrIpv4="0.0.0.0/0"
    )
    stack["state-sg"]["egress"] = [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}]


@safe
def an_open_group_that_nothing_internal_has(stack: Stack) -> None:
    stack.add(
        "ec2.SecurityGroup", "unused", vpcId=Ref("vpc"), ingress=[{"protocol": "-1", "cidrBlocks": ["0.0.0.0/0"]}]
    )


@safe
def a_prefix_list_of_private_blocks(stack: Stack) -> None:
    stack.add("ec2.ManagedPrefixList", "offices", addressFamily="IPv4", entries=[{"cidr": "10.0.0.0/8"}])
    rule(stack, "state", prefixListId=Ref("offices"))


@safe
def a_nat_gateway_for_the_private_subnets(stack: Stack) -> None:
    stack.add("ec2.NatGateway", "nat", subnetId=Ref("public-a"))
    stack.add(
        "ec2.Route", "more", routeTableId=Ref("private"), destinationCidrBlock="0.0.0.0/0", natGatewayId=Ref("nat")
    )


@safe
def ipv6_outward_only(stack: Stack) -> None:
    stack["private-a"]["ipv6CidrBlock"] = "2600:1f18:1:2::/64"
    stack.add("ec2.EgressOnlyInternetGateway", "eigw", vpcId=Ref("vpc"))
    stack.add(
        "ec2.Route",
        "more",
        routeTableId=Ref("private"),
        destinationIpv6CidrBlock="::/0",
        egressOnlyGatewayId=Ref("eigw"),
    )


@safe
def a_transit_gateway_for_the_private_subnets(stack: Stack) -> None:
    stack.add("ec2transitgateway.TransitGateway", "hub")
    stack.add(
        "ec2transitgateway.VpcAttachment",
        "spoke",
        subnetIds=[Ref("private-a")],
        transitGatewayId=Ref("hub"),
        vpcId=Ref("vpc"),
    )
    stack.add(
        "ec2.Route", "more", routeTableId=Ref("private"), destinationCidrBlock="0.0.0.0/0", transitGatewayId=Ref("hub")
    )


@safe
def a_peering_connection_with_a_private_network(stack: Stack) -> None:
    stack.add("ec2.VpcPeeringConnection", "peer", vpcId=Ref("vpc"), peerVpcId="vpc-1")
    stack.add(
        "ec2.Route",
        "more",
        routeTableId=Ref("private"),
        destinationCidrBlock="10.9.0.0/16",
        vpcPeeringConnectionId=Ref("peer"),
    )


@safe
def routes_inline_in_the_public_table(stack: Stack) -> None:
    stack.drop("out")
    stack["public"]["routes"] = [{"cidrBlock": "0.0.0.0/0", "gatewayId": Ref("igw")}]


@safe
def private_subnets_by_an_empty_main_table(stack: Stack) -> None:
    stack.drop("private-a-table", "private-b-table")
    stack.add("ec2.MainRouteTableAssociation", "main", vpcId=Ref("vpc"), routeTableId=Ref("private"))


@safe
def a_second_rule_with_a_login(stack: Stack) -> None:
    cognito = {"type": "authenticate-cognito", "authenticateCognito": {"userPoolArn": "arn"}}
    stack.add("lb.ListenerRule", "more", listenerArn=Ref("https", "arn"), priority=2, actions=[cognito, forward()])


@safe
def machine_clients_with_a_token(stack: Stack) -> None:
    token = {
        "type": "jwt-validation",
        "order": 1,
        "jwtValidation": {"issuer": "https://x", "jwksEndpoint": "https://x/k"},
    }
    stack.add("lb.ListenerRule", "more", listenerArn=Ref("https", "arn"), priority=2, actions=[token, forward()])


@safe
def a_rule_that_answers_by_itself(stack: Stack) -> None:
    actions = [{"type": "fixed-response", "fixedResponse": {"statusCode": "404", "contentType": "text/plain"}}]
    stack.add("lb.ListenerRule", "more", listenerArn=Ref("https", "arn"), priority=1, actions=actions)


@safe
def actions_listed_backwards_but_ordered(stack: Stack) -> None:
    stack["pages"]["actions"] = [forward(order=2), {**OIDC, "order": 1}]


@safe
def client_certificates_instead_of_a_login(stack: Stack) -> None:
    stack["https"]["mutualAuthentication"] = {"mode": "verify", "trustStoreArn": "arn:aws:x"}
    stack["pages"]["actions"] = [forward(order=1)]


@safe
def firewall_rules_as_resources_of_their_own(stack: Stack) -> None:
    del stack["acl"].inputs["rules"]
    stack.add("wafv2.WebAclRule", "more", webAclArn=Ref("acl", "arn"), priority=1, action={"block": {}})


@safe
def a_firewall_that_blocks_by_default(stack: Stack) -> None:
    stack["acl"].inputs |= {"rules": [], "defaultAction": {"block": {}}}


@safe
def an_internal_balancer_between_tiers(stack: Stack) -> None:
    stack.add("lb.LoadBalancer", "inner", internal=True, subnets=[Ref("private-a")], securityGroups=[Ref("state-sg")])
    actions = [{"type": "forward", "targetGroupArn": Ref("target", "arn")}]
    stack.add(
        "lb.Listener",
        "inner-listener",
        loadBalancerArn=Ref("inner", "arn"),
        port=80,
        protocol="HTTP",
        defaultActions=actions,
    )


@safe
def a_function_url_for_signed_callers(stack: Stack) -> None:
    stack.add("lambda.FunctionUrl", "url", functionName=Ref("hook", "name"), authorizationType="AWS_IAM")


@safe
def a_disabled_distribution(stack: Stack) -> None:
    stack.add(
        "cloudfront.Distribution", "cdn", enabled=False, origins=[{"originId": "o", "domainName": Ref("edge", "dnsName")}],
        defaultCacheBehavior={"targetOriginId": "o"},
    )  # fmt: skip


@safe
def a_kubernetes_cluster_with_a_private_endpoint(stack: Stack) -> None:
    config = {
        "subnetIds": [Ref("private-a"), Ref("public-a")],
        "endpointPublicAccess": False,
        "securityGroupIds": [Ref("task-sg")],
    }
    stack.add("eks.Cluster", "cluster", vpcConfig=config)


@safe
def a_search_domain_in_the_network(stack: Stack) -> None:
    options = {"subnetIds": [Ref("private-a")], "securityGroupIds": [Ref("state-sg")]}
    stack.add("opensearch.Domain", "search", vpcOptions=options)


@safe
def an_endpoint_service_for_one_account(stack: Stack) -> None:
    stack.add(
        "ec2.VpcEndpointService", "offer", acceptanceRequired=True, networkLoadBalancerArns=[],
        allowedPrincipals=["arn:aws:iam::111122223333:root"],
    )  # fmt: skip


@safe
def an_instance_group_without_public_addresses(stack: Stack) -> None:
    stack.add("ec2.LaunchTemplate", "template", vpcSecurityGroupIds=[Ref("task-sg")])
    stack.add(
        "autoscaling.Group", "fleet", vpcZoneIdentifiers=[Ref("private-a")], launchTemplate={"id": Ref("template")}
    )


@safe
def a_private_rest_api(stack: Stack) -> None:
    stack.add("apigateway.RestApi", "api", endpointConfiguration={"types": "PRIVATE"})


@safe
def buckets_keys_and_logs(stack: Stack) -> None:
    stack.add("s3.Bucket", "uploads")
    stack.add("kms.Key", "key")
    stack.add("cloudwatch.LogGroup", "logs", retentionInDays=30)


@safe
def other_ports_of_the_task_for_its_own_network(stack: Stack) -> None:
    rule(stack, "task", cidrIpv4="10.0.0.0/16", fromPort=9901, toPort=9901)


@safe
def a_second_balancer_with_a_login_and_a_firewall(stack: Stack) -> None:
    stack.add("lb.LoadBalancer", "second", subnets=[Ref("public-a")], securityGroups=[Ref("edge-sg")])
    stack.add(
        "lb.Listener", "second-https", loadBalancerArn=Ref("second", "arn"), port=443, protocol="HTTPS",
        defaultActions=[OIDC, forward()],
    )  # fmt: skip
    stack.add("wafv2.WebAclAssociation", "acl-second", resourceArn=Ref("second", "arn"), webAclArn=Ref("acl", "arn"))


@safe
def an_endpoint_with_its_subnets_declared_apart(stack: Stack) -> None:
    del stack["bedrock"].inputs["subnetIds"]
    stack.add("ec2.VpcEndpointSubnetAssociation", "more", vpcEndpointId=Ref("bedrock"), subnetId=Ref("private-a"))


@safe
def a_distribution_of_files_in_a_bucket(stack: Stack) -> None:
    stack.add("s3.Bucket", "files-bucket")
    stack.add(
        "cloudfront.Distribution", "cdn", enabled=True, defaultCacheBehavior={"targetOriginId": "o"},
        origins=[{"originId": "o", "domainName": Ref("files-bucket", "bucketRegionalDomainName")}],
    )  # fmt: skip


@safe
def a_rest_api_with_a_firewall_and_signed_callers(stack: Stack) -> None:
    stack.add("apigateway.RestApi", "api", endpointConfiguration={"types": "REGIONAL"})
    stack.add("apigateway.RestApi", "other", endpointConfiguration={"types": "PRIVATE"})
    stack.add("apigateway.Stage", "stage", restApi=Ref("api"), stageName="v1")
    stack.add("apigateway.Stage", "other-stage", restApi=Ref("other"), stageName="v1")
    stack.add("wafv2.WebAclAssociation", "acl-stage", resourceArn=Ref("stage", "arn"), webAclArn=Ref("acl", "arn"))
    stack.add(
        "apigateway.Method", "method", restApi=Ref("api"), resourceId="root", httpMethod="ANY", authorization="AWS_IAM"
    )
    stack.add(
        "apigateway.Integration", "integration", restApi=Ref("api"), resourceId="root", httpMethod="ANY", type="AWS_PROXY",
        uri=Ref("hook", "arn"),
    )  # fmt: skip


@safe
def routes_to_the_network_itself_and_to_a_gateway_endpoint(stack: Stack) -> None:
    stack["private"]["routes"] = [
        {"cidrBlock": "10.0.0.0/16", "gatewayId": "local"},
        {"cidrBlock": "52.218.0.0/17", "gatewayId": Ref("s3")},
    ]


@safe
def a_table_for_what_arrives_at_the_internet_gateway(stack: Stack) -> None:
    stack.add("ec2.RouteTable", "arriving", vpcId=Ref("vpc"))
    stack.add("ec2.RouteTableAssociation", "arriving-table", gatewayId=Ref("igw"), routeTableId=Ref("arriving"))
