"""The actions that deploying the main project needs, in tables by service, limited to the program's resources.

None of them reads user content: no object, log event, prompt or secret value. If a component uses a new AWS service,
add its actions here; ``tests/bootstrap`` fails if one is missing.
"""

READ = {
    "access-analyzer": ["CheckNoPublicAccess"],
    "acm": ["DescribeCertificate", "ListTagsForCertificate"],
    "application-autoscaling": ["Describe*", "ListTagsForResource"],
    "backup": [
        "DescribeBackupVault",
        "GetBackupPlan",
        "GetBackupSelection",
        "ListRecoveryPointsByBackupVault",
        "ListTags",
    ],
    "bedrock": ["GetGuardrail", "GetModelInvocationLoggingConfiguration", "ListTagsForResource"],
    "budgets": ["ListTagsForResource", "ViewBudget"],
    "cloudwatch": ["DescribeAlarms", "ListTagsForResource"],
    "ec2": ["Describe*", "GetSecurityGroupsForVpc"],
    "ecr": ["DescribeImages", "DescribeRepositories", "ListTagsForResource"],
    "ecs": ["Describe*", "List*"],
    "elasticache": ["Describe*", "ListTagsForResource"],
    "elasticloadbalancing": ["Describe*", "GetLoadBalancerWebACL"],
    "events": ["DescribeRule", "ListTagsForResource", "ListTargetsByRule"],
    "iam": [
        "GetRole",
        "GetRolePolicy",
        "ListAttachedRolePolicies",
        "ListInstanceProfilesForRole",
        "ListRolePolicies",
        "ListRoleTags",
        "ListRoles",
    ],
    "kms": ["DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListAliases", "ListResourceTags"],
    "logs": [
        "DescribeLogGroups",
        "DescribeLogStreams",
        "DescribeResourcePolicies",
        "GetLogDelivery",
        "ListLogDeliveries",
        "ListTagsForResource",
    ],
    "rds": ["Describe*", "ListTagsForResource"],
    "route53": ["GetChange", "GetHostedZone", "ListHostedZones", "ListResourceRecordSets"],
    "route53resolver": ["Get*", "List*"],
    "s3": [
        "GetAccelerateConfiguration",
        "GetBucket*",
        "GetEncryptionConfiguration",
        "GetLifecycleConfiguration",
        "GetReplicationConfiguration",
        "ListBucket",
        "ListTagsForResource",
    ],
    "secretsmanager": ["DescribeSecret", "GetResourcePolicy", "ListSecretVersionIds"],
    "sns": ["GetSubscriptionAttributes", "GetTopicAttributes", "ListSubscriptionsByTopic", "ListTagsForResource"],
    "tag": ["GetResources"],
    "wafv2": ["GetLoggingConfiguration", "GetWebACL", "GetWebACLForResource", "ListTagsForResource"],
}
"""Reading the configuration of resources, for previews, drift checks and ``preflight verify``."""

WRITE_NETWORK = {
    "ec2": [
        "AssociateRouteTable",
        "AttachInternetGateway",
        "AuthorizeSecurityGroup*",
        "CreateFlowLogs",
        "CreateInternetGateway",
        "CreateNetworkAcl*",
        "CreateRoute",
        "CreateRouteTable",
        "CreateSecurityGroup",
        "CreateSubnet",
        "CreateTags",
        "CreateVpc",
        "CreateVpcEndpoint",
        "DeleteFlowLogs",
        "DeleteInternetGateway",
        "DeleteNetworkAcl*",
        "DeleteRoute",
        "DeleteRouteTable",
        "DeleteSecurityGroup",
        "DeleteSubnet",
        "DeleteTags",
        "DeleteVpc",
        "DeleteVpcEndpoints",
        "DetachInternetGateway",
        "DisassociateRouteTable",
        "ModifySecurityGroupRules",
        "ModifySubnetAttribute",
        "ModifyVpcAttribute",
        "ModifyVpcEndpoint",
        "ReplaceNetworkAcl*",
        "ReplaceRoute*",
        "RevokeSecurityGroup*",
        "UpdateSecurityGroupRuleDescriptions*",
    ],
    "route53resolver": [
        "AssociateFirewallRuleGroup",
        "AssociateResolverQueryLogConfig",
        "CreateFirewall*",
        "CreateResolverQueryLogConfig",
        "DeleteFirewall*",
        "DeleteResolverQueryLogConfig",
        "DisassociateFirewallRuleGroup",
        "DisassociateResolverQueryLogConfig",
        "ImportFirewallDomains",
        "TagResource",
        "UntagResource",
        "UpdateFirewall*",
    ],
    "elasticloadbalancing": [
        "AddListenerCertificates",
        "AddTags",
        "CreateListener",
        "CreateLoadBalancer",
        "CreateRule",
        "CreateTargetGroup",
        "CreateWebACLAssociation",
        "DeleteListener",
        "DeleteLoadBalancer",
        "DeleteRule",
        "DeleteTargetGroup",
        "DeleteWebACLAssociation",
        "ModifyListener*",
        "ModifyLoadBalancerAttributes",
        "ModifyRule",
        "ModifyTargetGroup*",
        "RemoveListenerCertificates",
        "RemoveTags",
        "SetIpAddressType",
        "SetRulePriorities",
        "SetSecurityGroups",
        "SetSubnets",
        "SetWebACL",
    ],
    "acm": [
        "AddTagsToCertificate",
        "DeleteCertificate",
        "RemoveTagsFromCertificate",
        "RequestCertificate",
        "UpdateCertificateOptions",
    ],
    "wafv2": [
        "AssociateWebACL",
        "CreateWebACL",
        "DeleteLoggingConfiguration",
        "DeleteWebACL",
        "DisassociateWebACL",
        "PutLoggingConfiguration",
        "TagResource",
        "UntagResource",
        "UpdateWebACL",
    ],
}
"""The network and the edge."""

WRITE_SERVICE = {
    "application-autoscaling": [
        "DeleteScalingPolicy",
        "DeregisterScalableTarget",
        "PutScalingPolicy",
        "RegisterScalableTarget",
        "TagResource",
        "UntagResource",
    ],
    "bedrock": [
        "CreateGuardrail",
        "CreateGuardrailVersion",
        "DeleteGuardrail",
        "DeleteModelInvocationLoggingConfiguration",
        "PutModelInvocationLoggingConfiguration",
        "TagResource",
        "UntagResource",
        "UpdateGuardrail",
    ],
    "cloudwatch": ["DeleteAlarms", "PutMetricAlarm", "TagResource", "UntagResource"],
    "ecs": [
        "CreateCluster",
        "CreateService",
        "DeleteCluster",
        "DeleteService",
        "DeregisterTaskDefinition",
        "RegisterTaskDefinition",
        "TagResource",
        "UntagResource",
        "UpdateCluster",
        "UpdateClusterSettings",
        "UpdateService",
    ],
    "events": ["DeleteRule", "PutRule", "PutTargets", "RemoveTargets", "TagResource", "UntagResource"],
    "logs": [
        "AssociateKmsKey",
        "CreateLogDelivery",
        "CreateLogGroup",
        "DeleteLogDelivery",
        "DeleteLogGroup",
        "DeleteResourcePolicy",
        "DeleteRetentionPolicy",
        "DisassociateKmsKey",
        "PutResourcePolicy",
        "PutRetentionPolicy",
        "TagResource",
        "UntagResource",
        "UpdateLogDelivery",
    ],
    "sns": [
        "CreateTopic",
        "DeleteTopic",
        "SetSubscriptionAttributes",
        "SetTopicAttributes",
        "Subscribe",
        "TagResource",
        "Unsubscribe",
        "UntagResource",
    ],
}
"""The service and its monitoring."""

WRITE_STATE = {
    "backup": [
        "CreateBackupPlan",
        "CreateBackupSelection",
        "CreateBackupVault",
        "DeleteBackupPlan",
        "DeleteBackupSelection",
        "PutBackupVaultLockConfiguration",
        "TagResource",
        "UntagResource",
        "UpdateBackupPlan",
    ],
    "backup-storage": ["MountCapsule"],
    "elasticache": [
        "AddTagsToResource",
        "CreateCacheSubnetGroup",
        "CreateReplicationGroup",
        "DecreaseReplicaCount",
        "DeleteCacheSubnetGroup",
        "DeleteReplicationGroup",
        "IncreaseReplicaCount",
        "ModifyCacheSubnetGroup",
        "ModifyReplicationGroup",
        "RemoveTagsFromResource",
    ],
    "rds": [
        "AddSourceIdentifierToSubscription",
        "AddTagsToResource",
        "CreateDBCluster",
        "CreateDBClusterParameterGroup",
        "CreateDBClusterSnapshot",
        "CreateDBInstance",
        "CreateDBSubnetGroup",
        "CreateEventSubscription",
        "DeleteDBCluster",
        "DeleteDBClusterParameterGroup",
        "DeleteDBInstance",
        "DeleteDBSubnetGroup",
        "DeleteEventSubscription",
        "ModifyDBCluster",
        "ModifyDBClusterParameterGroup",
        "ModifyDBInstance",
        "ModifyDBSubnetGroup",
        "ModifyEventSubscription",
        "RebootDBInstance",
        "RemoveSourceIdentifierFromSubscription",
        "RemoveTagsFromResource",
        "ResetDBClusterParameterGroup",
        "RestoreDBClusterFromSnapshot",
    ],
}
"""Database, cache and backups. A vault and its lock outlive the stack, so no action can delete them or a backup."""

BUDGET_WRITE = ["ModifyBudget", "TagResource", "UntagResource"]
"""AWS Budgets is a global service, so its statement is limited to budgets but not to a region."""
BUCKET_WRITE = [
    "CreateBucket",
    "DeleteBucket",
    "DeleteBucketPolicy",
    "PutBucketLogging",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutEncryptionConfiguration",
    "PutLifecycleConfiguration",
    "TagResource",
    "UntagResource",
]
ROLE_GRANTS = ["CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy"]
"""Actions that can extend a role's permissions. They are allowed only if the role has the environment's boundary."""
ROLE_UPKEEP = [
    "DeleteRole",
    "DeleteRolePolicy",
    "TagRole",
    "UntagRole",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
    "UpdateRoleDescription",
]
SECRET_UPKEEP = [
    "DeleteSecret",
    "RestoreSecret",
    "UpdateSecret",
    "UpdateSecretVersionStage",
]

GLOBAL_SERVICES = ["budgets:*", "iam:*", "route53:*"]
"""Global services: a condition on the region would deny every request to them."""

ROLE_USERS = [
    "backup.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "monitoring.rds.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
]
"""The services to which the deployed roles may be passed."""
LINKED_SERVICES = [
    "backup.amazonaws.com",
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticache.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
    "route53resolver.amazonaws.com",
    "wafv2.amazonaws.com",
]
"""Services whose service-linked role AWS creates with their first resource."""


def qualified(table: dict[str, list[str]]) -> list[str]:
    """The table's actions in IAM's format ``service:Action``."""
    return sorted(f"{service}:{action}" for service, actions in table.items() for action in actions)


def of(service: str, actions: list[str]) -> list[str]:
    """Actions of one service in IAM's format."""
    return qualified({service: actions})
