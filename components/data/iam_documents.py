"""Permissions on the data, as IAM documents. Pure functions. The task logs in to the database as one role and accesses
the objects of one bucket; the execution role reads the two secrets that containers need at the start; AWS Backup copies
only this database and this bucket."""

from collections.abc import Sequence

from components.common.buckets import only_by_tls, only_named_readers
from components.common.iam import ANYONE, Conditions, Effect, Statement, account_delegates, policy_document

OBJECT_ACTIONS = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)
BUCKET_ACTIONS = ("s3:ListBucket", "s3:ListBucketMultipartUploads")


def key_policy(account_id: str, copy_vault_arn: str | None = None) -> str:
    """IAM policies of the account control the use of the data's key. Services use it through grants from their
    callers. An account that receives copies of the database has to read them with this key, through AWS Backup and RDS only
    (https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html)."""
    statements = [account_delegates(account_id)]
    if copy_vault_arn is not None and (receiver := copy_vault_arn.split(":")[4]) != account_id:
        statements += [
            Statement(
                sid="ReadCopies",
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom"],
                resources=["*"],
                principals={"AWS": [f"arn:aws:iam::{receiver}:root"]},
                conditions={"StringLike": {"kms:ViaService": ["backup.*.amazonaws.com", "rds.*.amazonaws.com"]}},
            ),
            Statement(
                sid="ReadCopiesByGrant",
                actions=["kms:CreateGrant"],
                resources=["*"],
                principals={"AWS": [f"arn:aws:iam::{receiver}:root"]},
                conditions={"Bool": {"kms:GrantIsForAWSResource": ["true"]}},
            ),
        ]
    return policy_document(statements)


def task_policy(
    *, region: str, account_id: str, cluster_resource_id: str, user: str, bucket_arn: str, key_arn: str
) -> str:
    """Permissions to log in to the database as ``user``, to read, write and list the bucket, and to use the key through
    S3 for this bucket."""
    return policy_document(
        [
            Statement(
                sid="LogInToTheDatabase",
                actions=["rds-db:connect"],
                resources=[f"arn:aws:rds-db:{region}:{account_id}:dbuser:{cluster_resource_id}/{user}"],
            ),
            Statement(sid="KeepUploads", actions=OBJECT_ACTIONS, resources=[f"{bucket_arn}/*"]),
            Statement(sid="ListUploads", actions=BUCKET_ACTIONS, resources=[bucket_arn]),
            Statement(
                sid="EncryptUploads",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[key_arn],
                conditions=_through_s3(region, bucket_arn),
            ),
        ]
    )


def _through_s3(region: str, bucket_arn: str) -> Conditions:
    # With bucket keys the context is the bucket's ARN, without them the object's.
    return {
        "StringEquals": {"kms:ViaService": [f"s3.{region}.amazonaws.com"]},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket_arn, f"{bucket_arn}/*"]},
    }


def secrets_policy(*, region: str, secret_arns: list[str], key_arn: str) -> str:
    """The secrets that the execution role reads for the containers: the database's master secret and the cache's
    URL."""
    return policy_document(
        [
            Statement(sid="ReadStateSecrets", actions=["secretsmanager:GetSecretValue"], resources=secret_arns),
            Statement(
                sid="DecryptStateSecrets",
                actions=["kms:Decrypt"],
                resources=[key_arn],
                conditions={
                    "StringEquals": {
                        "kms:EncryptionContext:SecretARN": secret_arns,
                        "kms:ViaService": [f"secretsmanager.{region}.amazonaws.com"],
                    }
                },
            ),
        ]
    )


def monitoring_policy(region: str, account_id: str) -> str:
    """Enhanced monitoring writes to one log group, ``RDSOSMetrics``, which RDS creates for the whole account."""
    groups = f"arn:aws:logs:{region}:{account_id}:log-group:RDSOSMetrics"
    return policy_document(
        [
            Statement(
                sid="MakeTheLogGroup",
                actions=["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
                resources=[groups, f"{groups}:*"],
            ),
            Statement(
                sid="WriteMetrics",
                actions=[
                    "logs:CreateLogStream",
                    "logs:DescribeLogStreams",
                    "logs:GetLogEvents",
                    "logs:PutLogEvents",
                ],
                resources=[f"{groups}:log-stream:*"],
            ),
        ]
    )


def uploads_policy(*, bucket_arn: str, endpoint_id: str, backup_role_arn: str) -> str:
    """Objects can be read and written only through the network's S3 endpoint, except by AWS Backup, which is outside
    the network. Only object actions are denied, so the bucket's settings can still be managed."""
    return policy_document(
        [
            Statement(
                sid="ObjectsOnlyByTheEndpoint",
                effect=Effect.DENY,
                actions=[
                    "s3:AbortMultipartUpload",
                    "s3:BypassGovernanceRetention",
                    "s3:DeleteObject*",
                    "s3:GetObject*",
                    "s3:InitiateReplication",
                    "s3:ListMultipartUploadParts",
                    "s3:PutObject*",
                    "s3:ReplicateDelete",
                    "s3:ReplicateObject",
                    "s3:RestoreObject",
                ],
                resources=[f"{bucket_arn}/*"],
                principals=ANYONE,
                # Negated operators also match a request that does not use an endpoint.
                conditions={
                    "StringNotEquals": {"aws:SourceVpce": [endpoint_id]},
                    "ArnNotEquals": {"aws:PrincipalArn": [backup_role_arn]},
                },
            ),
            only_by_tls(bucket_arn),
        ]
    )


def access_log_policy(
    *, bucket_arn: str, source_bucket_arn: str, account_id: str, reader_arns: Sequence[str] = ()
) -> str:
    """S3 writes the access log of the uploads, only the listed roles may read it, and TLS is required."""
    return policy_document(
        [
            Statement(
                sid="LogDelivery",
                actions=["s3:PutObject"],
                resources=[f"{bucket_arn}/*"],
                principals={"Service": ["logging.s3.amazonaws.com"]},
                conditions={
                    "StringEquals": {"aws:SourceAccount": [account_id]},
                    "ArnLike": {"aws:SourceArn": [source_bucket_arn]},
                },
            ),
            only_named_readers(bucket_arn, reader_arns),
            only_by_tls(bucket_arn),
        ]
    )


def copy_statements(account_id: str, vault_arn: str, key_arn: str | None) -> list[Statement]:
    """Copying into another vault. In another region the copies are encrypted with that vault's key, and a database's copy is a
    snapshot there."""
    its_region = vault_arn.split(":")[3]
    statements = [
        Statement(
            sid="FillTheOtherVault",
            actions=["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"],
            resources=[vault_arn],
        )
    ]
    if key_arn is not None:
        statements += [
            Statement(
                sid="CopyTheDatabaseThere",
                actions=["rds:AddTagsToResource", "rds:CopyDBClusterSnapshot", "rds:DescribeDBClusterSnapshots"],
                resources=[f"arn:aws:rds:{its_region}:{account_id}:cluster-snapshot:awsbackup:*"],
            ),
            Statement(
                sid="UseTheOtherVaultsKey",
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                resources=[key_arn],
                conditions={
                    "StringLike": {
                        "kms:ViaService": [
                            f"{service}.{its_region}.amazonaws.com" for service in ("backup", "rds", "s3")
                        ]
                    }
                },
            ),
            Statement(
                sid="LetTheCopyUseItsKey",
                actions=["kms:CreateGrant"],
                resources=[key_arn],
                conditions={"Bool": {"kms:GrantIsForAWSResource": ["true"]}},
            ),
        ]
    return statements


def backup_policy(
    *,
    region: str,
    account_id: str,
    cluster_arn: str,
    bucket_arn: str,
    vault_arn: str,
    key_arn: str,
    copy_vault_arn: str | None = None,
    copy_key_arn: str | None = None,
) -> str:
    """The permissions of AWS Backup's managed policies for Aurora and S3, limited to this database, this bucket and
    this key.

    They include restoring files, because the bucket denies all other writes from outside the network, so no other role
    could do it. A database is restored from its snapshot without this role.
    """
    databases = f"arn:aws:rds:{region}:{account_id}"
    snapshots = f"{databases}:cluster-snapshot:awsbackup:*"
    own_rules = f"arn:aws:events:{region}:{account_id}:rule/AwsBackupManagedRule*"
    return policy_document(
        [
            # These four actions do not support resource-level permissions.
            Statement(
                sid="FindResources",
                actions=["cloudwatch:GetMetricData", "events:ListRules", "s3:ListAllMyBuckets", "tag:GetResources"],
                resources=["*"],
            ),
            Statement(
                sid="FindTheDatabase",
                actions=[
                    "rds:DescribeDBClusterAutomatedBackups",
                    "rds:DescribeDBClusterSnapshots",
                    "rds:DescribeDBClusters",
                    "rds:DescribeDBInstances",
                ],
                resources=[
                    f"{databases}:{kind}:*" for kind in ("cluster", "cluster-auto-backup", "cluster-snapshot", "db")
                ],
            ),
            Statement(
                sid="CopyTheDatabase",
                actions=["rds:AddTagsToResource", "rds:CreateDBClusterSnapshot", "rds:ListTagsForResource"],
                resources=[cluster_arn, snapshots],
            ),
            Statement(
                sid="KeepItsCopies",
                actions=[
                    "rds:CopyDBClusterSnapshot",
                    "rds:DeleteDBClusterSnapshot",
                    "rds:ModifyDBClusterSnapshotAttribute",
                ],
                resources=[snapshots],
            ),
            Statement(
                sid="ReadTheBucket",
                actions=[
                    "s3:GetBucketAcl",
                    "s3:GetBucketLocation",
                    "s3:GetBucketNotification",
                    "s3:GetBucketOwnershipControls",
                    "s3:GetBucketTagging",
                    "s3:GetBucketVersioning",
                    "s3:GetInventoryConfiguration",
                    "s3:ListBucket",
                    "s3:ListBucketVersions",
                    "s3:PutBucketNotification",
                    "s3:PutInventoryConfiguration",
                ],
                resources=[bucket_arn],
            ),
            Statement(
                sid="CopyAndRestoreItsObjects",
                actions=[
                    "s3:DeleteObject",
                    "s3:GetObject",
                    "s3:GetObjectAcl",
                    "s3:GetObjectTagging",
                    "s3:GetObjectVersion",
                    "s3:GetObjectVersionAcl",
                    "s3:GetObjectVersionTagging",
                    "s3:ListMultipartUploadParts",
                    "s3:PutObject",
                    "s3:PutObjectTagging",
                ],
                resources=[f"{bucket_arn}/*"],
            ),
            Statement(
                sid="HearOfItsChanges",
                actions=[
                    "events:DeleteRule",
                    "events:DescribeRule",
                    "events:DisableRule",
                    "events:EnableRule",
                    "events:ListTargetsByRule",
                    "events:PutRule",
                    "events:PutTargets",
                    "events:RemoveTargets",
                ],
                resources=[own_rules],
            ),
            Statement(
                sid="FillTheVault",
                actions=["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"],
                resources=[vault_arn],
            ),
            Statement(
                sid="NameRecoveryPoints",
                actions=["backup:TagResource"],
                resources=[f"arn:aws:backup:{region}:{account_id}:recovery-point:*"],
            ),
            Statement(
                sid="UseTheKey",
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                resources=[key_arn],
                conditions={
                    "StringLike": {
                        "kms:ViaService": [f"{service}.{region}.amazonaws.com" for service in ("backup", "rds", "s3")]
                    }
                },
            ),
            Statement(
                sid="LetTheDatabaseUseTheKey",
                actions=["kms:CreateGrant"],
                resources=[key_arn],
                conditions={"Bool": {"kms:GrantIsForAWSResource": ["true"]}},
            ),
            *(copy_statements(account_id, copy_vault_arn, copy_key_arn) if copy_vault_arn is not None else []),
        ]
    )
