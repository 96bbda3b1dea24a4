"""The bucket for the load balancer's logs: its own, with named readers, emptied after at most 30 days.

Access logs hold whole request lines, query strings included, and cannot be redacted; hence the bucket of their own.
Encryption is with S3's own key because log delivery cannot use a customer's.
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.iam import ANYONE, SOURCE_ACCOUNT, SOURCE_ARN, Effect, Statement, policy_document

ACCESS, CONNECTION, HEALTH_CHECK = "access", "connection", "health-check"
PREFIXES = (ACCESS, CONNECTION, HEALTH_CHECK)


def bucket_policy(bucket_arn: str, account_id: str, region: str, reader_arns: Sequence[str]) -> str:
    """Load balancers of this account write; only the named readers read; nobody comes without TLS."""
    balancers = f"arn:aws:elasticloadbalancing:{region}:{account_id}:loadbalancer/*"
    return policy_document(
        [
            Statement(
                sid="LogDelivery",
                actions=["s3:PutObject"],
                resources=[f"{bucket_arn}/{prefix}/AWSLogs/{account_id}/*" for prefix in PREFIXES],
                principals={"Service": ["logdelivery.elasticloadbalancing.amazonaws.com"]},
                conditions={"StringEquals": {SOURCE_ACCOUNT: [account_id]}, "ArnLike": {SOURCE_ARN: [balancers]}},
            ),
            Statement(
                sid="OnlyNamedReaders",
                effect=Effect.DENY,
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=[f"{bucket_arn}/*"],
                principals=ANYONE,
                conditions={"ArnNotLike": {"aws:PrincipalArn": reader_arns}} if reader_arns else {},
            ),
            Statement(
                sid="OnlyByTls",
                effect=Effect.DENY,
                actions=["s3:*"],
                resources=[bucket_arn, f"{bucket_arn}/*"],
                principals=ANYONE,
                conditions={"Bool": {"aws:SecureTransport": ["false"]}},
            ),
        ]
    )


def make_log_bucket(
    name: str,
    *,
    account_id: str,
    region: str,
    retention_days: int,
    reader_arns: Sequence[str],
    allow_deletion: bool,
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> tuple[aws.s3.Bucket, aws.s3.BucketPolicy]:
    """The bucket, and the policy without which a load balancer refuses to log there."""
    # The load balancer fills it until it is gone, so nobody could empty it in time: its logs go with it.
    bucket = aws.s3.Bucket(
        f"{name}-logs", force_destroy=allow_deletion, tags={**tags, "Name": f"{name}-logs"}, opts=opts
    )
    closed = aws.s3.BucketPublicAccessBlock(
        f"{name}-logs",
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    aws.s3.BucketOwnershipControls(
        f"{name}-logs", bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}, opts=opts
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-logs",
        bucket=bucket.id,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
        opts=opts,
    )
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-logs",
        bucket=bucket.id,
        rules=[
            {
                "id": "expire",
                "status": "Enabled",
                "filter": {},
                "expiration": {"days": retention_days},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
            }
        ],
        opts=opts,
    )
    policy = aws.s3.BucketPolicy(
        f"{name}-logs",
        bucket=bucket.id,
        policy=bucket.arn.apply(lambda arn: bucket_policy(arn, account_id, region, reader_arns)),
        opts=pulumi.ResourceOptions(parent=opts.parent, depends_on=[closed]),
    )
    return bucket, policy
