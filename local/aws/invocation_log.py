"""Model invocation logging: the records that Bedrock delivers for each call if the graph enables it, and the reason
when delivery fails.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from local.aws.access import Access
from local.aws.chat import Question
from local.aws.iam import Principal, Request
from local.aws.s3 import BUCKET, ENCRYPTION, KMS
from local.aws.secrets import encryption
from local.refusals import Refusals
from local.stack import items

CONFIGURATION = "aws:bedrockmodel/invocationLoggingConfiguration:InvocationLoggingConfiguration"
SERVICE = Principal(service="bedrock.amazonaws.com")
PART = "bedrock invocation logging"


@dataclass
class InvocationLog:
    """The delivered records of one region."""

    access: Access
    region: str
    refusals: Refusals
    records: list[dict[str, object]] = field(default_factory=list[dict[str, object]])

    def keep(self, question: Question, answer: str) -> None:
        """Deliver one question and its answer to the destinations in the graph."""
        for one in self.access.stack.all(CONFIGURATION):
            configuration = cast("Mapping[str, Any]", one["loggingConfig"])
            if configuration.get("textDataDeliveryEnabled"):
                self._deliver(one.name, configuration, question, answer)

    def _deliver(self, name: str, configuration: Mapping[str, Any], question: Question, answer: str) -> None:
        kept = configuration.get("s3Config")
        if not kept:
            self.refusals.add(PART, f"{name}: the twin supports delivery to a bucket only")
            return
        cause = self._refusal(str(kept["bucketName"]), str(kept.get("keyPrefix") or ""))
        if cause:
            self.refusals.add(PART, f"{name}: {cause}")
            return
        asked = [{"role": role, "content": text} for role, text in question.messages]
        record = {"schemaType": "ModelInvocationLog", "region": self.region, "modelId": question.model, "input": asked}
        self.records.append({**record, "output": answer, "bucket": kept["bucketName"]})

    def _refusal(self, bucket: str, prefix: str) -> str:
        """Return the reason why Bedrock may not write to the bucket; empty if it may."""
        stack = self.access.stack
        if not any(one["bucket"] == bucket for one in stack.all(BUCKET)):
            return f"{stack.name} has no bucket {bucket}"
        folder = "/".join(part for part in (prefix, f"AWSLogs/{stack.account}/BedrockModelInvocationLogs") if part)
        arn = f"arn:aws:s3:::{bucket}"
        context = {
            "aws:sourceaccount": (stack.account,),
            "aws:sourcearn": (f"arn:aws:bedrock:{self.region}:{stack.account}:*",),
            "aws:securetransport": ("true",),
        }
        asked = [Request("s3:PutObject", f"{arn}/{folder}/{self.region}/record.json", SERVICE, context)]
        for one in stack.where(ENCRYPTION, bucket=bucket):
            for rule in items(one["rules"]):
                default = rule["applyServerSideEncryptionByDefault"]
                if default["sseAlgorithm"] == KMS:
                    key = str(self.access.key(str(default["kmsMasterKeyId"]))["arn"])
                    within = {**context, **encryption({"aws:s3:arn": arn})}
                    asked.append(Request("kms:GenerateDataKey", key, SERVICE, within))
        return next((answer.cause for answer in map(self.access.decide, asked) if not answer), "")
