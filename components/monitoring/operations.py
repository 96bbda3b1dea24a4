"""The prerequisites of operations: an encryption key, log groups, and a destination for alarms.

It creates one customer managed key (logs, secrets, alarm messages and the tasks' ephemeral storage), the log groups of
the task's containers, and two encrypted topics, for pages and for tickets, with the owner's e-mail address and other
recipients. It creates no alarm, because alarms need the resources that they monitor.
"""

from typing import Any

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.args import Args
from components.common.iam import (
    ANYONE,
    SOURCE_ACCOUNT,
    Conditions,
    Effect,
    Statement,
    account_delegates,
    policy_document,
)
from components.component import Component
from components.monitoring.channels import SlackChannelArgs, make_channels

CONTAINERS = ("prepare", "proxy", "interface")
"""The task's containers. Each has a separate log group, so that access and retention can differ."""

PUBLISHERS = ("budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.rds.amazonaws.com")
"""AWS services that publish to the topics and document the condition key aws:SourceAccount."""
EVENTS = "events.amazonaws.com"
"""EventBridge also publishes to the topics, but neither topic policies nor key policies can have a condition on the
source of its messages: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html."""


CONFIRMED_WITHIN_MINUTES = 5
"""How long a deployment waits until an HTTPS endpoint has confirmed its subscription."""


class AlertSubscriptionArgs(Args):
    """One recipient of alarms."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    """Part of the logical name; unique among the recipients of one severity."""
    severity: str = Field(pattern=r"^(page|ticket)$")
    """``page`` or ``ticket``."""
    protocol: str = Field(pattern=r"^(email|https)$")
    """``email`` or ``https``. An HTTPS endpoint must confirm the subscription by itself."""
    endpoint: pulumi.Output[str]
    """The address or the URL. A URL contains the key of the service, so it is treated as a secret."""


class OperationsArgs(Args):
    """Arguments of ``Operations``."""

    environment: str
    """Part of the log groups' names: ``/ai-interface/<environment>/<container>``."""
    region: str
    """The stack's AWS region. Only CloudWatch Logs in this region may use the key."""
    account_id: str
    """The stack's AWS account. Services may use the key and the topic only for this account."""
    contact_email: str
    """The e-mail address that receives every alarm. AWS first sends a confirmation message for each topic; alarms arrive
    only after it is confirmed."""
    subscriptions: list[AlertSubscriptionArgs] = Field(default_factory=list[AlertSubscriptionArgs])
    """Other recipients of alarms."""
    slack_channels: list[SlackChannelArgs] = Field(default_factory=list[SlackChannelArgs])
    """Slack channels that read alarms. Omitted: none."""
    log_retention_days: int = 90
    """How long container logs are kept."""
    key_deletion_window_days: int = 30
    """How long a deleted key can be restored (AWS: 7 to 30)."""
    tags: dict[str, str]
    """Tags of every resource."""


class Operations(Component):
    """Encryption key, log groups and the topics of alarms."""

    key_arn: pulumi.Output[str]
    """The customer managed key for logs, secrets, alarm messages and ephemeral storage."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic of pages: users are affected now, or data is at risk within hours."""
    ticket_topic_arn: pulumi.Output[str]
    """The topic of tickets: messages that can wait for working hours."""
    log_group_names: pulumi.Output[dict[str, str]]
    """Container → log group name."""
    log_group_arns: pulumi.Output[dict[str, str]]
    """Container → log group ARN (without the trailing ``:*``)."""

    def __init__(self, name: str, args: OperationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = OperationsArgs.model_validate(args)
        super().__init__("ai-interface:index:Operations", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        key = self._key(name, args, child)
        groups = self._log_groups(name, args, key, child)
        pages = self._topic(f"{name}-alarms", "page", args, key, child)
        tickets = self._topic(f"{name}-tickets", "ticket", args, key, child)
        self.key_arn = key.arn
        # The policies' outputs, so that every resource that publishes to a topic waits for its policy.
        self.alarm_topic_arn = pages.arn
        self.ticket_topic_arn = tickets.arn
        make_channels(
            name,
            args.environment,
            args.slack_channels,
            {"page": pages.arn, "ticket": tickets.arn},
            tags=args.tags,
            opts=child,
        )
        self.log_group_names = pulumi.Output.all(**{container: group.name for container, group in groups.items()})
        self.log_group_arns = pulumi.Output.all(**{container: group.arn for container, group in groups.items()})
        outputs: dict[str, Any] = {
            "keyArn": self.key_arn,
            "alarmTopicArn": self.alarm_topic_arn,
            "ticketTopicArn": self.ticket_topic_arn,
            "logGroupNames": self.log_group_names,
            "logGroupArns": self.log_group_arns,
        }
        self.register_outputs(outputs)

    def _key(self, name: str, args: OperationsArgs, child: pulumi.ResourceOptions) -> aws.kms.Key:
        key = aws.kms.Key(
            f"{name}-key",
            description=f"ai-interface {args.environment}: logs, secrets, alarm messages and ephemeral storage",
            policy=key_policy(args.account_id, args.region),
            enable_key_rotation=True,
            deletion_window_in_days=args.key_deletion_window_days,
            tags={**args.tags, "Name": f"ai-interface-{args.environment}"},
            opts=child,
        )
        aws.kms.Alias(
            f"{name}-key-alias", name=f"alias/ai-interface-{args.environment}", target_key_id=key.key_id, opts=child
        )
        return key

    def _log_groups(
        self, name: str, args: OperationsArgs, key: aws.kms.Key, child: pulumi.ResourceOptions
    ) -> dict[str, aws.cloudwatch.LogGroup]:
        return {
            container: aws.cloudwatch.LogGroup(
                f"{name}-{container}-logs",
                name=f"/ai-interface/{args.environment}/{container}",
                retention_in_days=args.log_retention_days,
                kms_key_id=key.arn,
                tags=args.tags,
                opts=child,
            )
            for container in CONTAINERS
        }

    def _topic(
        self, name: str, severity: str, args: OperationsArgs, key: aws.kms.Key, child: pulumi.ResourceOptions
    ) -> aws.sns.TopicPolicy:
        topic = aws.sns.Topic(name, kms_master_key_id=key.arn, tags=args.tags, opts=child)
        permission = aws.sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=topic.arn.apply(lambda arn: topic_policy(arn, args.account_id)),
            opts=child,
        )
        aws.sns.TopicSubscription(
            f"{name}-email", topic=topic.arn, protocol="email", endpoint=args.contact_email, opts=child
        )
        for one in (one for one in args.subscriptions if one.severity == severity):
            https = one.protocol == "https"
            aws.sns.TopicSubscription(
                f"{name}-to-{one.name}",
                topic=topic.arn,
                protocol=one.protocol,
                endpoint=pulumi.Output.secret(one.endpoint) if https else one.endpoint,
                endpoint_auto_confirms=True if https else None,
                confirmation_timeout_in_minutes=CONFIRMED_WITHIN_MINUTES if https else None,
                opts=child,
            )
        return permission


def key_policy(account_id: str, region: str) -> str:
    """Access to the key: the account's roles according to their IAM policies, and AWS services for this account only.

    EventBridge's use is limited to topics of this account by the encryption context, which SNS sets.
    """
    of_this_account: Conditions = {"StringEquals": {SOURCE_ACCOUNT: [account_id]}}
    cluster = {"kms:EncryptionContext:aws:ecs:clusterAccount": [account_id]}
    return policy_document(
        [
            account_delegates(account_id),
            Statement(
                sid="LogGroupsOfThisAccount",
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                resources=["*"],
                principals={"Service": [f"logs.{region}.amazonaws.com"]},
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": [f"arn:aws:logs:{region}:{account_id}:log-group:*"]
                    }
                },
            ),
            Statement(
                sid="MessagesToTheAlarmTopic",
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                principals={"Service": PUBLISHERS},
                conditions=of_this_account,
            ),
            Statement(
                sid="EventsToTheAlarmTopic",
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                principals={"Service": [EVENTS]},
                conditions={
                    "ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": [f"arn:aws:sns:{region}:{account_id}:*"]}
                },
            ),
            Statement(
                sid="EphemeralStorageDataKeys",
                actions=["kms:GenerateDataKeyWithoutPlaintext"],
                resources=["*"],
                principals={"Service": ["fargate.amazonaws.com"]},
                conditions={"StringEquals": cluster},
            ),
            Statement(
                sid="EphemeralStorageGrants",
                actions=["kms:CreateGrant"],
                resources=["*"],
                principals={"Service": ["fargate.amazonaws.com"]},
                conditions={
                    "StringEquals": cluster,
                    "ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt"]},
                },
            ),
        ]
    )


def topic_policy(topic_arn: str, account_id: str) -> str:
    """CloudWatch, Budgets and RDS of this account, and EventBridge, may publish. Publishing requires TLS.

    EventBridge does not deliver if its grant has a condition. Therefore the last statement denies events from rules of
    other accounts. It applies only if EventBridge sends the account.
    """
    return policy_document(
        [
            Statement(
                sid="PublishFromThisAccount",
                actions=["sns:Publish"],
                resources=[topic_arn],
                principals={"Service": PUBLISHERS},
                conditions={"StringEquals": {SOURCE_ACCOUNT: [account_id]}},
            ),
            Statement(
                sid="PublishFromEventBridge",
                actions=["sns:Publish"],
                resources=[topic_arn],
                principals={"Service": [EVENTS]},
            ),
            Statement(
                sid="RefuseEventsOfOtherAccounts",
                effect=Effect.DENY,
                actions=["sns:Publish"],
                resources=[topic_arn],
                principals={"Service": [EVENTS]},
                conditions={
                    "Null": {SOURCE_ACCOUNT: ["false"]},
                    "StringNotEquals": {SOURCE_ACCOUNT: [account_id]},
                },
            ),
            Statement(
                sid="RefusePlaintext",
                effect=Effect.DENY,
                actions=["sns:Publish"],
                resources=[topic_arn],
                principals=ANYONE,
                conditions={"Bool": {"aws:SecureTransport": ["false"]}},
            ),
        ]
    )
