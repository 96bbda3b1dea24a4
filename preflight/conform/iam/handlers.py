"""The API calls that CloudFormation makes for a type of resource, from the schemas in ``cfn-lint``.

Each schema lists the IAM permissions that its handlers need (``handlers.<operation>.permissions``,
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html#schema-properties-handlers).
The ``list`` handler is ignored: neither Pulumi nor the provider lists a service's resources to manage one of them.
"""

from __future__ import annotations

import importlib.resources
import json
from functools import cache
from typing import Any

GLOBAL_REGION = "us-east-1"
OPERATIONS = ("create", "read", "update", "delete")

TYPES: dict[str, tuple[str, ...]] = {
    "aws:acm/certificate:Certificate": ("AWS::CertificateManager::Certificate",),
    "aws:appautoscaling/policy:Policy": ("AWS::ApplicationAutoScaling::ScalingPolicy",),
    "aws:appautoscaling/target:Target": ("AWS::ApplicationAutoScaling::ScalableTarget",),
    "aws:backup/plan:Plan": ("AWS::Backup::BackupPlan",),
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": ("AWS::Backup::RestoreTestingPlan",),
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": ("AWS::Backup::RestoreTestingSelection",),
    "aws:backup/selection:Selection": ("AWS::Backup::BackupSelection",),
    "aws:backup/vault:Vault": ("AWS::Backup::BackupVault",),
    "aws:bedrock/guardrail:Guardrail": ("AWS::Bedrock::Guardrail",),
    "aws:bedrock/guardrailVersion:GuardrailVersion": ("AWS::Bedrock::GuardrailVersion",),
    "aws:budgets/budget:Budget": ("AWS::Budgets::Budget",),
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": ("AWS::Chatbot::SlackChannelConfiguration",),
    "aws:cloudwatch/eventRule:EventRule": ("AWS::Events::Rule",),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ("AWS::CloudWatch::CompositeAlarm",),
    "aws:cloudwatch/dashboard:Dashboard": ("AWS::CloudWatch::Dashboard",),
    "aws:cloudwatch/eventTarget:EventTarget": ("AWS::Events::Rule",),
    "aws:cloudwatch/logGroup:LogGroup": ("AWS::Logs::LogGroup",),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": ("AWS::Logs::ResourcePolicy",),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("AWS::CloudWatch::Alarm",),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": ("AWS::Logs::MetricFilter",),
    "aws:cloudwatch/queryDefinition:QueryDefinition": ("AWS::Logs::QueryDefinition",),
    "aws:ec2/eip:Eip": ("AWS::EC2::EIP",),
    "aws:ec2/flowLog:FlowLog": ("AWS::EC2::FlowLog",),
    "aws:ec2/internetGateway:InternetGateway": ("AWS::EC2::InternetGateway", "AWS::EC2::VPCGatewayAttachment"),
    "aws:ec2/natGateway:NatGateway": ("AWS::EC2::NatGateway",),
    "aws:ec2/networkAcl:NetworkAcl": ("AWS::EC2::NetworkAcl", "AWS::EC2::SubnetNetworkAclAssociation"),
    "aws:ec2/networkAclRule:NetworkAclRule": ("AWS::EC2::NetworkAclEntry",),
    "aws:ec2/route:Route": ("AWS::EC2::Route",),
    "aws:ec2/routeTable:RouteTable": ("AWS::EC2::RouteTable",),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": ("AWS::EC2::SubnetRouteTableAssociation",),
    "aws:ec2/securityGroup:SecurityGroup": ("AWS::EC2::SecurityGroup",),
    "aws:ec2/subnet:Subnet": ("AWS::EC2::Subnet",),
    "aws:ec2/vpc:Vpc": ("AWS::EC2::VPC",),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("AWS::EC2::VPCEndpoint",),
    "aws:ecs/cluster:Cluster": ("AWS::ECS::Cluster",),
    "aws:ecs/service:Service": ("AWS::ECS::Service",),
    "aws:ecs/taskDefinition:TaskDefinition": ("AWS::ECS::TaskDefinition",),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("AWS::ElastiCache::ReplicationGroup",),
    "aws:elasticache/subnetGroup:SubnetGroup": ("AWS::ElastiCache::SubnetGroup",),
    "aws:iam/role:Role": ("AWS::IAM::Role",),
    "aws:iam/rolePolicy:RolePolicy": ("AWS::IAM::RolePolicy",),
    "aws:kms/alias:Alias": ("AWS::KMS::Alias",),
    "aws:kms/key:Key": ("AWS::KMS::Key",),
    "aws:lb/listener:Listener": ("AWS::ElasticLoadBalancingV2::Listener",),
    "aws:lb/listenerRule:ListenerRule": ("AWS::ElasticLoadBalancingV2::ListenerRule",),
    "aws:lb/loadBalancer:LoadBalancer": ("AWS::ElasticLoadBalancingV2::LoadBalancer",),
    "aws:lb/targetGroup:TargetGroup": ("AWS::ElasticLoadBalancingV2::TargetGroup",),
    "aws:rds/cluster:Cluster": ("AWS::RDS::DBCluster",),
    "aws:rds/clusterInstance:ClusterInstance": ("AWS::RDS::DBInstance",),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": ("AWS::RDS::DBClusterParameterGroup",),
    "aws:rds/eventSubscription:EventSubscription": ("AWS::RDS::EventSubscription",),
    "aws:rds/subnetGroup:SubnetGroup": ("AWS::RDS::DBSubnetGroup",),
    "aws:route53/record:Record": ("AWS::Route53::RecordSet",),
    "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": ("AWS::Route53Resolver::FirewallDomainList",),
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": ("AWS::Route53Resolver::FirewallRuleGroup",),
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": ("AWS::Route53Resolver::FirewallRuleGroup",),
    "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation": (
        "AWS::Route53Resolver::FirewallRuleGroupAssociation",
    ),
    "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig": ("AWS::Route53Resolver::ResolverQueryLoggingConfig",),
    "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation": (
        "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
    ),
    "aws:s3/bucket:Bucket": ("AWS::S3::Bucket",),
    "aws:s3/bucketPolicy:BucketPolicy": ("AWS::S3::BucketPolicy",),
    "aws:scheduler/schedule:Schedule": ("AWS::Scheduler::Schedule",),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": ("AWS::ServiceDiscovery::PrivateDnsNamespace",),
    "aws:servicediscovery/service:Service": ("AWS::ServiceDiscovery::Service",),
    "aws:secretsmanager/secret:Secret": ("AWS::SecretsManager::Secret",),
    "aws:sns/topic:Topic": ("AWS::SNS::Topic",),
    "aws:sns/topicPolicy:TopicPolicy": ("AWS::SNS::TopicPolicy",),
    "aws:sns/topicSubscription:TopicSubscription": ("AWS::SNS::Subscription",),
    "aws:sqs/queue:Queue": ("AWS::SQS::Queue",),
    "aws:sqs/queuePolicy:QueuePolicy": ("AWS::SQS::QueuePolicy",),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": ("AWS::EC2::SecurityGroupEgress",),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ("AWS::EC2::SecurityGroupIngress",),
    "aws:wafv2/ipSet:IpSet": ("AWS::WAFv2::IPSet",),
    "aws:wafv2/webAcl:WebAcl": ("AWS::WAFv2::WebACL",),
    "aws:wafv2/webAclAssociation:WebAclAssociation": ("AWS::WAFv2::WebACLAssociation",),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": ("AWS::WAFv2::LoggingConfiguration",),
}
"""Pulumi's type → the CloudFormation types that make the same calls."""

PROVIDER_ONLY = frozenset(
    {
        "aws:acm/certificateValidation:CertificateValidation",
        "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
        "aws:bedrockmodel/invocationLoggingConfiguration:InvocationLoggingConfiguration",
        "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy",
        "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl",
        "aws:ec2/defaultRouteTable:DefaultRouteTable",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "aws:lb/listenerCertificate:ListenerCertificate",
        "aws:route53/resolverFirewallConfig:ResolverFirewallConfig",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketLogging:BucketLogging",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
        "aws:secretsmanager/secretVersion:SecretVersion",
    }
)
"""Types that CloudFormation lacks, or has only as a part of another type. Their calls are listed only in ``calls.tsv``."""


@cache
def _index(region: str) -> dict[str, str]:
    """CloudFormation type → file name."""
    schemas = importlib.resources.files("cfnlint") / "data" / "schemas" / "providers"
    return json.loads((schemas / f"{region}.json").read_text(encoding="utf-8"))


@cache
def schema(type_: str, region: str) -> dict[str, Any] | None:
    """CloudFormation's schema of a type in a region. For a region without the type (Budgets, for example, is a global
    service) the schema of us-east-1 is used, because permissions do not depend on the region. Returns ``None`` if there
    is no such type."""
    name = _index(region).get(type_) or _index(GLOBAL_REGION).get(type_)
    if name is None:
        return None
    file = importlib.resources.files("cfnlint") / "data" / "schemas" / "resources" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))


@cache
def permissions(type_: str, region: str) -> dict[str, frozenset[str]]:
    """Operation → permissions, for ``create``, ``read``, ``update``, ``delete`` and ``tag``.

    A few schemas have no handlers (``AWS::ElasticLoadBalancingV2::ListenerCertificate``). Such a type belongs in
    ``PROVIDER_ONLY``, so here it is an error.
    """
    found = schema(type_, region)
    if found is None or not found.get("handlers"):
        raise LookupError(f"{type_} has no handlers in cfn-lint's schemas of {region}")
    handlers: dict[str, dict[str, list[str]]] = found["handlers"]
    tagging: dict[str, list[str]] = found.get("tagging") or {}
    result = {name: frozenset(handlers.get(name, {}).get("permissions", ())) for name in OPERATIONS}
    result["tag"] = frozenset(tagging.get("permissions", ()))
    return result
