"""What every bucket of this project has: no public access, no ACLs, encryption, and expiry of incomplete uploads.

The bucket and its policy belong to the component that knows who writes and reads. Logical names derive from the
bucket's, so each of these can be used once for each bucket.
"""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.common.iam import ANYONE, Effect, Statement

KEEP_PARTS_FOR_DAYS = 1
"""Parts of an upload that was never completed are paid for and appear in no listing."""


def close_bucket(name: str, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions) -> aws.s3.BucketPublicAccessBlock:
    """Blocks public access in all four ways and disables ACLs, so that only policies grant access.

    The bucket's policy must depend on the returned block: without it, a policy could make the bucket public.
    """
    aws.s3.BucketOwnershipControls(name, bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}, opts=opts)
    return aws.s3.BucketPublicAccessBlock(
        name,
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )


def encrypt_bucket(
    name: str, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions, *, key_arn: pulumi.Input[str] | None = None
) -> None:
    """Encrypts objects with the key, or with S3's key where log delivery cannot use a customer managed one."""
    rule: aws.s3.BucketServerSideEncryptionConfigurationRuleArgsDict = (
        {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
        if key_arn is None
        else {
            "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key_arn},
            # One call to KMS for many objects.
            "bucket_key_enabled": True,
        }
    )
    aws.s3.BucketServerSideEncryptionConfiguration(name, bucket=bucket.id, rules=[rule], opts=opts)


def expire_objects(name: str, bucket: aws.s3.Bucket, days: int, opts: pulumi.ResourceOptions) -> None:
    """Deletes every object after so many days. For a bucket without versions: those would outlive the deletion."""
    aws.s3.BucketLifecycleConfiguration(
        name,
        bucket=bucket.id,
        rules=[
            {
                "id": "expire",
                "status": "Enabled",
                "filter": {},
                "expiration": {"days": days},
                "abort_incomplete_multipart_upload": {"days_after_initiation": KEEP_PARTS_FOR_DAYS},
            }
        ],
        opts=opts,
    )


def only_by_tls(bucket_arn: str) -> Statement:
    """Denies every request without TLS."""
    return Statement(
        sid="OnlyByTls",
        effect=Effect.DENY,
        actions=["s3:*"],
        resources=[bucket_arn, f"{bucket_arn}/*"],
        principals=ANYONE,
        conditions={"Bool": {"aws:SecureTransport": ["false"]}},
    )


def only_named_readers(bucket_arn: str, reader_arns: Sequence[str]) -> Statement:
    """Denies reading objects to every principal except these roles, whatever else allows it; without roles, to all.

    ``*`` and ``?`` are wildcards. A principal that may change the bucket's policy can still grant itself access.
    """
    return Statement(
        sid="OnlyNamedReaders",
        effect=Effect.DENY,
        actions=["s3:GetObject", "s3:GetObjectVersion"],
        resources=[f"{bucket_arn}/*"],
        principals=ANYONE,
        conditions={"ArnNotLike": {"aws:PrincipalArn": reader_arns}} if reader_arns else {},
    )
