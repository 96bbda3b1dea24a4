"""The bucket for the load balancer's logs, with a list of readers. Objects expire after at most 30 days.

Access logs contain full request lines with query strings and cannot be redacted, so no other logs share the bucket. It
is encrypted with S3's key, because log delivery cannot use a customer managed key.
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.common.buckets import close_bucket, encrypt_bucket, expire_objects, only_by_tls, only_named_readers
from components.common.iam import SOURCE_ARN, Statement, policy_document

ACCESS, CONNECTION, HEALTH_CHECK = "access", "connection", "health-check"
PREFIXES = (ACCESS, CONNECTION, HEALTH_CHECK)


def bucket_policy(bucket_arn: str, account_id: str, region: str, reader_arns: Sequence[str]) -> str:
    """Load balancers of this account may write, only the listed readers may read, and TLS is required.

    The grant to log delivery is limited by the load balancers' ARN, which contains the region and account. It has no
    aws:SourceAccount condition: AWS does not document that log delivery sends this key, and if it does not, the
    condition would block all logs.
    """
    balancers = f"arn:aws:elasticloadbalancing:{region}:{account_id}:loadbalancer/*"
    return policy_document(
        [
            Statement(
                sid="LogDelivery",
                actions=["s3:PutObject"],
                resources=[f"{bucket_arn}/{prefix}/AWSLogs/{account_id}/*" for prefix in PREFIXES],
                principals={"Service": ["logdelivery.elasticloadbalancing.amazonaws.com"]},
                conditions={"ArnLike": {SOURCE_ARN: [balancers]}},
            ),
            only_named_readers(bucket_arn, reader_arns),
            only_by_tls(bucket_arn),
        ]
    )


def make_log_bucket(
    name: str,
    *,
    account_id: str,
    region: str,
    retention_days: int,
    reader_arns: pulumi.Input[list[str]],
    allow_deletion: bool,
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> tuple[aws.s3.Bucket, aws.s3.BucketPolicy]:
    """The bucket and its policy. Without the policy, a load balancer refuses to enable logging."""
    # The load balancer writes to the bucket until it is deleted, so the bucket could not be emptied in time. Its logs
    # are deleted with it.
    bucket = aws.s3.Bucket(
        f"{name}-logs", force_destroy=allow_deletion, tags={**tags, "Name": f"{name}-logs"}, opts=opts
    )
    closed = close_bucket(f"{name}-logs", bucket, opts)
    encrypt_bucket(f"{name}-logs", bucket, opts)
    expire_objects(f"{name}-logs", bucket, retention_days, opts)
    policy = aws.s3.BucketPolicy(
        f"{name}-logs",
        bucket=bucket.id,
        policy=pulumi.Output.all(bucket.arn, reader_arns).apply(
            lambda known: bucket_policy(known[0], account_id, region, known[1])
        ),
        opts=pulumi.ResourceOptions(parent=opts.parent, depends_on=[closed]),
    )
    return bucket, policy
