"""The account's baseline, each part only if it is asked for, because an organization often has it in other accounts."""

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.args import Args
from components.common.buckets import close_bucket, encrypt_bucket, expire_objects, only_by_tls
from components.common.iam import SOURCE_ACCOUNT, SOURCE_ARN, Statement, policy_document

TRAIL = "ai-interface-management"
"""The trail's name. It is fixed, so that the policies of bucket and key can name the trail before it exists."""


class AccountBaselineArgs(Args):
    """Arguments of ``AccountBaseline``."""

    account_id: str
    region: str
    key_arn: pulumi.Output[str]
    """The key that encrypts the logs; its policy must contain ``key_statements``."""
    trail: bool = False
    guard_duty: bool = False
    config: bool = False
    access_analyzer: bool = False
    log_retention_days: int = Field(default=365, ge=90)
    """How long logs are kept."""
    tags: dict[str, str]


class AccountBaseline(pulumi.ComponentResource):
    """A trail of all regions, GuardDuty, a recorder of AWS Config, and an analyzer of external access."""

    def __init__(self, name: str, args: AccountBaselineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = AccountBaselineArgs.model_validate(args)
        super().__init__("ai-interface:bootstrap:AccountBaseline", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        if args.trail or args.config:
            bucket, policy = self._bucket()
            after = pulumi.ResourceOptions(parent=self, depends_on=[policy])
            if args.trail:
                self._trail(bucket, after)
            if args.config:
                self._recorder(bucket, after)
        if args.guard_duty:
            aws.guardduty.Detector(f"{name}-threats", enable=True, tags=args.tags, opts=self._child)
        if args.access_analyzer:
            aws.accessanalyzer.Analyzer(
                f"{name}-outside-access",
                analyzer_name="ai-interface-outside-access",
                type="ACCOUNT",
                tags=args.tags,
                opts=self._child,
            )
        self.register_outputs({})

    def _bucket(self) -> tuple[aws.s3.Bucket, aws.s3.BucketPolicy]:
        name, args = f"{self._name}-logs", self._args
        # Only these logs show who changed the account, so Pulumi refuses to delete them.
        bucket = aws.s3.Bucket(
            name, tags={**args.tags, "Name": name}, opts=pulumi.ResourceOptions(parent=self, protect=True)
        )
        closed = close_bucket(name, bucket, self._child)
        encrypt_bucket(name, bucket, self._child, key_arn=args.key_arn)
        expire_objects(name, bucket, args.log_retention_days, self._child)
        policy = aws.s3.BucketPolicy(
            name,
            bucket=bucket.id,
            policy=bucket.arn.apply(lambda arn: bucket_policy(arn, args.account_id, args.region)),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[closed]),
        )
        self._readers(bucket)
        return bucket, policy

    def _readers(self, logs: aws.s3.Bucket) -> None:
        """A log of the requests to the logs. S3 can write it only to a bucket that is encrypted with S3's key."""
        name, args = f"{self._name}-access", self._args
        bucket = aws.s3.Bucket(
            name, tags={**args.tags, "Name": name}, opts=pulumi.ResourceOptions(parent=self, protect=True)
        )
        closed = close_bucket(name, bucket, self._child)
        encrypt_bucket(name, bucket, self._child)
        expire_objects(name, bucket, args.log_retention_days, self._child)
        policy = aws.s3.BucketPolicy(
            name,
            bucket=bucket.id,
            policy=pulumi.Output.all(own=bucket.arn, logs=logs.arn).apply(
                lambda arns: access_policy(arns["own"], arns["logs"], args.account_id)
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[closed]),
        )
        aws.s3.BucketLogging(
            name,
            bucket=logs.id,
            target_bucket=bucket.id,
            target_prefix="logs/",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _trail(self, bucket: aws.s3.Bucket, after: pulumi.ResourceOptions) -> None:
        aws.cloudtrail.Trail(
            f"{self._name}-trail",
            name=TRAIL,
            s3_bucket_name=bucket.id,
            kms_key_id=self._args.key_arn,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            enable_logging=True,
            event_selectors=[{"include_management_events": True, "read_write_type": "All"}],
            tags=self._args.tags,
            opts=after,
        )

    def _recorder(self, bucket: aws.s3.Bucket, after: pulumi.ResourceOptions) -> None:
        role = (
            f"arn:aws:iam::{self._args.account_id}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
        )
        linked = aws.iam.ServiceLinkedRole(
            f"{self._name}-recorder-role",
            aws_service_name="config.amazonaws.com",
            tags=self._args.tags,
            opts=self._child,
        )
        recorder = aws.cfg.Recorder(
            f"{self._name}-recorder",
            name="default",
            role_arn=role,
            recording_group={"all_supported": True, "include_global_resource_types": True},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[linked]),
        )
        channel = aws.cfg.DeliveryChannel(
            f"{self._name}-recorder-delivery",
            name="default",
            s3_bucket_name=bucket.id,
            s3_kms_key_arn=self._args.key_arn,
            opts=pulumi.ResourceOptions.merge(after, pulumi.ResourceOptions(depends_on=[recorder])),
        )
        aws.cfg.RecorderStatus(
            f"{self._name}-recorder-status",
            name=recorder.name,
            is_enabled=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[channel]),
        )


def trail_arn(account_id: str, region: str) -> str:
    """The trail's ARN."""
    return f"arn:aws:cloudtrail:{region}:{account_id}:trail/{TRAIL}"


def bucket_policy(bucket_arn: str, account_id: str, region: str) -> str:
    """The trail and AWS Config of this account write; TLS is required
    (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html,
    https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html)."""
    writers = (
        ("Trail", "cloudtrail.amazonaws.com", "CloudTrail", {SOURCE_ARN: [trail_arn(account_id, region)]}),
        ("Recorder", "config.amazonaws.com", "Config", {SOURCE_ACCOUNT: [account_id]}),
    )
    statements = [only_by_tls(bucket_arn)]
    for sid, service, folder, source in writers:
        principals = {"Service": [service]}
        statements += [
            Statement(
                sid=f"{sid}FindsTheBucket",
                actions=["s3:GetBucketAcl", *(["s3:ListBucket"] if sid == "Recorder" else [])],
                resources=[bucket_arn],
                principals=principals,
                conditions={"StringEquals": source},
            ),
            Statement(
                sid=f"{sid}Writes",
                actions=["s3:PutObject"],
                resources=[f"{bucket_arn}/AWSLogs/{account_id}/{folder}/*"],
                principals=principals,
                conditions={"StringEquals": {**source, "s3:x-amz-acl": ["bucket-owner-full-control"]}},
            ),
        ]
    return policy_document(statements)


def access_policy(bucket_arn: str, logs_arn: str, account_id: str) -> str:
    """S3 writes the requests to the logs; TLS is required."""
    return policy_document(
        [
            Statement(
                sid="LogDelivery",
                actions=["s3:PutObject"],
                resources=[f"{bucket_arn}/*"],
                principals={"Service": ["logging.s3.amazonaws.com"]},
                conditions={
                    "StringEquals": {SOURCE_ACCOUNT: [account_id]},
                    "ArnLike": {SOURCE_ARN: [logs_arn]},
                },
            ),
            only_by_tls(bucket_arn),
        ]
    )


def key_statements(account_id: str, region: str) -> list[Statement]:
    """The statements of the key's policy with which both services encrypt
    (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html)."""
    return [
        Statement(
            sid="TrailEncryptsItsLogs",
            actions=["kms:DescribeKey", "kms:GenerateDataKey*"],
            resources=["*"],
            principals={"Service": ["cloudtrail.amazonaws.com"]},
            conditions={"StringEquals": {SOURCE_ARN: [trail_arn(account_id, region)]}},
        ),
        Statement(
            sid="RecorderEncryptsItsLogs",
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
            principals={"Service": ["config.amazonaws.com"]},
            conditions={"StringEquals": {SOURCE_ACCOUNT: [account_id]}},
        ),
    ]
