"""What every bucket of this project has: no public access, no ACLs, encryption, and an end for what was left half done.

The bucket itself and its policy stay with the component that knows who writes and reads. The logical names are the
bucket's own, so each of these exists once a bucket.
"""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.common.iam import ANYONE, Effect, Statement

KEEP_PARTS_FOR_DAYS = 1
"""Parts of an upload that was never completed are paid for and appear in no listing."""


def close_bucket(name: str, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions) -> aws.s3.BucketPublicAccessBlock:
    """Blocks public access in all four ways and turns ACLs off, so that policies alone say who comes in.

    Make the bucket's policy wait for the returned block: while it is missing, a policy could open the bucket.
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
    """Encrypts what is put there with the key, or with S3's own where log delivery cannot use a customer's."""
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
    """Refuses every request that comes without TLS."""
    return Statement(
        sid="OnlyByTls",
        effect=Effect.DENY,
        actions=["s3:*"],
        resources=[bucket_arn, f"{bucket_arn}/*"],
        principals=ANYONE,
        conditions={"Bool": {"aws:SecureTransport": ["false"]}},
    )


def only_named_readers(bucket_arn: str, reader_arns: Sequence[str]) -> Statement:
    """Refuses to give objects to anybody but these roles, whatever else allows it; without any, to everybody.

    ``*`` and ``?`` are wildcards. Who may change the bucket's policy can let himself in.
    """
    return Statement(
        sid="OnlyNamedReaders",
        effect=Effect.DENY,
        actions=["s3:GetObject", "s3:GetObjectVersion"],
        resources=[f"{bucket_arn}/*"],
        principals=ANYONE,
        conditions={"ArnNotLike": {"aws:PrincipalArn": reader_arns}} if reader_arns else {},
    )
