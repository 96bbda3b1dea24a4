"""The additional recipients of alarms, and the messages about changes.

The URL of a pager or chat contains its key, so the settings have the name of a secret. It is read at deployment and remains
a Pulumi secret, encrypted in state and plan: SNS needs the value itself.
"""

import pulumi
import pulumi_aws as aws

from assembly.common import tags
from components.data import Data
from components.monitoring import ChangeEventsArgs, Operations
from components.monitoring.channels import SlackChannelArgs
from components.monitoring.operations import AlertSubscriptionArgs
from settings import StackSettings
from settings.alerts import AlertSeverity, EmailSubscription, SlackSubscription

GENERATED_SECRETS = ("egress-", "gateway-", "state-", "workload-")
"""The beginnings of the names of generated secrets: their logical names. ``bootstrap/role_scope.py`` has the same list."""


def alert_subscriptions(settings: StackSettings) -> list[AlertSubscriptionArgs]:
    """One for each severity of each subscription to the topics themselves."""
    return [
        AlertSubscriptionArgs(name=one.name, severity=severity, protocol=one.kind, endpoint=endpoint)
        for one in settings.owner.subscriptions
        if not isinstance(one, SlackSubscription)
        for endpoint in [
            pulumi.Output.from_input(one.address) if isinstance(one, EmailSubscription) else _secret(one.url_secret)
        ]
        for severity in _severities(one.severity)
    ]


def alert_channels(settings: StackSettings) -> list[SlackChannelArgs]:
    """The Slack channels."""
    return [
        SlackChannelArgs(
            name=one.name,
            severities=list(_severities(one.severity)),
            workspace_id=one.workspace_id,
            channel_id=one.channel_id,
        )
        for one in settings.owner.subscriptions
        if isinstance(one, SlackSubscription)
    ]


def _severities(severity: AlertSeverity) -> tuple[str, ...]:
    return ("page", "ticket") if severity is AlertSeverity.BOTH else (severity.value,)


def change_events(settings: StackSettings, data: Data, operations: Operations) -> ChangeEventsArgs:
    """Messages about changes outside a deployment."""
    return ChangeEventsArgs(
        environment=settings.environment,
        region=settings.region,
        account_id=settings.account_id,
        generated_secrets=list(GENERATED_SECRETS),
        backup_vault_arn=data.backup_vault_arn,
        alarm_topic_arn=operations.alarm_topic_arn,
        ticket_topic_arn=operations.ticket_topic_arn,
        runbook_url=settings.owner.runbook,
        tags=tags(settings),
    )


def _secret(name: str) -> pulumi.Output[str]:
    return pulumi.Output.secret(aws.secretsmanager.get_secret_version_output(secret_id=name).secret_string)
