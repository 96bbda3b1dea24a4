"""The permissions boundaries of CI's roles and of the roles that they create."""

from bootstrap import role_actions as may
from bootstrap.role_scope import DATABASE_SECRETS, OBJECTS, PIPELINE_PATH, Scope, read_secrets
from bootstrap.role_services import GLOBAL_SERVICES
from components.common.iam import Effect, Statement, policy_document


def pipeline_boundary(scope: Scope) -> str:
    """The permissions boundary of CI's roles."""
    own = [
        f"arn:aws:iam::{scope.account_id}:role{PIPELINE_PATH}*",
        f"arn:aws:iam::{scope.account_id}:policy{PIPELINE_PATH}*",
    ]
    return policy_document(
        [
            Statement(
                sid="RegionalServices",
                actions=sorted(
                    {f"{s}:*" for t in (may.READ, may.WRITE_NETWORK, may.WRITE_SERVICE, may.WRITE_STATE) for s in t}
                    - set(GLOBAL_SERVICES)
                ),
                resources=["*"],
                conditions=scope.in_region,
            ),
            Statement(sid="GlobalServices", actions=GLOBAL_SERVICES, resources=["*"]),
            Statement(
                sid="NotUsersNorFederation",
                effect=Effect.DENY,
                actions=[
                    "iam:*AccessKey*",
                    "iam:*Group*",
                    "iam:*LoginProfile*",
                    "iam:*OpenIDConnectProvider*",
                    "iam:*SAMLProvider*",
                    "iam:*ServiceSpecificCredential*",
                    "iam:*User*",
                    "iam:DeleteRolePermissionsBoundary",
                ],
                resources=["*"],
            ),
            Statement(
                sid="NotItself",
                effect=Effect.DENY,
                actions=[
                    "iam:Add*",
                    "iam:Attach*",
                    "iam:Create*",
                    "iam:Delete*",
                    "iam:Detach*",
                    "iam:PassRole",
                    "iam:Put*",
                    "iam:Set*",
                    "iam:Tag*",
                    "iam:Untag*",
                    "iam:Update*",
                ],
                resources=own,
            ),
            Statement(
                sid="NotData",
                effect=Effect.DENY,
                actions=[
                    "backup:DeleteRecoveryPoint",
                    "backup:StartRestoreJob",
                    "bedrock:InvokeModel*",
                    "bedrock:CallWithBearerToken",
                    "bedrock-mantle:CallWithBearerToken",
                    "bedrock-mantle:CreateInference",
                    "ecr:BatchDeleteImage",
                    "ecr:PutImage",
                    "ecs:ExecuteCommand",
                    "ecs:RunTask",
                    "elasticache:CopySnapshot",
                    "elasticache:DeleteSnapshot",
                    "logs:FilterLogEvents",
                    "logs:GetLogEvents",
                    "logs:GetQueryResults",
                    "logs:StartLiveTail",
                    "logs:StartQuery",
                    "logs:Unmask",
                    "rds:DeleteDBClusterSnapshot",
                    "rds:DownloadCompleteDBLogFile",
                    "rds:DownloadDBLogFilePortion",
                    "rds:ModifyDBClusterSnapshotAttribute",
                    "rds:StartExportTask",
                    *([] if scope.state_bucket else OBJECTS),
                ],
                resources=["*"],
            ),
            *(
                [Statement(sid="NotObjects", effect=Effect.DENY, actions=OBJECTS, not_resources=scope.state_objects)]
                if scope.state_bucket
                else []
            ),
            Statement(
                sid="NotNamedSecrets",
                effect=Effect.DENY,
                actions=[
                    "secretsmanager:Delete*",
                    "secretsmanager:Put*",
                    "secretsmanager:Tag*",
                    "secretsmanager:Untag*",
                    "secretsmanager:Update*",
                ],
                resources=[scope.of("secretsmanager", "secret:ai-interface/*")],
            ),
        ]
    )


def workload_boundary(scope: Scope) -> str:
    """The permissions boundary of deployed roles: the permissions that tasks, flow logs, monitoring and backups need,
    limited to this environment's secrets and keys."""
    return policy_document(
        [
            Statement(
                sid="StartTasksAndWriteLogs",
                actions=[
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:GetAuthorizationToken",
                    "ecr:GetDownloadUrlForLayer",
                    "logs:CreateLogStream",
                    "logs:DescribeLogGroups",
                    "logs:DescribeLogStreams",
                    "logs:PutLogEvents",
                ],
                resources=["*"],
                conditions=scope.in_region,
            ),
            Statement(
                sid="CallModels",
                actions=[
                    "bedrock:ApplyGuardrail",
                    "bedrock:InvokeModel",
                    "bedrock:InvokeModelWithResponseStream",
                    "bedrock-mantle:CreateInference",
                ],
                resources=["*"],
            ),
            # The schedule of the synthetic chat. No role that a task has is granted these actions.
            Statement(
                sid="StartScheduledTasks",
                actions=["ecs:RunTask", "ecs:TagResource"],
                resources=[
                    scope.of("ecs", f"task-definition/ai-interface-{scope.environment}-*:*"),
                    scope.of("ecs", "task/*"),
                ],
            ),
            Statement(
                sid="HandOwnRolesToScheduledTasks",
                actions=["iam:PassRole"],
                resources=[scope.roles],
                conditions={"StringEquals": {"iam:PassedToService": ["ecs-tasks.amazonaws.com"]}},
            ),
            Statement(
                sid="LogInToOwnDatabases",
                actions=["rds-db:connect"],
                resources=[scope.of("rds-db", "dbuser:*/*")],
            ),
            Statement(
                sid="ReachOwnState",
                actions=[
                    "s3:AbortMultipartUpload",
                    "s3:DeleteObject",
                    "s3:Get*",
                    "s3:ListBucket*",
                    "s3:ListMultipartUploadParts",
                    "s3:PutBucketNotification",
                    "s3:PutInventoryConfiguration",
                    "s3:PutObject",
                    "s3:PutObjectTagging",
                ],
                resources=["*"],
                conditions={"StringEquals": {"aws:ResourceAccount": [scope.account_id]}},
            ),
            Statement(
                sid="CopyOwnState",
                actions=[
                    "backup:CopyIntoBackupVault",
                    "backup:DescribeBackupVault",
                    "backup:TagResource",
                    "events:DeleteRule",
                    "events:DescribeRule",
                    "events:DisableRule",
                    "events:EnableRule",
                    "events:ListTargetsByRule",
                    "events:PutRule",
                    "events:PutTargets",
                    "events:RemoveTargets",
                    "rds:AddTagsToResource",
                    "rds:CopyDBClusterSnapshot",
                    "rds:CreateDBClusterSnapshot",
                    "rds:DeleteDBClusterSnapshot",
                    "rds:Describe*",
                    "rds:ListTagsForResource",
                    "rds:ModifyDBClusterSnapshotAttribute",
                ],
                resources=[
                    scope.of("backup", "*"),
                    scope.of("events", "rule/AwsBackupManagedRule*"),
                    scope.of("rds", "*"),
                    # data.copyVaultArn: a vault in another region or account, and the copies of databases in other regions.
                    "arn:aws:backup:*:*:backup-vault:*",
                    f"arn:aws:rds:*:{scope.account_id}:cluster-snapshot:awsbackup:*",
                ],
            ),
            # Restore tests: AWS Backup begins the names of what it restores so.
            Statement(
                sid="RestoreCopiesInTests",
                actions=["rds:DeleteDBCluster", "rds:RestoreDBClusterFromSnapshot"],
                resources=[
                    scope.of("rds", "cluster:awsbackup-restore-test-*"),
                    scope.of("rds", "cluster-pg:default.*"),
                    scope.of("rds", "cluster-snapshot:awsbackup:*"),
                    scope.of("rds", "og:default:*"),
                    scope.of("rds", "subgrp:*"),
                ],
            ),
            Statement(
                sid="RestoreBucketsInTests",
                actions=["s3:CreateBucket", "s3:PutBucketOwnershipControls", "s3:PutBucketVersioning"],
                resources=["arn:aws:s3:::awsbackup-restore-test-*"],
            ),
            Statement(
                sid="FindWhatToCopy",
                actions=["cloudwatch:GetMetricData", "events:ListRules", "s3:ListAllMyBuckets", "tag:GetResources"],
                resources=["*"],
            ),
            Statement(
                sid="MeasureOwnDatabases",
                actions=["logs:CreateLogGroup", "logs:GetLogEvents", "logs:PutRetentionPolicy"],
                resources=[scope.of("logs", "log-group:RDSOSMetrics*")],
            ),
            *read_secrets(scope),
            Statement(
                sid="ReadMasterSecrets",
                actions=["secretsmanager:GetSecretValue"],
                resources=[scope.of("secretsmanager", f"secret:{DATABASE_SECRETS}")],
            ),
            Statement(
                sid="UseKeysOfCopiesInOtherRegions",
                actions=["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                resources=[f"arn:aws:kms:*:{scope.account_id}:key/*"],
                conditions={
                    "StringLike": {
                        "kms:ViaService": ["backup.*.amazonaws.com", "rds.*.amazonaws.com", "s3.*.amazonaws.com"]
                    },
                    "StringNotEquals": {"aws:RequestedRegion": [scope.region]},
                },
            ),
            Statement(
                sid="UseOwnKeys",
                actions=["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"],
                resources=[scope.of("kms", "key/*")],
                conditions={"StringEquals": scope.tagged},
            ),
        ]
    )
