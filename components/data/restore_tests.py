"""AWS Backup's restore tests: the newest nightly copy of database and bucket is restored on a schedule and deleted again.

A test proves that the copy, its key and the role's permissions work: the restored cluster becomes available, and every object of
the bucket is written to a new one. It does not prove what is in them: the cluster has no instance, so nothing can query it
(``docs/restore.md`` has the drill that does). AWS Backup deletes both as soon as a test ends, the bucket over some days
(https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html).

Until then a copy has the same protection as the data: the database's private subnets and key, a security group without any
rule, and for the bucket the same key instead of S3's own, and no ACL. Without these overrides AWS Backup restores to the
account's default network, with S3's key
(https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-inferred-metadata.html).
"""

import json

import pulumi
import pulumi_aws as aws

from components.common.iam import Statement, policy_document, service_trust
from components.data.args import DataArgs
from components.data.database import Database
from components.data.store import StoreContext

PREFIX = "awsbackup-restore-test-"
"""AWS Backup begins the names of restored clusters and buckets with it."""
START_HOURS = 1
"""AWS Backup starts a test within this time after the schedule, the shortest that it accepts."""
SELECTION_DAYS = 7
"""The newest copy of the last days is restored. Older ones have been restored by earlier tests."""
HOUR = 14
"""UTC: the nightly copies start at 4:30, and are complete or have failed before 14:00."""


def make_restore_tests(
    context: StoreContext, database: Database, bucket: aws.s3.Bucket, vault: aws.backup.Vault
) -> aws.backup.RestoreTestingPlan | None:
    """The plan, one selection for each type of resource, and their role. None if the arguments turn the tests off."""
    name, args, child = f"{context.name}-restore-test", context.args, context.child
    if args.restore_test_months == 0:
        return None
    group = aws.ec2.SecurityGroup(
        f"{name}-group",
        vpc_id=args.vpc_id,
        description="Restored copies of the database: no rule, so nothing reaches them",
        tags={**args.tags, "Name": f"ai-interface-{args.environment}-restore-test"},
        opts=child,
    )
    role = aws.iam.Role(name, assume_role_policy=service_trust("backup.amazonaws.com", {}), tags=args.tags, opts=child)
    permission = aws.iam.RolePolicy(
        f"{name}-policy",
        role=role.name,
        policy=pulumi.Output.all(subnet_group=database.subnet_group.name, key_arn=context.key.arn).apply(
            lambda known: restore_test_policy(region=args.region, account_id=args.account_id, **known)
        ),
        opts=child,
    )
    plan = aws.backup.RestoreTestingPlan(
        name,
        name=_name(args),
        schedule_expression=f"cron(0 {HOUR} 1 1/{args.restore_test_months} ? *)",
        start_window_hours=START_HOURS,
        recovery_point_selection=aws.backup.RestoreTestingPlanRecoveryPointSelectionArgs(
            algorithm="LATEST_WITHIN_WINDOW",
            include_vaults=[vault.arn],
            recovery_point_types=["SNAPSHOT"],
            selection_window_days=SELECTION_DAYS,
        ),
        tags=args.tags,
        opts=child,
    )
    _selection(
        context,
        plan,
        role,
        permission,
        kind="Aurora",
        resource_arn=database.cluster.arn,
        overrides={
            "dbSubnetGroupName": database.subnet_group.name,
            # AWS Backup takes a list as a JSON array in a string.
            "vpcSecurityGroupIds": group.id.apply(lambda found: json.dumps([found])),
        },
    )
    _selection(
        context,
        plan,
        role,
        permission,
        kind="S3",
        resource_arn=bucket.arn,
        overrides={"encryptionType": "SSE-KMS", "kmsKey": context.key.arn, "restoreACLs": "false"},
    )
    return plan


def _selection(
    context: StoreContext,
    plan: aws.backup.RestoreTestingPlan,
    role: aws.iam.Role,
    permission: aws.iam.RolePolicy,
    *,
    kind: str,
    resource_arn: pulumi.Output[str],
    overrides: dict[str, pulumi.Input[str]],
) -> None:
    aws.backup.RestoreTestingSelection(
        f"{context.name}-restore-test-{kind.lower()}",
        name=f"{_name(context.args)}_{kind.lower()}",
        restore_testing_plan_name=plan.name,
        protected_resource_type=kind,
        protected_resource_arns=[resource_arn],
        iam_role_arn=role.arn,
        restore_metadata_overrides=overrides,
        # The provider reports a changed selection as updated and leaves it as it was
        # (https://github.com/hashicorp/terraform-provider-aws/issues/48316). A selection holds no data.
        opts=pulumi.ResourceOptions(
            parent=context.child.parent,
            depends_on=[permission],
            replace_on_changes=["*"],
            delete_before_replace=True,
        ),
    )


def _name(args: DataArgs) -> str:
    """Letters, digits and underscores are all that AWS Backup accepts, at most 50."""
    return f"ai_interface_{args.environment.replace('-', '_')}"


def restore_test_policy(*, region: str, account_id: str, subnet_group: str, key_arn: str) -> str:
    """Permissions to restore copies under the names that AWS Backup gives them, in the database's subnets and with its key.

    These are the parts of AWSBackupServiceRolePolicyForRestores and AWSBackupServiceRolePolicyForS3Restore that a restore of Aurora
    and of S3 needs. AWS Backup deletes the copies with its service-linked role. The role cannot write to the original bucket or
    read its objects: AWS Backup reads its own copy of them.
    """
    databases = f"arn:aws:rds:{region}:{account_id}"
    copies, buckets = f"{databases}:cluster:{PREFIX}*", f"arn:aws:s3:::{PREFIX}*"
    snapshots = f"{databases}:cluster-snapshot:awsbackup:*"
    return policy_document(
        [
            Statement(
                sid="FindCopies",
                actions=[
                    "rds:DescribeDBClusterSnapshots",
                    "rds:DescribeDBClusters",
                    "rds:DescribeDBInstances",
                    "rds:ListTagsForResource",
                ],
                resources=[f"{databases}:{kind}:*" for kind in ("cluster", "cluster-snapshot", "db")],
            ),
            Statement(
                sid="RestoreTheDatabase",
                actions=["rds:RestoreDBClusterFromSnapshot"],
                # The groups are arguments of the call: the parameter and the option group are RDS's defaults.
                resources=[
                    copies,
                    snapshots,
                    f"{databases}:subgrp:{subnet_group}",
                    f"{databases}:cluster-pg:default.*",
                    f"{databases}:og:default:*",
                ],
            ),
            Statement(
                sid="MarkAndRemoveTheCopy",
                actions=["rds:AddTagsToResource", "rds:DeleteDBCluster"],
                resources=[copies],
            ),
            Statement(
                sid="MakeTheBucket",
                actions=[
                    "s3:CreateBucket",
                    "s3:GetBucketLocation",
                    "s3:GetBucketOwnershipControls",
                    "s3:GetBucketVersioning",
                    "s3:ListBucket",
                    "s3:ListBucketVersions",
                    "s3:PutBucketOwnershipControls",
                    "s3:PutBucketVersioning",
                ],
                resources=[buckets],
            ),
            Statement(
                sid="RestoreTheObjects",
                actions=[
                    "s3:DeleteObject",
                    "s3:GetObject",
                    "s3:GetObjectTagging",
                    "s3:GetObjectVersion",
                    "s3:ListMultipartUploadParts",
                    "s3:PutObject",
                    "s3:PutObjectTagging",
                ],
                resources=[f"{buckets}/*"],
            ),
            Statement(
                sid="UseTheKey",
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                resources=[key_arn],
                conditions={
                    "StringLike": {"kms:ViaService": [f"{one}.{region}.amazonaws.com" for one in ("rds", "s3")]}
                },
            ),
            Statement(
                sid="LetTheDatabaseUseTheKey",
                actions=["kms:CreateGrant"],
                resources=[key_arn],
                conditions={"Bool": {"kms:GrantIsForAWSResource": ["true"]}},
            ),
        ]
    )
