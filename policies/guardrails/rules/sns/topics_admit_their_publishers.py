"""The policy of a topic lets each service publish that sends to it: alarms, budgets, events of databases.

A topic's policy replaces the default one, which admits the services of the topic's own account. A service that it leaves out sends
nothing, and neither the alarm nor the budget shows that.

The policy reads the policies of topics in this stack, with their conditions on the sender's ARN and account. What EventBridge needs
is checked by kms-keys-admit-their-services, as is the topic's key.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import undecided
from ...deliveries import Delivery, delivers
from ...joins import referring, topics_of
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import Document, document_at
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
_SHOWN = 3
_FIX = "let the service publish in the topic's policy (aws.sns.TopicPolicy), for this account"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each topic of this stack to which a resource of this stack sends."""
    senders: dict[str, dict[str, list[Resource]]] = {}
    for sender in graph.of_type(*_SENDERS):
        service, paths = _SENDERS[sender.kind]
        for urn in sorted({topic.urn for path in paths for topic in topics_of(graph, sender, path)}):
            senders.setdefault(urn, {}).setdefault(service, []).append(sender)
    for urn, by_service in sorted(senders.items()):
        yield from _topic(graph, graph.by_urn[urn], by_service)


def _topic(graph: Graph, topic: Resource, by_service: dict[str, list[Resource]]) -> Iterator[Finding]:
    holders = [topic, *referring(graph, topic, "arn", "sns.TopicPolicy", keys=("arn", "id"))]
    documents = [(holder, document_at(holder, "policy")) for holder in holders]
    wanted = f"a policy that lets {', '.join(sorted(by_service))} publish"
    unclear = [finding for holder, of in documents for finding in undecided(holder, "policy", of, wanted, _FIX)]
    if unclear:
        yield from unclear
        return
    policies = [of for _, of in documents]
    default = not any(of.known for of in policies)
    for service, senders in sorted(by_service.items()):
        wanted = f"a policy that lets {service} publish"
        admitted = [
            (one, one.kind not in _NOT_BY_DEFAULT if default else _admits(policies, topic, one)) for one in senders
        ]
        refused = [one.name for one, answer in admitted if answer is False]
        unknown = [f"{one.label}.arn" for one, answer in admitted if answer is None]
        if refused:
            what = f"does not take messages of {', '.join(refused[:_SHOWN])}{' and others' if refused[_SHOWN:] else ''}"
            found = "the default policy" if default else f"no statement that allows {service}"
            yield violated(topic, "policy", found, wanted, _FIX, what=what)
        elif unknown:
            yield not_proven(topic, "policy", unknown[:_SHOWN], wanted, _FIX)


def _admits(policies: list[Document], topic: Resource, sender: Resource) -> bool | None:
    service, _ = _SENDERS[sender.kind]
    # A notification sends for its bucket, which has another ARN.
    source = sender.value("arn") if sender.kind != "s3.BucketNotification" else None
    return delivers(policies, Delivery(service, _PUBLISH, topic.value("arn"), source))


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=tuple(sorted(_SENDERS)),
    unknown_blocks=False,
)
