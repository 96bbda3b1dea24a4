"""Every call that ``preflight ready`` may make, and the IAM policy that allows them. A call that is not here is
refused before it is sent (``preflight/account/session.py``), and ``docs/ready.md`` contains the resulting policy."""

from __future__ import annotations

import json
from collections.abc import Mapping

from preflight.account.actions import declared
from preflight.account.session import Calls

_OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "accessanalyzer": ("list_analyzers",),
    "acm": ("describe_certificate", "list_certificates"),
    "backup": ("describe_region_settings",),
    "bedrock": (
        "get_foundation_model",
        "get_foundation_model_availability",
        "get_inference_profile",
        "list_guardrails",
    ),
    "bedrock-runtime": ("chat_completions",),
    "cloudtrail": ("describe_trails", "get_event_selectors", "get_trail_status"),
    "config": ("describe_configuration_recorder_status", "describe_configuration_recorders"),
    "ec2": (
        "describe_availability_zones",
        "describe_internet_gateways",
        "describe_network_interfaces",
        "describe_regions",
        "describe_route_tables",
        "describe_security_groups",
        "describe_subnets",
        "describe_vpc_endpoint_services",
        "describe_vpc_endpoints",
        "describe_vpcs",
    ),
    "ecr": ("batch_get_image", "describe_images", "describe_repositories"),
    "ecs": ("describe_clusters", "describe_tasks", "list_clusters", "list_tasks"),
    "elasticache": (
        "describe_cache_clusters",
        "describe_cache_engine_versions",
        "describe_reserved_cache_nodes_offerings",
    ),
    "elbv2": ("describe_load_balancers", "describe_target_groups"),
    "events": ("list_rules",),
    "guardduty": ("get_detector", "list_detectors"),
    "iam": (
        "get_account_summary",
        "get_open_id_connect_provider",
        "get_policy",
        "get_policy_version",
        "get_role",
        "list_attached_role_policies",
    ),
    "kms": ("get_public_key", "list_aliases", "list_keys"),
    "logs": ("describe_log_groups", "describe_resource_policies"),
    "organizations": ("describe_organization",),
    "rds": ("describe_db_clusters", "describe_db_instances", "describe_orderable_db_instance_options"),
    "route53": ("get_hosted_zone", "list_resource_record_sets"),
    "s3": (
        "get_bucket_encryption",
        "get_bucket_policy",
        "get_bucket_versioning",
        "get_public_access_block",
        "head_bucket",
        "list_buckets",
    ),
    "s3control": ("get_public_access_block",),
    "secretsmanager": ("describe_secret", "list_secrets"),
    "service-quotas": ("get_aws_default_service_quota", "get_service_quota", "list_service_quotas"),
    "sts": ("get_caller_identity",),
    "wafv2": ("list_web_acls",),
}
_ACTIONS: Calls = {
    ("bedrock-runtime", "chat_completions"): ("bedrock:ApplyGuardrail", "bedrock:InvokeModel"),
    ("elasticache", "describe_cache_engine_versions"): ("elasticache:DescribeCacheEngineVersions",),
    ("iam", "get_open_id_connect_provider"): ("iam:GetOpenIDConnectProvider",),
    ("rds", "describe_db_clusters"): ("rds:DescribeDBClusters",),
    ("rds", "describe_db_instances"): ("rds:DescribeDBInstances",),
    ("rds", "describe_orderable_db_instance_options"): ("rds:DescribeOrderableDBInstanceOptions",),
    ("s3", "get_bucket_encryption"): ("s3:GetEncryptionConfiguration",),
    ("s3", "get_public_access_block"): ("s3:GetBucketPublicAccessBlock",),
    ("s3control", "get_public_access_block"): ("s3:GetAccountPublicAccessBlock",),
    ("s3", "head_bucket"): ("s3:ListBucket",),
    ("s3", "list_buckets"): ("s3:ListAllMyBuckets",),
    ("service-quotas", "get_aws_default_service_quota"): ("servicequotas:GetAWSDefaultServiceQuota",),
    ("wafv2", "list_web_acls"): ("wafv2:ListWebACLs",),
}
"""Calls whose IAM action differs from the operation's name (S3), or is capitalized differently."""


CALLS: Calls = declared(_OPERATIONS, _ACTIONS)
"""Service and method of boto3 → the IAM actions of the call. ``chat_completions`` is the one request that boto3 has no
method for, and the only one that is billed."""


def policy() -> str:
    """The IAM policy that allows every call, as JSON."""
    paid = set(CALLS["bedrock-runtime", "chat_completions"])
    reading = sorted({action for actions in CALLS.values() for action in actions} - paid)
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Read", "Effect": "Allow", "Action": reading, "Resource": "*"},
            {
                "Sid": "AskEachModelOnce",
                "Effect": "Allow",
                "Action": sorted(paid),
                "Resource": [
                    "arn:aws:bedrock:*::foundation-model/*",
                    "arn:aws:bedrock:*:*:guardrail/*",
                    "arn:aws:bedrock:*:*:inference-profile/*",
                ],
            },
        ],
    }
    return json.dumps(document, indent=2)


def markdown() -> str:
    """The policy as the section of ``docs/ready.md``."""
    return f"```json\n{policy()}\n```\n"
