"""The common configuration of all buckets: no public access, no ACLs, encryption, and expiry of incomplete uploads.

The bucket and its policy belong to the component that defines its writers and readers. Logical names are derived from
the bucket's, so each function can be used once for each bucket.
"""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.common.iam import ANYONE, Effect, Statement

KEEP_PARTS_FOR_DAYS = 1
"""Parts of an incomplete upload incur storage costs and do not appear in listings."""


def close_bucket(name: str, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions) -> aws.s3.BucketPublicAccessBlock:
    """Enables all four public access block settings and disables ACLs, so that only policies grant access.

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
    """Encrypts objects with the key, or with S3's key if log delivery cannot use a customer managed key."""
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
    """Deletes every object after the given number of days. Use it only for buckets without versioning: noncurrent
    versions would not be deleted."""
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
    """Denies every principal except these roles access to objects, even if another policy allows it. Without roles, it
    denies all principals.

    ``*`` and ``?`` are wildcards. A principal with permission to change the bucket's policy can still grant itself
    access.
    """
    return Statement(
        sid="OnlyNamedReaders",
        effect=Effect.DENY,
        actions=["s3:GetObject", "s3:GetObjectVersion"],
        resources=[f"{bucket_arn}/*"],
        principals=ANYONE,
        conditions={"ArnNotLike": {"aws:PrincipalArn": reader_arns}} if reader_arns else {},
    )
