"""Prompts are recorded only where somebody asks for it: encrypted, for a time, and for named readers."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from preflight.conform.iam.evaluator import Request, allowed
from preflight.recording.recorder import Recording
from tests.components.task_fixtures import ACCOUNT, REGION, build, made, one, recording_args, text
from tests.settings.stack_files import own_values, parse

READER = f"arn:aws:iam::{ACCOUNT}:role/prompt-readers"
SOURCE = {
    "StringEquals": {"aws:SourceAccount": [ACCOUNT]},
    "ArnLike": {"aws:SourceArn": [f"arn:aws:bedrock:{REGION}:{ACCOUNT}:*"]},
}


def _policy(recording: Recording) -> list[dict[str, Any]]:
    return json.loads(text(one(recording, "aws:s3/bucketPolicy:BucketPolicy").inputs["policy"]))["Statement"]


def test_no_environment_records_prompts_unless_it_says_so() -> None:
    assert [parse(own_values(stack)).models.record_prompts for stack in ("staging", "prod")] == [None, None]


def test_they_are_encrypted_with_a_key_of_their_own_and_forgotten() -> None:
    recording = build("prompts", record_prompts_for_days=14)
    key = one(recording, "aws:kms/key:Key")
    encryption = one(
        recording, "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    )
    lifecycle = one(recording, "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")

    assert made(recording)["aws:bedrockmodel/invocationLoggingConfiguration:InvocationLoggingConfiguration"] == 1
    assert encryption.inputs["rules"][0]["applyServerSideEncryptionByDefault"] == {
        "sseAlgorithm": "aws:kms",
        "kmsMasterKeyId": key.outputs["arn"],
    }
    assert lifecycle.inputs["rules"][0]["expiration"] == {"days": 14}
    assert json.loads(key.inputs["policy"])["Statement"][1] == {
        "Sid": "EncryptInvocations",
        "Effect": "Allow",
        "Action": ["kms:GenerateDataKey"],
        "Resource": ["*"],
        "Principal": {"Service": ["bedrock.amazonaws.com"]},
        "Condition": SOURCE,
    }


def test_bedrock_of_this_account_writes_them_and_nobody_else() -> None:
    recording = build("prompts")
    bucket = one(recording, "aws:s3/bucket:Bucket").outputs["arn"]

    assert _policy(recording)[0] == {
        "Sid": "WriteInvocations",
        "Effect": "Allow",
        "Action": ["s3:PutObject"],
        "Resource": [f"{bucket}/prompts/AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/*"],
        "Principal": {"Service": ["bedrock.amazonaws.com"]},
        "Condition": SOURCE,
    }


@pytest.mark.parametrize(("role", "reads"), [("prompt-readers", True), ("administrator", False)])
def test_only_the_named_readers_read_them_whatever_else_allows_it(role: str, reads: bool) -> None:
    recording = build("prompts", reader_arns=[READER])
    bucket = one(recording, "aws:s3/bucket:Bucket").outputs["arn"]
    everything = [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]
    request = Request(
        action="s3:GetObject",
        resource=f"{bucket}/prompts/a",
        principal=f"arn:aws:iam::{ACCOUNT}:role/{role}",
        context={"aws:securetransport": ["true"]},
    )

    assert allowed(request, everything, [*everything, *_policy(recording)]) is reads


def test_a_recording_says_how_long_and_for_whom() -> None:
    with pytest.raises(ValidationError, match="record_prompts_for_days"):
        recording_args(record_prompts_for_days=0)
    with pytest.raises(ValidationError, match="reader_arns"):
        recording_args(reader_arns=[])
