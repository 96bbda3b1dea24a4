"""Known differences between ``preflight.changes.replacement`` and ``createOnlyProperties`` in CloudFormation's schemas."""

from __future__ import annotations

NOT_COMPARED: dict[str, str] = {
    "aws:lb/listenerCertificate:ListenerCertificate": "its schema has no createOnlyProperties to compare one input with",
    "aws:route53/record:Record": "AWS::Route53::RecordSet has no schema in the registry with these inputs",
    "aws:sns/topicPolicy:TopicPolicy": "AWS::SNS::TopicPolicy takes several topics, the provider's resource one",
    "aws:sqs/queuePolicy:QueuePolicy": "AWS::SQS::QueuePolicy takes several queues, the provider's resource one",
}
"""Types with a CloudFormation type that is not compared, and why."""

_BY_NUMBER = (
    "ReplaceNetworkAclEntry changes it; the provider does not call it (aws_network_acl_rule: forces new resource)"
)
_MODIFIED = "ModifySecurityGroupRules changes it, and the provider calls that"
_BUDGET = "the provider cannot change it (aws_budgets_budget: forces new resource)"
_UNUSED = 'no program sets it; the provider replaces in every case ("forces new resource")'
DIFFERENT: dict[str, str] = {
    "aws:bedrock/guardrail:Guardrail.kmsKeyArn": _UNUSED,
    "aws:cloudwatch/eventRule:EventRule.eventBusName": _UNUSED,
    "aws:cloudwatch/logGroup:LogGroup.logGroupClass": _UNUSED,
    "aws:scheduler/schedule:Schedule.groupName": "a schedule cannot move; the provider replaces it (aws_scheduler_schedule: forces new resource)",
    "aws:kms/key:Key.customerMasterKeySpec": "the schema refuses the change, which the provider makes by replacing the key",
    "aws:kms/key:Key.keyUsage": _UNUSED,
    "aws:kms/key:Key.multiRegion": _UNUSED,
    "aws:rds/cluster:Cluster.availabilityZones": _UNUSED,
    "aws:s3/bucket:Bucket.objectLockEnabled": _UNUSED,
    "aws:acm/certificate:Certificate.validationMethod": "only RequestCertificate has it",
    "aws:bedrock/guardrail:Guardrail.region": "an argument of the provider: the resource's region",
    "aws:bedrock/guardrailVersion:GuardrailVersion.region": "an argument of the provider: the resource's region",
    "aws:budgets/budget:Budget.budgetType": _BUDGET,
    "aws:budgets/budget:Budget.notifications": "UpdateNotification changes them, and the provider calls that",
    "aws:budgets/budget:Budget.timeUnit": _BUDGET,
    "aws:ec2/networkAclRule:NetworkAclRule.cidrBlock": _BY_NUMBER,
    "aws:ec2/networkAclRule:NetworkAclRule.fromPort": _BY_NUMBER,
    "aws:ec2/networkAclRule:NetworkAclRule.icmpCode": _BY_NUMBER,
    "aws:ec2/networkAclRule:NetworkAclRule.icmpType": _BY_NUMBER,
    "aws:ec2/networkAclRule:NetworkAclRule.protocol": _BY_NUMBER,
    "aws:ec2/networkAclRule:NetworkAclRule.ruleAction": _BY_NUMBER,
    "aws:ec2/networkAclRule:NetworkAclRule.toPort": _BY_NUMBER,
    "aws:ec2/routeTableAssociation:RouteTableAssociation.routeTableId": (
        "ReplaceRouteTableAssociation changes it, and the provider calls that"
    ),
    "aws:ecs/service:Service.launchType": "a condition in the schema; the provider replaces in every case",
    "aws:rds/cluster:Cluster.engine": "a condition in the schema; the provider replaces in every case",
    "aws:rds/cluster:Cluster.masterUsername": "a condition in the schema; the provider replaces in every case",
    "aws:rds/clusterInstance:ClusterInstance.availabilityZone": "a condition in the schema; the provider replaces in every case",
    "aws:rds/clusterInstance:ClusterInstance.engine": "a condition in the schema; the provider replaces in every case",
    "aws:rds/eventSubscription:EventSubscription.snsTopic": "ModifyEventSubscription changes it, and the provider calls that",
    "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig.tags": "TagResource changes them, and the provider calls that",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule.fromPort": _MODIFIED,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule.ipProtocol": _MODIFIED,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule.prefixListId": _MODIFIED,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule.cidrIpv4": _MODIFIED,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule.referencedSecurityGroupId": _MODIFIED,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule.toPort": _MODIFIED,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule.fromPort": _MODIFIED,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule.ipProtocol": _MODIFIED,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule.cidrIpv4": _MODIFIED,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule.referencedSecurityGroupId": _MODIFIED,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule.toPort": _MODIFIED,
}
"""Inputs on which the provider and CloudFormation's schema differ, and why the provider's behaviour counts."""
