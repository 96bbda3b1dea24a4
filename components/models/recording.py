"""Model invocation logging, which records every prompt and answer. Disabled unless a program creates this component.

It applies to a whole account and region: the prompts of every other user of Bedrock there are recorded too, and two
stacks in one account overwrite each other's setting. Only text is recorded, no images or embeddings. The records are
stored in a separate bucket with a separate key, only the listed readers can read them, and they expire after the given
number of days. The guardrails pack reports the recording until an exception allows it.
"""

from typing import cast

import pulumi
import pulumi_aws as aws
from pydantic import Field, model_validator

from components.args import Args, Input
from components.common.aws_limits import PROMPT_RECORD_DAYS
from components.common.buckets import close_bucket, encrypt_bucket, expire_objects, only_by_tls, only_named_readers
from components.common.iam import SOURCE_ACCOUNT, SOURCE_ARN, Conditions, Statement, account_delegates, policy_document
from components.component import Component

BEDROCK = "bedrock.amazonaws.com"
PREFIX = "prompts"


class PromptRecordingArgs(Args):
    """Arguments of ``PromptRecording``."""

    environment: str
    """The environment's name, part of descriptions in AWS."""
    region: str
    """The region of the stack."""
    account_id: str
    """The account of the stack."""
    record_prompts_for_days: int = Field(ge=1, le=PROMPT_RECORD_DAYS)
    """How long prompts are kept. Required, without a default."""
    reader_arns: Input[list[str]]
    """The roles that may read the records. Every other principal is denied, even if another policy allows it. ``*`` and
    ``?`` are wildcards."""
    tags: dict[str, str]
    """Tags of every resource."""

    @model_validator(mode="before")
    @classmethod
    def _has_a_reader(cls, data: object) -> object:
        if isinstance(data, dict) and cast("dict[str, object]", data).get("reader_arns") == []:
            raise ValueError("reader_arns is empty, so no one could read the records: name a role")
        return cast("object", data)


class PromptRecording(Component):
    """The account's invocation logging, into an encrypted bucket with named readers."""

    bucket_name: pulumi.Output[str]
    """The bucket in which prompts and answers are recorded."""

    def __init__(self, name: str, args: PromptRecordingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = PromptRecordingArgs.model_validate(args)
        super().__init__("ai-interface:index:PromptRecording", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        key = aws.kms.Key(
            f"{name}-key",
            description=f"ai-interface {args.environment}: recorded prompts",
            policy=key_policy(args.account_id, args.region),
            enable_key_rotation=True,
            deletion_window_in_days=30,
            tags={**args.tags, "Name": f"ai-interface-{args.environment}-prompts"},
            opts=child,
        )
        bucket, policy = self._bucket(name, args, key, child)
        aws.bedrockmodel.InvocationLoggingConfiguration(
            f"{name}-configuration",
            logging_config=aws.bedrockmodel.InvocationLoggingConfigurationLoggingConfigArgs(
                s3_config=aws.bedrockmodel.InvocationLoggingConfigurationLoggingConfigS3ConfigArgs(
                    bucket_name=bucket.bucket, key_prefix=PREFIX
                ),
                text_data_delivery_enabled=True,
                image_data_delivery_enabled=False,
                embedding_data_delivery_enabled=False,
                video_data_delivery_enabled=False,
            ),
            # Bedrock tests the delivery when logging is enabled.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.bucket_name = bucket.bucket
        self.register_outputs({"bucketName": self.bucket_name})

    def _bucket(
        self, name: str, args: PromptRecordingArgs, key: aws.kms.Key, child: pulumi.ResourceOptions
    ) -> tuple[aws.s3.Bucket, aws.s3.BucketPolicy]:
        bucket = aws.s3.Bucket(name, force_destroy=False, tags={**args.tags, "Name": name}, opts=child)
        closed = close_bucket(name, bucket, child)
        encrypt_bucket(name, bucket, child, key_arn=key.arn)
        expire_objects(name, bucket, args.record_prompts_for_days, child)
        policy = aws.s3.BucketPolicy(
            name,
            bucket=bucket.id,
            policy=pulumi.Output.all(bucket.arn, args.reader_arns).apply(
                lambda known: bucket_policy(known[0], args.account_id, args.region, reader_arns=known[1])
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[closed]),
        )
        return bucket, policy


def _from_this_account(account_id: str, region: str) -> Conditions:
    return {
        "StringEquals": {SOURCE_ACCOUNT: [account_id]},
        "ArnLike": {SOURCE_ARN: [f"arn:aws:bedrock:{region}:{account_id}:*"]},
    }


def key_policy(account_id: str, region: str) -> str:
    """Bedrock may encrypt for this account; the account's IAM policies control who may decrypt."""
    return policy_document(
        [
            account_delegates(account_id),
            Statement(
                sid="EncryptInvocations",
                actions=["kms:GenerateDataKey"],
                resources=["*"],
                principals={"Service": [BEDROCK]},
                conditions=_from_this_account(account_id, region),
            ),
        ]
    )


def bucket_policy(bucket_arn: str, account_id: str, region: str, *, reader_arns: list[str]) -> str:
    """Bedrock may write for this account, only the listed readers may read, and TLS is required."""
    return policy_document(
        [
            Statement(
                sid="WriteInvocations",
                actions=["s3:PutObject"],
                resources=[f"{bucket_arn}/{PREFIX}/AWSLogs/{account_id}/BedrockModelInvocationLogs/*"],
                principals={"Service": [BEDROCK]},
                conditions=_from_this_account(account_id, region),
            ),
            only_named_readers(bucket_arn, reader_arns),
            only_by_tls(bucket_arn),
        ]
    )
