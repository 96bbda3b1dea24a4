"""Messages about changes outside a deployment: to keys and backups, reads of secrets by people, changes in the console.

EventBridge receives these calls from CloudTrail, and only while a trail of the account logs them; ``preflight ready`` checks
that (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html). Calls of global services, such
as IAM and Route 53, reach only us-east-1 and are not among them.
"""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from components.args import Args
from components.component import Component
from components.monitoring.alarm import Severity, arns_of
from components.monitoring.events import EventMessage, make_event_message

API_CALL = "AWS API Call via CloudTrail"
READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""The state of a rule that receives calls that only read; any other rule receives none of them."""
CONSOLE_SERVICES = (
    "acm",
    "application-autoscaling",
    "backup",
    "bedrock",
    "ec2",
    "ecs",
    "elasticache",
    "elasticloadbalancing",
    "events",
    "kms",
    "logs",
    "monitoring",
    "rds",
    "route53resolver",
    "s3",
    "scheduler",
    "secretsmanager",
    "servicediscovery",
    "sns",
    "sqs",
    "wafv2",
)
"""The regional services of the stack, as CloudTrail names them."""
QUERIES = ("StartLiveTail", "StartQuery", "StopQuery")
"""Calls of the console that change nothing, and that CloudTrail may report as writing."""


class ChangeEventsArgs(Args):
    """Arguments of ``ChangeEvents``."""

    environment: str
    """Part of the messages."""
    region: str
    """The region of the stack."""
    account_id: str
    """The account of the stack."""
    generated_secrets: list[str]
    """The beginnings of the names of the secrets that the stack creates. The environment's named secrets and the master
    secrets of databases are watched too."""
    backup_vault_arn: pulumi.Output[str]
    """The vault whose recovery points are watched."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic for pages."""
    ticket_topic_arn: pulumi.Output[str]
    """The topic for tickets."""
    runbook_url: str
    """Each message links to ``<runbook_url>#<section>``."""
    tags: dict[str, str]
    """Tags of every resource."""


class ChangeEvents(Component):
    """Rules that send each such call to a topic, and alarms on messages that are not delivered."""

    alarm_arns: pulumi.Output[list[str]]
    """The ARNs of the alarms, sorted."""

    def __init__(self, name: str, args: ChangeEventsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = ChangeEventsArgs.model_validate(args)
        super().__init__("ai-interface:index:ChangeEvents", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        alarms: dict[str, aws.cloudwatch.MetricAlarm] = {}
        for message in _messages(args):
            alarms |= make_event_message(name, message, args, child)
        self.alarm_arns = arns_of(alarms)
        self.register_outputs({"alarmArns": self.alarm_arns})


def _messages(args: ChangeEventsArgs) -> list[EventMessage]:
    """A page where data can be lost or was read; a change in the console can wait until the next deployment."""
    return [
        _message(
            "keys-changed",
            Severity.PAGE,
            "A key was disabled, scheduled for deletion, or its policy changed",
            keys_pattern(),
        ),
        _message(
            "secrets-read",
            Severity.PAGE,
            "Someone other than a role of this project read a secret",
            secrets_pattern(args.environment, args.region, args.account_id, args.generated_secrets),
            state=READS,
        ),
        _message(
            "backups-deleted",
            Severity.PAGE,
            "A recovery point was deleted, or the vault of the backups was changed",
            args.backup_vault_arn.apply(backups_pattern),
        ),
        _message("console-change", Severity.TICKET, "A resource was changed in the console", console_pattern()),
    ]


def _message(
    role: str, severity: Severity, sentence: str, pattern: pulumi.Input[str], state: str = "ENABLED"
) -> EventMessage:
    return EventMessage(
        role=role,
        description=sentence,
        severity=severity,
        pattern=pattern,
        inputs={
            "call": "$.detail.eventName",
            "id": "$.detail.eventID",
            "service": "$.detail.eventSource",
            "time": "$.detail.eventTime",
            "who": "$.detail.userIdentity.arn",
        },
        text=f"{sentence}. <who> called <call> of <service> at <time> (CloudTrail event <id>)",
        state=state,
    )


def keys_pattern() -> str:
    """Changes of any customer managed key of the account and region: CloudTrail does not report a key's tags, and the keys of
    bootstrap belong to no stack."""
    return _pattern(["aws.kms"], {"eventName": ["DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion"]})


def secrets_pattern(environment: str, region: str, account_id: str, generated: list[str]) -> str:
    """Reads of the environment's secrets by anyone but a role whose path or name begins with ``ai-interface``. A caller may
    name a secret by its name or by its ARN."""
    names = [f"ai-interface/{environment}/", "rds!cluster-", *sorted(generated)]
    arn = f"arn:aws:secretsmanager:{region}:{account_id}:secret:"
    roles = f"arn:aws:iam::{account_id}:role/ai-interface"
    return _pattern(
        ["aws.secretsmanager"],
        {
            "eventName": ["GetSecretValue"],
            "requestParameters": {"secretId": [{"prefix": f"{start}{name}"} for start in ("", arn) for name in names]},
            "$or": [
                {"userIdentity": {"type": ["FederatedUser", "IAMUser", "Root"]}},
                {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [{"anything-but": {"prefix": roles}}]}}}},
            ],
        },
    )


def backups_pattern(vault_arn: str) -> str:
    """Deletions in the vault, and changes of its policy and lock. AWS Backup's own deletion of expired recovery points is no
    call."""
    calls = [
        "DeleteBackupVault",
        "DeleteBackupVaultAccessPolicy",
        "DeleteBackupVaultLockConfiguration",
        "DeleteRecoveryPoint",
        "DisassociateRecoveryPoint",
        "PutBackupVaultAccessPolicy",
        "UpdateRecoveryPointLifecycle",
    ]
    name = vault_arn.rpartition(":")[2]
    return _pattern(["aws.backup"], {"eventName": calls, "requestParameters": {"backupVaultName": [name]}})


def console_pattern() -> str:
    """Writing calls of a console session to a service that the stack uses."""
    return _pattern(
        [{"prefix": "aws."}],
        {
            "eventSource": [f"{service}.amazonaws.com" for service in CONSOLE_SERVICES],
            "eventName": [{"anything-but": list(QUERIES)}],
            "readOnly": [False],
            "sessionCredentialFromConsole": ["true"],
        },
    )


def _pattern(source: list[Any], detail: Mapping[str, Any]) -> str:
    return json.dumps({"source": source, "detail-type": [API_CALL], "detail": dict(detail)}, sort_keys=True)
