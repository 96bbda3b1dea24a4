"""Every call that ``preflight due`` may make to AWS. None of them reads a secret's value. CI's preview role allows all."""

from __future__ import annotations

from preflight.account.actions import declared
from preflight.account.session import Calls

CALLS: Calls = declared(
    {
        "backup": ("get_restore_testing_plan", "list_restore_jobs"),
        "rds": ("describe_db_clusters",),
        "resourcegroupstaggingapi": ("get_resources",),
        "s3": ("head_bucket",),
        "secretsmanager": ("list_secret_version_ids",),
        "sts": ("get_caller_identity",),
    },
    {
        ("rds", "describe_db_clusters"): ("rds:DescribeDBClusters",),
        ("s3", "head_bucket"): ("s3:ListBucket",),
    },
)
"""Service and method of boto3 → the IAM actions of the call."""
