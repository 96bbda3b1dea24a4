"""The bucket of uploaded files, its access log, and the policy that limits access to the S3 endpoint.

Versions are kept, so a deleted or overwritten file can be restored. The network's S3 endpoint is created after the
bucket, because its policy names the bucket. So the bucket's policy is a separate component, ``UploadsAccess``, created
last. Until then the bucket has the public access block and no object.
"""

import pulumi
import pulumi_aws as aws

from components.args import Args
from components.common.buckets import KEEP_PARTS_FOR_DAYS, close_bucket, encrypt_bucket, expire_objects
from components.component import Component
from components.data.iam_documents import access_log_policy, uploads_policy
from components.data.store import StoreContext


def make_uploads(context: StoreContext) -> aws.s3.Bucket:
    """The bucket of files, with a bucket for its access logs."""
    name, args, child = f"{context.name}-uploads", context.args, context.child
    # A destroy never empties the bucket; that is a separate step (docs/runbook.md).
    bucket = aws.s3.Bucket(
        name,
        force_destroy=False,
        tags={**args.tags, "Name": name},
        opts=pulumi.ResourceOptions(parent=child.parent, protect=not args.allow_deletion),
    )
    close_bucket(name, bucket, child)
    aws.s3.BucketVersioning(
        name,
        bucket=bucket.id,
        versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
        opts=child,
    )
    encrypt_bucket(name, bucket, child, key_arn=context.key.arn)
    aws.s3.BucketLifecycleConfiguration(
        name,
        bucket=bucket.id,
        rules=[
            {
                "id": "forget-deleted-files",
                "status": "Enabled",
                "filter": {},
                "noncurrent_version_expiration": {"noncurrent_days": args.uploads.deleted_file_days},
                "expiration": {"expired_object_delete_marker": True},
                "abort_incomplete_multipart_upload": {"days_after_initiation": KEEP_PARTS_FOR_DAYS},
            }
        ],
        opts=child,
    )
    _record_access(context, bucket)
    return bucket


def _record_access(context: StoreContext, bucket: aws.s3.Bucket) -> None:
    own, args, child = f"{context.name}-uploads-access", context.args, context.child
    # S3 continues to deliver logs for hours, so the bucket could not be emptied in time. It is deleted together with
    # its objects.
    logs = aws.s3.Bucket(own, force_destroy=args.allow_deletion, tags={**args.tags, "Name": own}, opts=child)
    closed = close_bucket(own, logs, child)
    # S3 delivers its own logs only to a bucket that is encrypted with S3's key.
    encrypt_bucket(own, logs, child)
    expire_objects(own, logs, args.uploads.access_log_days, child)
    policy = aws.s3.BucketPolicy(
        own,
        bucket=logs.id,
        policy=pulumi.Output.all(logs.arn, bucket.arn, args.uploads.access_log_reader_arns).apply(
            lambda arns: access_log_policy(
                bucket_arn=arns[0],
                source_bucket_arn=arns[1],
                account_id=args.account_id,
                reader_arns=arns[2],
            )
        ),
        opts=context.after(closed),
    )
    aws.s3.BucketLogging(
        f"{context.name}-uploads",
        bucket=bucket.id,
        target_bucket=logs.id,
        target_prefix="uploads/",
        opts=context.after(policy),
    )


class UploadsAccessArgs(Args):
    """Arguments of ``UploadsAccess``."""

    bucket_name: pulumi.Output[str]
    """The bucket of uploads."""
    bucket_arn: pulumi.Output[str]
    """The ARN of the bucket of uploads."""
    endpoint_id: pulumi.Output[str]
    """The network's S3 gateway endpoint, the only path to the objects."""
    backup_role_arn: pulumi.Output[str]
    """AWS Backup's role, which is exempt because it accesses the bucket from outside the network."""


class UploadsAccess(Component):
    """The policy of the bucket of uploads: object access only through the endpoint and for backups, and only with
    TLS."""

    def __init__(self, name: str, args: UploadsAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = UploadsAccessArgs.model_validate(args)
        super().__init__("ai-interface:index:UploadsAccess", name, args, opts)
        aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=args.bucket_name,
            policy=pulumi.Output.all(
                bucket_arn=args.bucket_arn, endpoint_id=args.endpoint_id, backup_role_arn=args.backup_role_arn
            ).apply(lambda known: uploads_policy(**known)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
