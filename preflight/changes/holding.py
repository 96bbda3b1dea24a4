"""The resources that AWS refuses to delete, and the values that must be unique, according to its API references.

The fake provider of the engine tests and the checks before an update (``preflight.changes.refusals``) both use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from preflight.sdk.wire import Json, Wire

CLUSTER = "aws:rds/cluster:Cluster"
BUCKET = "aws:s3/bucket:Bucket"

# An input that has to be turned off before the deletion.
PROTECTION: dict[str, str] = {
    "aws:cognito/userPool:UserPool": "deletionProtection",
    "aws:dynamodb/table:Table": "deletionProtectionEnabled",
    "aws:lb/loadBalancer:LoadBalancer": "enableDeletionProtection",
    CLUSTER: "deletionProtection",
    "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation": "mutationProtection",
}
OFF: tuple[object, ...] = (None, False, "DISABLED", "INACTIVE")
"""The values with which such an input does not protect."""

# A resource with contents is not deleted unless this input was already on; then the provider empties it.
EMPTIED_BY: dict[str, str] = {
    "aws:backup/vault:Vault": "forceDestroy",
    "aws:ecr/repository:Repository": "forceDelete",
    BUCKET: "forceDestroy",
}

# A resource that is not deleted while another resource refers to it in one of these properties.
HOLDERS: dict[str, frozenset[str]] = {
    "aws:acm/certificate:Certificate": frozenset({"certificateArn"}),
    "aws:backup/plan:Plan": frozenset({"planId"}),
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": frozenset({"restoreTestingPlanName"}),
    "aws:cloudwatch/eventRule:EventRule": frozenset({"rule"}),
    "aws:ec2/internetGateway:InternetGateway": frozenset({"gatewayId"}),
    "aws:ec2/networkAcl:NetworkAcl": frozenset({"networkAclId"}),
    "aws:ec2/routeTable:RouteTable": frozenset({"routeTableId"}),
    "aws:ec2/securityGroup:SecurityGroup": frozenset(
        {
            "referencedSecurityGroupId",
            "securityGroupIds",
            "securityGroups",
            "sourceSecurityGroupId",
            "vpcSecurityGroupIds",
        }
    ),
    "aws:ec2/subnet:Subnet": frozenset({"subnetId", "subnetIds", "subnets"}),
    "aws:ec2/vpc:Vpc": frozenset({"vpcId"}),
    "aws:ecs/cluster:Cluster": frozenset({"cluster"}),
    "aws:elasticache/parameterGroup:ParameterGroup": frozenset({"parameterGroupName"}),
    "aws:elasticache/subnetGroup:SubnetGroup": frozenset({"subnetGroupName"}),
    "aws:iam/policy:Policy": frozenset({"policyArn"}),
    "aws:iam/role:Role": frozenset({"role"}),
    "aws:lb/targetGroup:TargetGroup": frozenset({"targetGroupArn"}),
    CLUSTER: frozenset({"clusterIdentifier"}),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": frozenset({"dbClusterParameterGroupName"}),
    "aws:rds/parameterGroup:ParameterGroup": frozenset({"dbParameterGroupName"}),
    "aws:rds/subnetGroup:SubnetGroup": frozenset({"dbSubnetGroupName"}),
    "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": frozenset({"firewallDomainListId"}),
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": frozenset({"firewallRuleGroupId"}),
    "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig": frozenset({"resolverQueryLogConfigId"}),
    "aws:wafv2/webAcl:WebAcl": frozenset({"webAclArn"}),
}

# AWS accepts only one resource with the same values of these inputs: a second one is refused, or replaces the first one and
# is lost when the first is deleted. Names that the program sets are in ``replacement.UNIQUE_NAMES``; for those the provider
# itself deletes first.
ONCE: dict[str, tuple[str, ...]] = {
    "aws:ec2/flowLog:FlowLog": ("vpcId", "subnetId", "trafficType", "logDestination"),
    "aws:ec2/networkAclRule:NetworkAclRule": ("networkAclId", "egress", "ruleNumber"),
    "aws:ec2/route:Route": (
        "routeTableId",
        "destinationCidrBlock",
        "destinationIpv6CidrBlock",
        "destinationPrefixListId",
    ),
    "aws:ec2/subnet:Subnet": ("vpcId", "cidrBlock"),
    "aws:lb/listenerRule:ListenerRule": ("listenerArn", "priority"),
    "aws:route53/record:Record": ("zoneId", "name", "type", "setIdentifier"),
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": ("firewallRuleGroupId", "priority"),
    "aws:wafv2/webAclAssociation:WebAclAssociation": ("resourceArn",),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": ("resourceArn",),
}


def held(value: Json, properties: frozenset[str]) -> Iterator[str]:
    """Every string in one of the ``properties``, at any depth."""
    if isinstance(value, dict):
        for key, item in cast("Wire", value).items():
            yield from _strings(item) if key in properties else held(item, properties)
    elif isinstance(value, list):
        for item in cast("list[Json]", value):
            yield from held(item, properties)


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in cast("Wire", value).values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in cast("list[Json]", value):
            yield from _strings(item)
