"""VPC, addresses, access lists, security groups, endpoints and the resolver.

The description of a security-group rule allows the same characters as a group's description, but only the group's schema
lists them: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
"""

from __future__ import annotations

from preflight.conform.translation.kind import Like, ModelledCall, Shape, TranslatedKind, document
from preflight.sdk.wire import Json, Wire

PROTOCOLS = {"-1": -1, "all": -1, "icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}
"""https://www.iana.org/assignments/protocol-numbers: network ACLs contain the number."""

TAGS_OF_A_RULE = "CloudFormation cannot tag a rule; the tags are those of every other resource and are checked there"
ITS_VPC = "vpc-00000000000000000"
UNCONSTRAINED = "EC2's model has no constraint on this argument"
NOT_MADE = "refers to a resource that AWS creates with the VPC; it creates nothing"
CREATED = "the creating call has tags in another form, without a constraint in EC2's model"


def protocol(name: str) -> Shape:
    """The number of a protocol; an unknown name is kept and reported."""
    return lambda value: {name: PROTOCOLS.get(str(value).lower(), value)}


def watched(kind: str) -> Shape:
    """The resource of a flow log."""
    return lambda value: {"ResourceId": value, "ResourceType": kind}


def no_rules(value: Json) -> Wire:
    """The rules of a default security group or network ACL. This project keeps them empty; a rule would be reported."""
    return {"InlineRules": value} if value else {}


TABLE = {
    "aws:ec2/vpc:Vpc": TranslatedKind(
        "AWS::EC2::VPC",
        calls=(ModelledCall("ec2", "CreateVpc"),),
        uncalled={
            "EnableDnsHostnames": "a boolean argument of ModifyVpcAttribute",
            "EnableDnsSupport": "a boolean argument of ModifyVpcAttribute",
            "Tags": CREATED,
        },
    ),
    "aws:ec2/subnet:Subnet": TranslatedKind(
        "AWS::EC2::Subnet",
        calls=(ModelledCall("ec2", "CreateSubnet"),),
        uncalled={
            "MapPublicIpOnLaunch": "a boolean argument of ModifySubnetAttribute",
            "Tags": CREATED,
        },
    ),
    "aws:ec2/internetGateway:InternetGateway": TranslatedKind(
        "AWS::EC2::InternetGateway",
        left_out={"vpcId": "CloudFormation attaches a gateway with a separate resource"},
        why=UNCONSTRAINED,
    ),
    "aws:ec2/eip:Eip": TranslatedKind(
        "AWS::EC2::EIP", calls=(ModelledCall("ec2", "AllocateAddress"),), uncalled={"Tags": CREATED}
    ),
    "aws:ec2/natGateway:NatGateway": TranslatedKind(
        "AWS::EC2::NatGateway", calls=(ModelledCall("ec2", "CreateNatGateway"),), uncalled={"Tags": CREATED}
    ),
    "aws:ec2/routeTable:RouteTable": TranslatedKind("AWS::EC2::RouteTable", why=UNCONSTRAINED),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": TranslatedKind(
        "AWS::EC2::SubnetRouteTableAssociation", why=UNCONSTRAINED
    ),
    "aws:ec2/route:Route": TranslatedKind("AWS::EC2::Route", why=UNCONSTRAINED),
    "aws:ec2/networkAcl:NetworkAcl": TranslatedKind(
        "AWS::EC2::NetworkAcl",
        left_out={"subnetIds": "CloudFormation associates each subnet with a separate resource"},
        why=UNCONSTRAINED,
    ),
    "aws:ec2/networkAclRule:NetworkAclRule": TranslatedKind(
        "AWS::EC2::NetworkAclEntry",
        {
            "fromPort": "PortRange.From",
            "toPort": "PortRange.To",
            "icmpType": "Icmp.Type",
            "icmpCode": "Icmp.Code",
            "protocol": protocol("Protocol"),
        },
        calls=(ModelledCall("ec2", "CreateNetworkAclEntry", {"Icmp": "IcmpTypeCode"}),),
    ),
    "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl": TranslatedKind(
        "AWS::EC2::NetworkAcl",
        {"ingress": no_rules, "egress": no_rules},
        left_out={"defaultNetworkAclId": NOT_MADE},
        placeholders={"VpcId": ITS_VPC},
        part=True,
        why=UNCONSTRAINED,
    ),
    "aws:ec2/defaultRouteTable:DefaultRouteTable": TranslatedKind(
        "AWS::EC2::RouteTable",
        {"routes": no_rules},
        left_out={"defaultRouteTableId": NOT_MADE},
        placeholders={"VpcId": ITS_VPC},
        part=True,
        why=UNCONSTRAINED,
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": TranslatedKind(
        "AWS::EC2::SecurityGroup",
        {"ingress": no_rules, "egress": no_rules},
        placeholders={"GroupDescription": "default VPC security group"},
        part=True,
        why=UNCONSTRAINED,
    ),
    "aws:ec2/securityGroup:SecurityGroup": TranslatedKind(
        "AWS::EC2::SecurityGroup",
        {"description": "GroupDescription", "name": "GroupName"},
        calls=(ModelledCall("ec2", "CreateSecurityGroup", {"GroupDescription": "Description"}),),
        uncalled={"Tags": CREATED},
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": TranslatedKind(
        "AWS::EC2::SecurityGroupIngress",
        {
            "securityGroupId": "GroupId",
            "referencedSecurityGroupId": "SourceSecurityGroupId",
            "prefixListId": "SourcePrefixListId",
            "cidrIpv4": "CidrIp",
        },
        left_out={"tags": TAGS_OF_A_RULE},
        like=Like("AWS::EC2::SecurityGroup", {"Description": "GroupDescription"}),
        why=UNCONSTRAINED,
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": TranslatedKind(
        "AWS::EC2::SecurityGroupEgress",
        {
            "securityGroupId": "GroupId",
            "referencedSecurityGroupId": "DestinationSecurityGroupId",
            "prefixListId": "DestinationPrefixListId",
            "cidrIpv4": "CidrIp",
        },
        left_out={"tags": TAGS_OF_A_RULE},
        like=Like("AWS::EC2::SecurityGroup", {"Description": "GroupDescription"}),
        why=UNCONSTRAINED,
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": TranslatedKind(
        "AWS::EC2::VPCEndpoint",
        {"policy": document("PolicyDocument")},
        calls=(ModelledCall("ec2", "CreateVpcEndpoint"),),
        uncalled={"Tags": CREATED},
    ),
    "aws:ec2/flowLog:FlowLog": TranslatedKind(
        "AWS::EC2::FlowLog",
        {
            "vpcId": watched("VPC"),
            "subnetId": watched("Subnet"),
            "iamRoleArn": "DeliverLogsPermissionArn",
        },
        calls=(ModelledCall("ec2", "CreateFlowLogs"),),
        uncalled={
            "ResourceId": "the call has a list of ids, without a constraint",
            "Tags": CREATED,
        },
    ),
    "aws:route53/resolverFirewallConfig:ResolverFirewallConfig": TranslatedKind(
        "",
        calls=(ModelledCall("route53resolver", "UpdateFirewallConfig"),),
        why="CloudFormation has no type for it",
    ),
    "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": TranslatedKind(
        "AWS::Route53Resolver::FirewallDomainList",
        calls=(
            ModelledCall("route53resolver", "CreateFirewallDomainList"),
            ModelledCall("route53resolver", "UpdateFirewallDomains"),
        ),
    ),
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": TranslatedKind(
        "AWS::Route53Resolver::FirewallRuleGroup",
        calls=(ModelledCall("route53resolver", "CreateFirewallRuleGroup"),),
    ),
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": TranslatedKind(
        "AWS::Route53Resolver::FirewallRuleGroup",
        left_out={
            "firewallRuleGroupId": "the group is the resource itself in CloudFormation; checked against the call",
            "name": "CloudFormation's rules have no name; checked against the call",
        },
        part=True,
        within="[FirewallRules]",
        calls=(ModelledCall("route53resolver", "CreateFirewallRule"),),
    ),
    "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation": TranslatedKind(
        "AWS::Route53Resolver::FirewallRuleGroupAssociation",
        calls=(ModelledCall("route53resolver", "AssociateFirewallRuleGroup"),),
    ),
    "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig": TranslatedKind(
        "AWS::Route53Resolver::ResolverQueryLoggingConfig",
        calls=(ModelledCall("route53resolver", "CreateResolverQueryLogConfig"),),
    ),
    "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation": TranslatedKind(
        "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
        calls=(ModelledCall("route53resolver", "AssociateResolverQueryLogConfig"),),
    ),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": TranslatedKind(
        "AWS::ServiceDiscovery::PrivateDnsNamespace",
        calls=(ModelledCall("servicediscovery", "CreatePrivateDnsNamespace"),),
    ),
    "aws:servicediscovery/service:Service": TranslatedKind(
        "AWS::ServiceDiscovery::Service",
        calls=(ModelledCall("servicediscovery", "CreateService"),),
    ),
}
