"""Every call that ``preflight verify`` may make to AWS, and the IAM policy that allows them. A call that is not here is
refused before it is sent (``preflight/account/session.py``), and ``docs/verify.md`` contains the resulting policy."""

from __future__ import annotations

import json

from preflight.account.actions import declared
from preflight.account.session import Calls

CALLS: Calls = declared(
    {
        "accessanalyzer": ("check_no_public_access",),
        "backup": ("describe_backup_vault", "list_recovery_points_by_backup_vault"),
        "cloudwatch": ("describe_alarms",),
        "ec2": (
            "describe_network_insights_access_scope_analyses",
            "describe_network_insights_access_scopes",
        ),
        "ecs": ("describe_services", "describe_task_definition", "describe_tasks", "list_tasks"),
        "elasticache": ("describe_replication_groups",),
        "elbv2": ("describe_listeners", "describe_load_balancers", "describe_target_groups", "describe_target_health"),
        "iam": ("list_roles",),
        "kms": ("describe_key", "get_key_policy"),
        "logs": ("describe_log_groups", "describe_log_streams"),
        "rds": ("describe_db_clusters", "describe_db_instances"),
        "resourcegroupstaggingapi": ("get_resources",),
        "s3": ("get_bucket_policy", "get_public_access_block"),
        "secretsmanager": ("get_resource_policy",),
        "sns": ("get_topic_attributes", "list_subscriptions_by_topic"),
        "sts": ("get_caller_identity",),
        "wafv2": ("get_logging_configuration", "get_web_acl_for_resource"),
    },
    {
        ("kms", "describe_key"): ("kms:DescribeKey",),
        ("rds", "describe_db_clusters"): ("rds:DescribeDBClusters",),
        ("rds", "describe_db_instances"): ("rds:DescribeDBInstances",),
        ("s3", "get_public_access_block"): ("s3:GetBucketPublicAccessBlock",),
        ("wafv2", "get_web_acl_for_resource"): (
            "elasticloadbalancing:GetLoadBalancerWebACL",
            "wafv2:GetWebACL",
            "wafv2:GetWebACLForResource",
        ),
    },
)
"""Service and method of boto3 → the IAM actions of the call. ``GetWebACLForResource`` has two dependent
actions (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awswafv2.html)."""


def policy() -> str:
    """The IAM policy that allows every call, as JSON."""
    actions = sorted({action for needed in CALLS.values() for action in needed})
    statement = {"Sid": "Read", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)
