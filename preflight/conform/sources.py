"""Grants to AWS services have only conditions on keys that the service is documented to send.

A grant with a condition on a key that the service does not send never matches. Nothing fails, but the alarm, the log or
the backup is missing when it is needed. So each condition in a grant to a service has to be in this table, by service
and type of resource, with AWS's page. If AWS documents a key as unsupported, the finding states that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from preflight.conform.documented.model import document, listed, mapping
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import mask

ACCOUNT, ARN, ORGANISATION = "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"
BUCKET, KEY, LOGS, ROLE, TOPIC = "bucket", "key", "log resource", "role trust", "topic"
POLICIES = {
    "aws:s3/bucketPolicy:BucketPolicy": (BUCKET, "policy"),
    "aws:kms/key:Key": (KEY, "policy"),
    "aws:kms/keyPolicy:KeyPolicy": (KEY, "policy"),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": (LOGS, "policyDocument"),
    "aws:iam/role:Role": (ROLE, "assumeRolePolicy"),
    "aws:sns/topic:Topic": (TOPIC, "policy"),
    "aws:sns/topicPolicy:TopicPolicy": (TOPIC, "policy"),
    "aws:sqs/queuePolicy:QueuePolicy": ("queue", "policy"),
    "aws:secretsmanager/secretPolicy:SecretPolicy": ("secret", "policy"),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": ("repository", "policy"),
    "aws:backup/vaultPolicy:VaultPolicy": ("vault", "policy"),
}
"""Type → its name in the table, and the property with the policy document."""

_SNS = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"
_EVENTS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html"
_ALARMS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html"
_BUDGETS = "https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html"
_RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.GrantingPermissions.html"
_LOGS_KEY = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"
_FARGATE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-create-storage-key.html"
_ELB = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html"
_DELIVERY = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html"
_FLOW = "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html"
_MONITORING = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Monitoring.OS.Enabling.html"
_S3 = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html"
_TASKS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html"
_SCHEDULER = "https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html"
_BEDROCK = "https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html"


@dataclass(frozen=True, slots=True)
class Documented:
    """The condition keys that a service sends when it uses one type of resource, with AWS's page."""

    keys: frozenset[str]
    source: str


def _keys(source: str, *keys: str) -> Documented:
    return Documented(frozenset(keys), source)


FILLED: dict[tuple[str, str], Documented] = {
    ("backup", ROLE): _keys("https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html"),
    ("bedrock", BUCKET): _keys(_BEDROCK, ACCOUNT, ARN),
    ("bedrock", KEY): _keys(_BEDROCK, ACCOUNT, ARN),
    ("bedrock", ROLE): _keys(_BEDROCK, ACCOUNT, ARN),
    ("budgets", KEY): _keys(_BUDGETS, ACCOUNT, ARN),
    ("budgets", TOPIC): _keys(_BUDGETS, ACCOUNT, ARN),
    ("chatbot", ROLE): _keys("https://docs.aws.amazon.com/chatbot/latest/adminguide/chatbot-iam-policies.html"),
    ("cloudwatch", KEY): _keys(_SNS, ACCOUNT, ARN),
    ("cloudwatch", TOPIC): _keys(_ALARMS, ACCOUNT, ARN),
    ("delivery.logs", BUCKET): _keys(_DELIVERY, ACCOUNT, ARN),
    ("delivery.logs", LOGS): _keys(_DELIVERY, ACCOUNT, ARN),
    ("ecs-tasks", ROLE): _keys(_TASKS, ACCOUNT, ARN),
    ("events", KEY): _keys(_SNS, "kms:encryptioncontext:aws:sns:topicarn"),
    ("events", TOPIC): _keys(_EVENTS),
    ("events", "queue"): _keys("https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html", ARN),
    ("events.rds", KEY): _keys(_SNS, ACCOUNT, ARN),
    ("events.rds", TOPIC): _keys(_RDS, ACCOUNT, ARN),
    ("fargate", KEY): _keys(
        _FARGATE,
        "kms:encryptioncontext:aws:ecs:clusteraccount",
        "kms:encryptioncontext:aws:ecs:clustername",
        "kms:grantoperations",
    ),
    ("logdelivery.elasticloadbalancing", BUCKET): _keys(_ELB, ARN),
    ("logging.s3", BUCKET): _keys(_S3, ACCOUNT, ARN),
    ("logs", KEY): _keys(_LOGS_KEY, "kms:encryptioncontext:aws:logs:arn"),
    ("monitoring.rds", ROLE): _keys(_MONITORING, ACCOUNT, ARN),
    ("scheduler", ROLE): _keys(_SCHEDULER, ACCOUNT, ARN),
    ("vpc-flow-logs", ROLE): _keys(_FLOW, ACCOUNT, ARN),
}
"""Service and type of resource → the keys that grants may test. Without an entry, no condition is allowed."""

UNSUPPORTED: dict[tuple[str, str], str] = {
    ("events", KEY): "SNS documents that source keys are not supported for EventBridge's messages to encrypted topics",
    ("events", TOPIC): "EventBridge documents that its grants in topic policies take no condition",
}
"""Conditions that AWS documents as unsupported."""

_PRINCIPAL = re.compile(r"(.+?)(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?")


def findings(recording: Recording) -> list[Finding]:
    """Every grant to a service that tests a key which the service is not documented to send."""
    return [
        finding
        for type_ in sorted(POLICIES)
        for resource in recording.of_type(type_)
        for finding in _policy(recording, resource, *POLICIES[type_])
    ]


def _policy(recording: Recording, resource: RecordedResource, kind: str, path: str) -> Iterator[Finding]:
    content = mapping(document(mask(resource.inputs.get(path)))).get("Statement")
    for position, statement in enumerate(listed(content) or [content]):
        of = mapping(statement)
        if of.get("Effect") != "Allow":
            continue
        keys = {key.lower() for block in mapping(of.get("Condition")).values() for key in mapping(block)}
        for service in sorted(_services(of.get("Principal"))):
            known = FILLED.get((service, kind))
            if unfilled := sorted(keys - (known.keys if known else frozenset())):
                place = f"{path}[{of.get('Sid') or position}].Condition"
                why = UNSUPPORTED.get(
                    (service, kind), f"no AWS page documents that {service} sends them for a {kind} policy"
                )
                yield Finding(
                    environment=recording.stack,
                    rule="conform-sources",
                    verdict=Verdict.VIOLATED,
                    headline=f"{resource.name}.{place} tests a key that {service}.amazonaws.com does not send: the "
                    "grant never applies",
                    urn=resource.urn,
                    found=f"{', '.join(unfilled)}; {why}",
                    wanted=_wanted(known),
                    fix="give the service a separate statement with conditions that AWS documents for it",
                    pack="conform",
                    source_file=resource.source_file,
                    source_line=resource.source_line,
                )


def _services(principal: Any) -> set[str]:  # noqa: ANN401 - one name or several
    named = mapping(principal).get("Service")
    found = (_PRINCIPAL.fullmatch(str(one)) for one in (listed(named) or [named]) if one)
    return {match[1] for match in found if match}


def _wanted(known: Documented | None) -> str:
    allowed = " or ".join(sorted(known.keys)) if known and known.keys else "no condition"
    return f"{allowed} ({known.source})" if known else allowed
