"""Messages from EventBridge about what no metric shows, each with a queue for what could not be delivered, and alarms on both.

EventBridge tries again after most errors, and drops the message after that: without a dead-letter queue and these alarms
the loss is not noticed. The alarms do not depend on EventBridge: CloudWatch notifies the topic itself.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.common.iam import ANYONE, SOURCE_ARN, Effect, Statement, policy_document
from components.monitoring.alarm import AlarmsArgs, AlarmSpec, Series, Severity, make_alarms, topic_of

EVENTS_NAMESPACE, QUEUES_NAMESPACE = "AWS/Events", "AWS/SQS"
KEPT_SECONDS = 14 * 24 * 3600
"""How long an undelivered message is kept: SQS's maximum
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html)."""
TRIED_SECONDS = 3600
"""How long EventBridge tries to deliver. Its default is a day: the alarm would be a day late."""
NOT_DELIVERED = ("FailedInvocations", "InvocationsFailedToBeSentToDlq", "InvocationsSentToDlq")
"""https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html"""


@dataclass(frozen=True, kw_only=True)
class EventMessage:
    """A rule, and the message that it sends."""

    role: str
    """Part of the logical names, and the runbook's anchor."""
    description: str
    severity: Severity
    pattern: pulumi.Input[str]
    """The EventBridge pattern."""
    inputs: Mapping[str, str]
    """Name → path in the event, for ``text``."""
    text: str
    """The message, with ``<name>`` for each input."""
    state: str = "ENABLED"
    """The rule's state. Calls that only read reach a rule in another one (``components.monitoring.changes``)."""


def make_event_message(
    name: str, message: EventMessage, args: AlarmsArgs, child: pulumi.ResourceOptions
) -> dict[str, aws.cloudwatch.MetricAlarm]:
    """Creates the rule, its target with a dead-letter queue, and the alarms on messages that are not delivered, which it
    returns by role."""
    rule = aws.cloudwatch.EventRule(
        f"{name}-{message.role}",
        description=message.description,
        event_pattern=message.pattern,
        state=message.state,
        tags=args.tags,
        opts=child,
    )
    queue, permission = _queue(f"{name}-{message.role}", rule, args, child)
    aws.cloudwatch.EventTarget(
        f"{name}-{message.role}-target",
        rule=rule.name,
        arn=topic_of(message.severity, args),
        input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
            input_paths=dict(message.inputs),
            input_template=json.dumps(
                f"ai-interface {args.environment}: {message.text}. Severity: {message.severity}. "
                f"What to do: {args.runbook_url}#{message.role}"
            ),
        ),
        # The policy's queue, so that the first message that fails finds the permission.
        dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(
            arn=pulumi.Output.all(queue.arn, permission.id).apply(lambda known: str(known[0]))
        ),
        retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
            maximum_event_age_in_seconds=TRIED_SECONDS, maximum_retry_attempts=185
        ),
        opts=child,
    )
    return make_alarms(name, _alarm_specs(message, rule, queue), args, child)


def _queue(
    name: str, rule: aws.cloudwatch.EventRule, args: AlarmsArgs, child: pulumi.ResourceOptions
) -> tuple[aws.sqs.Queue, aws.sqs.QueuePolicy]:
    """The queue is encrypted with SQS's own key: the topic's key may be the reason why a message was not delivered."""
    queue = aws.sqs.Queue(
        f"{name}-undelivered",
        message_retention_seconds=KEPT_SECONDS,
        sqs_managed_sse_enabled=True,
        tags=args.tags,
        opts=child,
    )
    policy = pulumi.Output.all(queue_arn=queue.arn, rule_arn=rule.arn).apply(lambda known: queue_policy(**known))
    return queue, aws.sqs.QueuePolicy(f"{name}-undelivered-policy", queue_url=queue.url, policy=policy, opts=child)


def _alarm_specs(message: EventMessage, rule: aws.cloudwatch.EventRule, queue: aws.sqs.Queue) -> Iterator[AlarmSpec]:
    """A page in both cases: what the message reports has not been read, and it may not have been the only one."""
    yield AlarmSpec(
        role=f"{message.role}-undelivered",
        runbook="undelivered",
        sentence=f"EventBridge cannot deliver a message of the rule {message.role}",
        severity=Severity.PAGE,
        namespace=EVENTS_NAMESPACE,
        metric=NOT_DELIVERED[0],
        statistic="Sum",
        threshold=0,
        period_seconds=300,
        periods=1,
        periods_to_alarm=1,
        series=[Series(metric=metric, dimensions={"RuleName": rule.name}) for metric in NOT_DELIVERED],
        label="messages not delivered",
    )
    yield AlarmSpec(
        role=f"{message.role}-dead-letters",
        runbook="undelivered",
        sentence=f"A message of the rule {message.role} waits in its dead-letter queue",
        severity=Severity.PAGE,
        namespace=QUEUES_NAMESPACE,
        metric="ApproximateNumberOfMessagesVisible",
        statistic="Maximum",
        threshold=0,
        period_seconds=300,
        periods=1,
        periods_to_alarm=1,
        dimensions={"QueueName": queue.name},
    )


def queue_policy(queue_arn: str, rule_arn: str) -> str:
    """EventBridge may send for this rule only. Sending requires TLS.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    return policy_document(
        [
            Statement(
                sid="UndeliveredMessagesOfThisRule",
                actions=["sqs:SendMessage"],
                resources=[queue_arn],
                principals={"Service": ["events.amazonaws.com"]},
                conditions={"ArnEquals": {SOURCE_ARN: [rule_arn]}},
            ),
            Statement(
                sid="RefusePlaintext",
                effect=Effect.DENY,
                actions=["sqs:*"],
                resources=[queue_arn],
                principals=ANYONE,
                conditions={"Bool": {"aws:SecureTransport": ["false"]}},
            ),
        ]
    )
