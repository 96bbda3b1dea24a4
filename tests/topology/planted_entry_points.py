"""Planted exposures of load balancers, front doors and services that are public by their own setting."""

from __future__ import annotations

from tests.topology.builders import OIDC, Ref, Stack, forward
from tests.topology.planting import planted

PLAIN = {"type": "forward", "targetGroupArn": Ref("target", "arn")}


def network_balancer(stack: Stack, *, internal: bool) -> None:
    """A network load balancer that hands TCP on to the task."""
    subnets = [Ref("private-a" if internal else "public-a")]
    stack.add("lb.LoadBalancer", "nlb", loadBalancerType="network", internal=internal, subnets=subnets)
    stack.add("lb.Listener", "tcp", loadBalancerArn=Ref("nlb", "arn"), port=443, protocol="TCP", defaultActions=[PLAIN])


@planted("unauthenticated", "planted.actions[0]")
def a_rule_that_forwards_without_authentication(stack: Stack) -> None:
    stack.add("lb.ListenerRule", "planted", listenerArn=Ref("https", "arn"), priority=1, actions=[PLAIN])


@planted("unauthenticated", "https.defaultActions[0]")
def a_default_action_that_forwards(stack: Stack) -> None:
    stack["https"]["defaultActions"] = [PLAIN]


@planted("unauthenticated", "http.defaultActions[0]", "edge-http.cidrIpv4", any_of=True)
def plain_http_that_forwards(stack: Stack) -> None:
    stack.add(
        "vpc.SecurityGroupIngressRule", "edge-http", securityGroupId=Ref("edge-sg"), ipProtocol="tcp", fromPort=80,
        toPort=80, cidrIpv4="0.0.0.0/0",
    )  # fmt: skip
    stack["http"]["defaultActions"] = [PLAIN]


@planted("unauthenticated", "pages.actions[1]")
def authentication_that_allows_strangers(stack: Stack) -> None:
    allow = {**OIDC, "authenticateOidc": {"onUnauthenticatedRequest": "allow"}}
    stack["pages"]["actions"] = [allow, forward()]


@planted("unauthenticated", "pages.actions[1]")
def authentication_ordered_behind_the_forward(stack: Stack) -> None:
    stack["pages"]["actions"] = [{**OIDC, "order": 2}, forward(order=1)]


@planted("unauthenticated", "planted.actions[0]")
def weighted_forward_without_authentication(stack: Stack) -> None:
    groups = [{"arn": Ref("target", "arn"), "weight": 1}]
    actions = [{"type": "forward", "forward": {"targetGroups": groups}}]
    stack.add("lb.ListenerRule", "planted", listenerArn=Ref("https", "arn"), priority=1, actions=actions)


@planted("unauthenticated", "planted.actions[0]")
def older_module_name_of_a_rule(stack: Stack) -> None:
    stack.add("aws:alb/listenerRule:ListenerRule", "planted", listenerArn=Ref("https", "arn"), actions=[PLAIN])


@planted("unprotected", "edge.")
def the_firewall_association_left_out(stack: Stack) -> None:
    stack.drop("acl-edge")


@planted("unprotected", "edge.")
def a_firewall_that_only_counts(stack: Stack) -> None:
    stack["acl"]["rules"] = [
        {"name": "size", "priority": 1, "action": {"count": {}}},
        {"name": "core", "priority": 2, "overrideAction": {"count": {}}},
    ]


@planted("unprotected", "second.")
def a_second_load_balancer_without_a_firewall(stack: Stack) -> None:
    stack.add(
        "lb.LoadBalancer",
        "second",
        loadBalancerType="application",
        subnets=[Ref("public-a")],
        securityGroups=[Ref("edge-sg")],
    )
    stack.add(
        "lb.Listener",
        "also",
        loadBalancerArn=Ref("second", "arn"),
        port=443,
        protocol="HTTPS",
        defaultActions=[OIDC, forward()],
    )


@planted("unauthenticated", "tcp.defaultActions[0]")
def a_network_load_balancer_to_the_task(stack: Stack) -> None:
    network_balancer(stack, internal=False)


@planted("unprotected", "nlb.")
def a_network_load_balancer_in_front_of_nothing_else(stack: Stack) -> None:
    network_balancer(stack, internal=False)


@planted("unauthenticated", "tcp.defaultActions[0]")
def a_network_load_balancer_to_a_database_address(stack: Stack) -> None:
    stack.add("lb.TargetGroup", "db-target", port=5432, protocol="TCP", targetType="ip")
    stack.add("lb.TargetGroupAttachment", "db-address", targetGroupArn=Ref("db-target", "arn"), targetId="10.0.10.7")
    network_balancer(stack, internal=False)
    stack["tcp"]["defaultActions"] = [{"type": "forward", "targetGroupArn": Ref("db-target", "arn")}]


@planted("unauthenticated", "classic.instances")
def a_classic_load_balancer_to_an_instance(stack: Stack) -> None:
    stack.add(
        "elb.LoadBalancer",
        "classic",
        subnets=[Ref("public-a")],
        securityGroups=[Ref("edge-sg")],
        instances=[Ref("worker")],
    )


@planted("exposures", "planted.cidrIpv4")
def an_internal_load_balancer_with_an_open_group(stack: Stack) -> None:
    stack.add("ec2.SecurityGroup", "inner-sg", vpcId=Ref("vpc"))
    stack.add(
        "vpc.SecurityGroupIngressRule", "planted", securityGroupId=Ref("inner-sg"), ipProtocol="tcp", fromPort=443,
        toPort=443, cidrIpv4="0.0.0.0/0",
    )  # fmt: skip
    stack.add("lb.LoadBalancer", "inner", internal=True, subnets=[Ref("private-a")], securityGroups=[Ref("inner-sg")])


@planted("unauthenticated", "inner-listener.defaultActions[0]")
def an_outer_network_load_balancer_in_front_of_an_inner_one(stack: Stack) -> None:
    network_balancer(stack, internal=False)
    stack.add("lb.LoadBalancer", "inner", internal=True, subnets=[Ref("private-a")], securityGroups=[Ref("task-sg")])
    stack.add(
        "lb.Listener",
        "inner-listener",
        loadBalancerArn=Ref("inner", "arn"),
        port=80,
        protocol="HTTP",
        defaultActions=[PLAIN],
    )
    stack.add("lb.TargetGroup", "to-inner", port=80, protocol="TCP", targetType="alb")
    stack.add(
        "lb.TargetGroupAttachment", "inner-target", targetGroupArn=Ref("to-inner", "arn"), targetId=Ref("inner", "arn")
    )
    stack["tcp"]["defaultActions"] = [{"type": "forward", "targetGroupArn": Ref("to-inner", "arn")}]


@planted("unauthenticated", "tcp.defaultActions[0]")
def an_accelerator_in_front_of_an_internal_balancer(stack: Stack) -> None:
    network_balancer(stack, internal=True)
    stack.add("globalaccelerator.Accelerator", "fast", enabled=True)
    stack.add("globalaccelerator.Listener", "fast-tcp", acceleratorArn=Ref("fast", "arn"))
    ends = [{"endpointId": Ref("nlb", "arn")}]
    stack.add(
        "globalaccelerator.EndpointGroup", "ends", listenerArn=Ref("fast-tcp", "arn"), endpointConfigurations=ends
    )


@planted("unauthenticated", "ends.endpointConfigurations")
def an_accelerator_in_front_of_an_instance(stack: Stack) -> None:
    stack.add("globalaccelerator.Accelerator", "fast")
    stack.add("globalaccelerator.Listener", "fast-tcp", acceleratorArn=Ref("fast", "arn"))
    ends = [{"endpointId": Ref("worker")}]
    stack.add(
        "globalaccelerator.EndpointGroup", "ends", listenerArn=Ref("fast-tcp", "arn"), endpointConfigurations=ends
    )


def distribution(stack: Stack, origin: dict[str, object], **more: object) -> None:
    """A distribution with one origin."""
    stack.add(
        "cloudfront.Distribution", "cdn", enabled=True, origins=[{"originId": "o", **origin}],
        defaultCacheBehavior={"targetOriginId": "o"}, **more,
    )  # fmt: skip


@planted("unauthenticated", "tcp.defaultActions[0]")
def a_distribution_with_a_private_origin(stack: Stack) -> None:
    network_balancer(stack, internal=True)
    stack.add("cloudfront.VpcOrigin", "origin", vpcOriginEndpointConfig={"arn": Ref("nlb", "arn")})
    distribution(stack, {"domainName": "x.test", "vpcOriginConfig": {"vpcOriginId": Ref("origin")}})


@planted("unprotected", "cdn.")
def a_distribution_without_a_firewall(stack: Stack) -> None:
    network_balancer(stack, internal=True)
    distribution(stack, {"domainName": Ref("nlb", "dnsName")})


@planted("unprotected", "cdn.")
def a_distribution_whose_origin_is_an_alias_record(stack: Stack) -> None:
    network_balancer(stack, internal=True)
    aliases = [{"name": Ref("nlb", "dnsName"), "zoneId": "Z1"}]
    stack.add("route53.Record", "alias", name="origin.example.org", type="A", aliases=aliases)
    distribution(stack, {"domainName": "origin.example.org"})


@planted("unauthenticated", "tcp.defaultActions[0]")
def an_http_api_with_a_vpc_link(stack: Stack) -> None:
    network_balancer(stack, internal=True)
    stack.add("apigatewayv2.Api", "api", protocolType="HTTP")
    stack.add("apigatewayv2.VpcLink", "link", subnetIds=[Ref("private-a")], securityGroupIds=[Ref("task-sg")])
    stack.add(
        "apigatewayv2.Integration", "integration", apiId=Ref("api"), connectionType="VPC_LINK", connectionId=Ref("link"),
        integrationUri=Ref("tcp", "arn"), integrationType="HTTP_PROXY",
    )  # fmt: skip
    stack.add("apigatewayv2.Route", "route", apiId=Ref("api"), routeKey="$default", target=Ref("integration"))


@planted("unauthenticated", "route.authorizationType")
def an_http_api_to_a_function(stack: Stack) -> None:
    stack.add("apigatewayv2.Api", "api", protocolType="HTTP")
    stack.add("apigatewayv2.Integration", "integration", apiId=Ref("api"), integrationUri=Ref("hook", "arn"))
    stack.add("apigatewayv2.Route", "route", apiId=Ref("api"), routeKey="$default", target=Ref("integration"))


@planted("unauthenticated", "tcp.defaultActions[0]")
def a_rest_api_with_a_vpc_link(stack: Stack) -> None:
    network_balancer(stack, internal=True)
    stack.add("apigateway.RestApi", "api", endpointConfiguration={"types": "REGIONAL"})
    stack.add("apigateway.VpcLink", "link", targetArn=Ref("nlb", "arn"))
    stack.add(
        "apigateway.Method", "method", restApi=Ref("api"), resourceId="root", httpMethod="ANY", authorization="NONE"
    )
    stack.add(
        "apigateway.Integration", "integration", restApi=Ref("api"), resourceId="root", httpMethod="ANY", type="HTTP_PROXY",
        connectionType="VPC_LINK", connectionId=Ref("link"), uri="http://x.test",
    )  # fmt: skip


@planted("unauthenticated", "url.authorizationType")
def a_function_url_for_everyone(stack: Stack) -> None:
    stack.add("lambda.FunctionUrl", "url", functionName=Ref("hook", "name"), authorizationType="NONE")


@planted("exposures", "search.vpcOptions")
def a_search_domain_outside_of_the_network(stack: Stack) -> None:
    stack.add("opensearch.Domain", "search", engineVersion="OpenSearch_2.11")


@planted("exposures", "cluster.vpcConfig.endpointPublicAccess")
def a_kubernetes_cluster_with_its_default_endpoint(stack: Stack) -> None:
    stack.add("eks.Cluster", "cluster", vpcConfig={"subnetIds": [Ref("private-a"), Ref("private-b")]})


@planted("exposures", "warehouse.publiclyAccessible")
def a_public_warehouse(stack: Stack) -> None:
    stack.add("redshift.SubnetGroup", "warehouse-subnets", subnetIds=[Ref("private-a")])
    stack.add(
        "redshift.Cluster", "warehouse", clusterSubnetGroupName=Ref("warehouse-subnets", "name"), publiclyAccessible=True,
        vpcSecurityGroupIds=[Ref("state-sg")],
    )  # fmt: skip


@planted("exposures", "offer.allowedPrincipals")
def an_endpoint_service_for_every_account(stack: Stack) -> None:
    network_balancer(stack, internal=True)
    stack.add(
        "ec2.VpcEndpointService", "offer", acceptanceRequired=False, networkLoadBalancerArns=[Ref("nlb", "arn")],
        allowedPrincipals=["*"],
    )  # fmt: skip


@planted("exposures", "anyone.principalArn")
def a_separate_principal_for_every_account(stack: Stack) -> None:
    network_balancer(stack, internal=True)
    stack.add("ec2.VpcEndpointService", "offer", acceptanceRequired=True, networkLoadBalancerArns=[Ref("nlb", "arn")])
    stack.add("ec2.VpcEndpointServiceAllowedPrinciple", "anyone", vpcEndpointServiceId=Ref("offer"), principalArn="*")


@planted("exposures", "sftp.endpointType")
def a_file_transfer_server_on_its_default_endpoint(stack: Stack) -> None:
    stack.add("transfer.Server", "sftp", protocols=["SFTP"])


@planted("exposures", "brokers.brokerNodeGroupInfo.connectivityInfo.publicAccess.type")
def brokers_with_public_addresses(stack: Stack) -> None:
    nodes = {
        "clientSubnets": [Ref("private-a"), Ref("private-b")], "securityGroups": [Ref("state-sg")],
        "connectivityInfo": {"publicAccess": {"type": "SERVICE_PROVIDED_EIPS"}},
    }  # fmt: skip
    stack.add("msk.Cluster", "brokers", brokerNodeGroupInfo=nodes)


@planted("not_modelled", "site.")
def a_type_that_is_not_modelled(stack: Stack) -> None:
    stack.add("amplify.App", "site", name="site")


@planted("not_modelled", "opaque.")
def a_template_that_a_plan_cannot_see_into(stack: Stack) -> None:
    stack.add("cloudformation.Stack", "opaque", templateBody="{}")


@planted("not_modelled", "native.")
def an_unknown_type_with_a_public_address_property(stack: Stack) -> None:
    stack.add("aws-native:ec2:Instance", "native", subnetId=Ref("public-a"))


@planted("bypasses", "planted.referencedSecurityGroupId")
def another_group_that_speaks_to_the_task(stack: Stack) -> None:
    stack.add(
        "vpc.SecurityGroupIngressRule", "planted", securityGroupId=Ref("task-sg"), ipProtocol="tcp", fromPort=8443,
        toPort=8443, referencedSecurityGroupId=Ref("state-sg"),
    )  # fmt: skip


@planted("bypasses", "planted.cidrIpv4")
def the_whole_network_that_speaks_to_the_task(stack: Stack) -> None:
    stack.add(
        "vpc.SecurityGroupIngressRule", "planted", securityGroupId=Ref("task-sg"), ipProtocol="tcp", fromPort=8000,
        toPort=9000, cidrIpv4="10.0.0.0/16",
    )  # fmt: skip


@planted("bypasses", "task-sg.ingress[0].securityGroups", "task-sg.ingress[0]", any_of=True)
def tasks_that_speak_to_each_other_on_every_port(stack: Stack) -> None:
    stack["task-sg"]["ingress"] = [{"protocol": "-1", "fromPort": 0, "toPort": 0, "self": True}]


@planted("exposures", "web.ingress[0].cidrBlocks")
def an_instance_that_names_its_open_group_by_name(stack: Stack) -> None:
    stack.add(
        "ec2.SecurityGroup",
        "web",
        ingress=[{"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]}],
    )
    stack.add("ec2.Instance", "box", securityGroups=[Ref("web", "name")])


@planted("unprotected", "api.")
def a_rest_api_of_which_one_stage_has_no_firewall(stack: Stack) -> None:
    stack.add("apigateway.RestApi", "api", endpointConfiguration={"types": "REGIONAL"})
    for name in ("first", "second"):
        stack.add("apigateway.Stage", name, restApi=Ref("api"), stageName=name)
    stack.add("wafv2.WebAclAssociation", "acl-first", resourceArn=Ref("first", "arn"), webAclArn=Ref("acl", "arn"))
    stack.add(
        "apigateway.Method", "method", restApi=Ref("api"), resourceId="root", httpMethod="ANY", authorization="AWS_IAM"
    )
    stack.add(
        "apigateway.Integration", "integration", restApi=Ref("api"), resourceId="root", httpMethod="ANY", type="AWS_PROXY",
        uri=Ref("hook", "arn"),
    )  # fmt: skip
