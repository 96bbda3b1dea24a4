"""The policy of a topic lets each service publish that sends to it: alarms, budgets, events of databases.

A topic's policy replaces the default one, which admits the services of the topic's own account. A service that it leaves out sends
nothing, and neither the alarm nor the budget shows that.

The policy reads the policies of topics in this stack, with their conditions on the sender's ARN and account. What EventBridge needs
is checked by kms-keys-admit-their-services, as is the topic's key.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...deliveries import Delivery, delivers
from ...joins import referring, topics_of
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.verdicts import Finding, not_proven, violated

_CLOUDWATCH, _PUBLISH = "cloudwatch.amazonaws.com", "sns:Publish"
_ACTIONS = ("alarmActions", "insufficientDataActions", "okActions")
_SENDERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "backup.VaultNotifications": ("backup.amazonaws.com", ("snsTopicArn",)),
    "budgets.Budget": ("budgets.amazonaws.com", ("notifications",)),
    "cloudwatch.CompositeAlarm": (_CLOUDWATCH, _ACTIONS),
    "cloudwatch.MetricAlarm": (_CLOUDWATCH, _ACTIONS),
    "codestarnotifications.NotificationRule": ("codestar-notifications.amazonaws.com", ("targets",)),
    "dms.EventSubscription": ("dms.amazonaws.com", ("snsTopicArn",)),
    "rds.EventSubscription": ("events.rds.amazonaws.com", ("snsTopic",)),
    "s3.BucketNotification": ("s3.amazonaws.com", ("topics",)),
}
"""Type → the service that publishes for it, and the properties that name its topics."""
_NOT_BY_DEFAULT = (
    "backup.VaultNotifications",
    "budgets.Budget",
    "codestarnotifications.NotificationRule",
    "s3.BucketNotification",
)
"""Senders that the default policy does not admit: it requires aws:SourceOwner, which their services do not send."""
_FIX = "let the service publish in the topic's policy (aws.sns.TopicPolicy), for this account"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each topic of this stack that a resource of this stack sends to."""
    for sender in graph.of_type(*_SENDERS):
        service, paths = _SENDERS[sender.kind]
        for path in paths:
            for topic in topics_of(graph, sender, path):
                yield from _admits(graph, sender, path, topic, service)


def _admits(graph: Graph, sender: Resource, path: str, topic: Resource, service: str) -> Iterator[Finding]:
    holders = [topic, *referring(graph, topic, "arn", "sns.TopicPolicy", keys=("arn", "id"))]
    policies = [document_at(holder, "policy") for holder in holders]
    wanted = f"a topic whose policy lets {service} publish"
    if any(of.unknown is not None for of in policies):
        yield not_proven(sender, path, [f"{topic.label}.policy"], wanted, _FIX)
        return
    if not any(of.known for of in policies):
        if sender.kind in _NOT_BY_DEFAULT:
            what = "sends to a topic without a policy for its service"
            yield violated(sender, path, topic.name, wanted, _FIX, what=what)
        return
    source = sender.value("arn") if sender.kind != "s3.BucketNotification" else None
    admitted = delivers(policies, Delivery(service, _PUBLISH, topic.value("arn"), source))
    if admitted is None:
        yield not_proven(sender, path, [f"{sender.label}.arn"], wanted, _FIX)
    elif not admitted:
        what = "sends to a topic whose policy does not admit its service"
        yield violated(sender, path, topic.name, wanted, _FIX, what=what)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=tuple(sorted(_SENDERS)),
    unknown_blocks=False,
)
