"""Planted exposures of groups, addresses, subnets, routes and network ACLs: each one change to a compliant stack."""

from __future__ import annotations

from policies.guardrails.topology.graph.values import Value
from tests.topology.builders import Ref, Stack
from tests.topology.planting import planted


def opened(stack: Stack, group: str, name: str = "planted", **source: Value) -> None:
    """A rule on a group."""
    ports = {"ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432}
    stack.add("vpc.SecurityGroupIngressRule", name, **{**ports, "securityGroupId": Ref(f"{group}-sg"), **source})


@planted("exposures", "planted.cidrIpv4", "two.cidrIpv4")
def database_port_to_two_halves_of_the_internet(stack: Stack) -> None:
    opened(stack, "state", cidrIpv4="0.0.0.0/1")
    opened(stack, "state", "two", cidrIpv4="128.0.0.0/1")


@planted("exposures", "planted.cidrIpv4", "two.cidrIpv4")
def task_port_to_two_halves_of_the_internet(stack: Stack) -> None:
    opened(stack, "task", cidrIpv4="0.0.0.0/1", fromPort=8443, toPort=8443)
    opened(stack, "task", "two", cidrIpv4="128.0.0.0/1", fromPort=8443, toPort=8443)


@planted("exposures", "planted.cidrIpv6")
def database_port_to_all_of_ipv6(stack: Stack) -> None:
    opened(stack, "state", cidrIpv6="::/0")


@planted("exposures", "planted.cidrIpv4")
def every_protocol_to_one_public_block(stack: Stack) -> None:
    opened(stack, "state", ipProtocol="-1", cidrIpv4="52.0.0.0/8")


@planted("exposures", "planted.cidrIpv4")
def numbered_protocol_with_odd_host_bits(stack: Stack) -> None:
    opened(stack, "state", ipProtocol="6", cidrIpv4="203.0.113.7/0", fromPort=0, toPort=65535)


@planted("exposures", "planted.cidrIpv4")
def udp_to_the_endpoints(stack: Stack) -> None:
    opened(stack, "endpoint", ipProtocol="udp", cidrIpv4="0.0.0.0/0")


@planted("exposures", "state-sg.ingress[0].cidrBlocks")
def inline_rule(stack: Stack) -> None:
    stack["state-sg"]["ingress"] = [
        {"protocol": "tcp", "fromPort": 5432, "toPort": 5432, "cidrBlocks": ["10.0.0.0/8", "0.0.0.0/0"]}
    ]


@planted("exposures", "task-sg.ingress[1].ipv6CidrBlocks")
def inline_rule_for_ipv6_behind_a_safe_one(stack: Stack) -> None:
    stack["task-sg"]["ingress"] = [
        {"protocol": "tcp", "fromPort": 8443, "toPort": 8443, "securityGroups": [Ref("edge-sg")]},
        {"protocol": "-1", "fromPort": 0, "toPort": 0, "ipv6CidrBlocks": ["2000::/3"]},
    ]


@planted("exposures", "planted.cidrBlocks")
def older_rule_resource(stack: Stack) -> None:
    stack.add(
        "ec2.SecurityGroupRule", "planted", type="ingress", securityGroupId=Ref("state-sg"), protocol="tcp",
        fromPort=0, toPort=65535, cidrBlocks=["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/1"],
    )  # fmt: skip


@planted("exposures", "planted.prefixListId")
def prefix_list_with_everything(stack: Stack) -> None:
    stack.add("ec2.ManagedPrefixList", "offices", addressFamily="IPv4", entries=[{"cidr": "0.0.0.0/0"}])
    opened(stack, "state", prefixListId=Ref("offices"))


@planted("exposures", "planted.prefixListId")
def prefix_list_entry_resource(stack: Stack) -> None:
    stack.add("ec2.ManagedPrefixList", "offices", addressFamily="IPv4")
    stack.add("ec2.ManagedPrefixListEntry", "everyone", prefixListId=Ref("offices"), cidr="0.0.0.0/0")
    opened(stack, "state", prefixListId=Ref("offices"))


@planted("exposures", "edge-in.cidrIpv4")
def the_edge_group_on_a_database(stack: Stack) -> None:
    stack["db"]["vpcSecurityGroupIds"] = [Ref("state-sg"), Ref("edge-sg")]


@planted("exposures", "edge-in.cidrIpv4")
def the_edge_group_on_a_service(stack: Stack) -> None:
    stack["service"]["networkConfiguration"]["securityGroups"] = [Ref("task-sg"), Ref("edge-sg")]


@planted("exposures", "locked.ingress[0].cidrBlocks")
def the_default_group_opened_under_a_file_system(stack: Stack) -> None:
    stack["locked"]["ingress"] = [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}]
    del stack["files"].inputs["securityGroups"]


@planted("exposures", "edge-in.cidrIpv4")
def an_open_group_attached_to_an_interface_from_outside(stack: Stack) -> None:
    stack.add(
        "ec2.NetworkInterfaceSecurityGroupAttachment", "planted", securityGroupId=Ref("edge-sg"),
        networkInterfaceId=Ref("worker", "primaryNetworkInterfaceId"),
    )  # fmt: skip


@planted("exposures", "edge-in.cidrIpv4")
def an_open_group_associated_with_an_endpoint(stack: Stack) -> None:
    stack.add("ec2.SecurityGroupAssociation", "planted", securityGroupId=Ref("edge-sg"), vpcEndpointId=Ref("bedrock"))


@planted("exposures", "service.networkConfiguration.assignPublicIp")
def public_address_on_a_task_behind_a_closed_group(stack: Stack) -> None:
    stack["service"]["networkConfiguration"]["assignPublicIp"] = True


@planted("exposures", "service.networkConfiguration.subnets", "service.networkConfiguration.assignPublicIp")
def task_in_public_subnets_with_a_public_address(stack: Stack) -> None:
    network = stack["service"]["networkConfiguration"]
    network["subnets"], network["assignPublicIp"] = [Ref("public-a")], True


@planted("exposures", "db-1.publiclyAccessible")
def publicly_accessible_cluster_instance(stack: Stack) -> None:
    stack["db-1"]["publiclyAccessible"] = True


@planted("exposures", "reports.publiclyAccessible")
def publicly_accessible_instance(stack: Stack) -> None:
    stack["reports"]["publiclyAccessible"] = True


@planted("exposures", "db.dbSubnetGroupName", "db-1.dbSubnetGroupName")
def database_subnet_group_with_a_public_subnet(stack: Stack) -> None:
    stack["db-subnets"]["subnetIds"] = [Ref("private-a"), Ref("public-b")]


@planted("exposures", "cache.subnetGroupName")
def cache_in_a_public_subnet(stack: Stack) -> None:
    stack["cache-subnets"]["subnetIds"] = [Ref("public-a")]


@planted("exposures", "files.subnetId")
def file_system_in_a_public_subnet(stack: Stack) -> None:
    stack["files"]["subnetId"] = Ref("public-a")


@planted("exposures", "bedrock.subnetIds")
def interface_endpoint_in_a_public_subnet(stack: Stack) -> None:
    stack["bedrock"]["subnetIds"] = [Ref("public-a"), Ref("private-b")]


@planted("exposures", "hook.vpcConfig.subnetIds")
def function_in_a_public_subnet(stack: Stack) -> None:
    stack["hook"]["vpcConfig"]["subnetIds"] = [Ref("public-a")]


@planted("exposures", "db.dbSubnetGroupName", "service.networkConfiguration.subnets")
def a_route_to_the_internet_gateway_in_the_private_table(stack: Stack) -> None:
    stack.add(
        "ec2.Route", "planted", routeTableId=Ref("private"), destinationCidrBlock="0.0.0.0/0", gatewayId=Ref("igw")
    )


@planted("exposures", "service.networkConfiguration.subnets")
def an_inline_route_in_two_halves(stack: Stack) -> None:
    stack["private"]["routes"] = [
        {"cidrBlock": "0.0.0.0/1", "gatewayId": Ref("igw")},
        {"cidrBlock": "128.0.0.0/1", "gatewayId": Ref("igw")},
    ]


@planted("exposures", "files.subnetId")
def a_more_specific_route_beside_a_nat_gateway(stack: Stack) -> None:
    stack.add("ec2.NatGateway", "nat", subnetId=Ref("public-a"))
    stack.add(
        "ec2.Route", "nat-out", routeTableId=Ref("private"), destinationCidrBlock="0.0.0.0/0", natGatewayId=Ref("nat")
    )
    stack.add(
        "ec2.Route", "planted", routeTableId=Ref("private"), destinationCidrBlock="52.0.0.0/8", gatewayId=Ref("igw")
    )


@planted("exposures", "service.networkConfiguration.subnets")
def a_private_subnet_associated_with_the_public_table(stack: Stack) -> None:
    stack["private-a-table"]["routeTableId"] = Ref("public")


@planted("exposures", "files.subnetId")
def a_subnet_left_to_a_main_table_with_a_route_out(stack: Stack) -> None:
    stack.drop("private-a-table")
    stack.add("ec2.MainRouteTableAssociation", "main", vpcId=Ref("vpc"), routeTableId=Ref("public"))


@planted("exposures", "files.subnetId")
def an_adopted_default_table_with_a_route_out(stack: Stack) -> None:
    stack.drop("private-a-table")
    stack["vpc"]["defaultRouteTableId"] = "rtb-main"
    routes = [{"cidrBlock": "0.0.0.0/0", "gatewayId": Ref("igw")}]
    stack.add("ec2.DefaultRouteTable", "main", defaultRouteTableId="rtb-main", routes=routes)


@planted("exposures", "service.networkConfiguration.subnets")
def ipv6_by_the_internet_gateway(stack: Stack) -> None:
    stack["private-a"]["ipv6CidrBlock"] = "2600:1f18:1:2::/64"
    stack.add(
        "ec2.Route", "planted", routeTableId=Ref("private"), destinationIpv6CidrBlock="::/0", gatewayId=Ref("igw")
    )


@planted("exposures", "default-a.mapPublicIpOnLaunch", "worker.subnetId")
def an_instance_in_a_default_subnet(stack: Stack) -> None:
    stack.add("ec2.DefaultSubnet", "default-a", availabilityZone="eu-west-1a", mapPublicIpOnLaunch=True)
    stack["worker"]["subnetId"] = Ref("default-a")


@planted("exposures", "planted.instance")
def elastic_address_of_an_instance(stack: Stack) -> None:
    stack.add("ec2.Eip", "planted", instance=Ref("worker"))


@planted("exposures", "planted.networkInterfaceId")
def elastic_address_associated_with_an_interface(stack: Stack) -> None:
    stack.add("ec2.NetworkInterface", "card", subnetId=Ref("private-a"), securityGroups=[Ref("task-sg")])
    stack.add("ec2.Eip", "address")
    stack.add("ec2.EipAssociation", "planted", allocationId=Ref("address"), networkInterfaceId=Ref("card"))


@planted(
    "exposures", "template.networkInterfaces[0].associatePublicIpAddress", "public-a.mapPublicIpOnLaunch", any_of=True
)
def launch_template_with_a_public_address(stack: Stack) -> None:
    interfaces = [{"associatePublicIpAddress": "true", "securityGroups": [Ref("task-sg")]}]
    stack.add("ec2.LaunchTemplate", "template", networkInterfaces=interfaces)
    stack.add(
        "autoscaling.Group", "fleet", vpcZoneIdentifiers=[Ref("private-a")], launchTemplate={"id": Ref("template")}
    )


@planted("exposures", "public-a.mapPublicIpOnLaunch", "worker.subnetId")
def instance_in_a_subnet_that_hands_out_public_addresses(stack: Stack) -> None:
    stack["public-a"]["mapPublicIpOnLaunch"] = True
    stack["worker"]["subnetId"] = Ref("public-a")


@planted("exposures", "edge-in.cidrIpv4", "worker.associatePublicIpAddress")
def an_instance_reachable_all_the_way(stack: Stack) -> None:
    stack["worker"].inputs |= {
        "subnetId": Ref("public-a"), "associatePublicIpAddress": True, "vpcSecurityGroupIds": [Ref("edge-sg")],
    }  # fmt: skip


@planted("exposures", "files.subnetId")
def a_route_in_a_main_table_that_only_the_network_names(stack: Stack) -> None:
    stack.drop("private-a-table")
    stack.add(
        "ec2.Route",
        "planted",
        routeTableId=Ref("vpc", "mainRouteTableId"),
        destinationCidrBlock="0.0.0.0/0",
        gatewayId=Ref("igw"),
    )


@planted("exposures", "files.subnetId")
def a_subnet_associated_with_a_main_table_that_leads_out(stack: Stack) -> None:
    stack["private-a-table"]["routeTableId"] = Ref("vpc", "mainRouteTableId")
    stack.add(
        "ec2.Route",
        "planted",
        routeTableId=Ref("vpc", "mainRouteTableId"),
        destinationCidrBlock="0.0.0.0/0",
        gatewayId=Ref("igw"),
    )


@planted("exposures", "planted.cidrIpv4")
def a_rule_on_a_default_group_that_only_the_network_names(stack: Stack) -> None:
    stack.drop("locked")
    stack.add(
        "vpc.SecurityGroupIngressRule", "planted", securityGroupId=Ref("vpc", "defaultSecurityGroupId"), ipProtocol="-1",
        cidrIpv4="0.0.0.0/0",
    )  # fmt: skip
    del stack["files"].inputs["securityGroups"]


@planted("exposures", "planted.cidrIpv4")
def a_database_with_an_opened_default_group(stack: Stack) -> None:
    stack["db"]["vpcSecurityGroupIds"] = [Ref("vpc", "defaultSecurityGroupId")]
    stack.add(
        "vpc.SecurityGroupIngressRule", "planted", securityGroupId=Ref("vpc", "defaultSecurityGroupId"), ipProtocol="-1",
        cidrIpv4="0.0.0.0/0",
    )  # fmt: skip


@planted("exposures", "locked.ingress[0].cidrBlocks")
def a_database_with_an_adopted_default_group(stack: Stack) -> None:
    stack["db"]["vpcSecurityGroupIds"] = [Ref("vpc", "defaultSecurityGroupId")]
    stack["locked"]["ingress"] = [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}]


@planted("exposures", "bedrock.subnetIds")
def a_public_subnet_given_to_an_endpoint_from_outside(stack: Stack) -> None:
    stack.add("ec2.VpcEndpointSubnetAssociation", "planted", vpcEndpointId=Ref("bedrock"), subnetId=Ref("public-a"))


@planted("exposures", "edge-in.cidrIpv4", "fleet.vpcZoneIdentifiers")
def a_fleet_with_an_open_group_in_its_template(stack: Stack) -> None:
    interfaces = [{"securityGroups": [Ref("edge-sg")]}]
    stack.add("ec2.LaunchTemplate", "template", networkInterfaces=interfaces)
    stack.add(
        "autoscaling.Group", "fleet", vpcZoneIdentifiers=[Ref("public-a")], launchTemplate={"id": Ref("template")}
    )
