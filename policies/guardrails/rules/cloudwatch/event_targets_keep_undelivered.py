"""Every EventBridge rule has a target, and every target a dead-letter queue to which the rule may send.

EventBridge drops an event that it cannot deliver. Without a queue the event is lost, and nothing but a metric shows it.

The policy reads the policies of queues in this stack: their action, resource, and conditions on the rule's ARN and account. That
topics and their keys accept events is checked by kms-keys-admit-their-services. Not every event matters that much, so this is
advisory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_reference
from ...deliveries import Delivery, delivers
from ...iam import EVENTBRIDGE
from ...joins import referring
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.verdicts import Finding, not_proven, violated

_PATH, _SEND = "deadLetterConfig.arn", "sqs:SendMessage"
_QUEUE_KEYS = ("arn", "id", "url")
_WANTED = "a dead-letter queue"
_FIX = "set deadLetterConfig to a queue whose policy lets events.amazonaws.com send for this rule, and set an alarm on the queue"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each rule and each target."""
    for rule in graph.of_type("cloudwatch.EventRule"):
        if not referring(graph, rule, "rule", "cloudwatch.EventTarget", keys=("id", "name")):
            fix = "add aws.cloudwatch.EventTarget, or remove the rule"
            yield violated(rule, "", "no target", "at least one target", fix, what="sends its events nowhere")
    for target in graph.of_type("cloudwatch.EventTarget"):
        yield from expect_reference(graph, target, _PATH, _WANTED, _FIX, what="loses events that cannot be delivered")
        for queue in graph.referenced(target, _PATH, ("sqs.Queue",), _QUEUE_KEYS):
            yield from _admits(graph, target, queue)


def _admits(graph: Graph, target: Resource, queue: Resource) -> Iterator[Finding]:
    """Whether EventBridge may send to the queue what this target's rule cannot deliver."""
    wanted = f"a queue whose policy lets {EVENTBRIDGE} send for this rule"
    holders = [queue, *referring(graph, queue, "queueUrl", "sqs.QueuePolicy", keys=_QUEUE_KEYS)]
    policies = [document_at(holder, "policy") for holder in holders]
    rules = graph.referenced(target, "rule", ("cloudwatch.EventRule",), ("id", "name")).resources
    source = rules[0].value("arn") if len(rules) == 1 else None
    delivery = Delivery(EVENTBRIDGE, _SEND, queue.value("arn"), source)
    if any(of.unknown is not None for of in policies):
        yield not_proven(target, _PATH, [f"{queue.label}.policy"], wanted, _FIX)
        return
    admitted = delivers(policies, delivery)
    if admitted is None:
        yield not_proven(target, _PATH, [f"{rules[0].label if rules else queue.label}.arn"], wanted, _FIX)
    elif not admitted:
        what = "has a queue that does not accept its events"
        yield violated(target, _PATH, queue.name, wanted, _FIX, what=what)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("cloudwatch.EventRule", "cloudwatch.EventTarget"),
    level=Level.ADVISORY,
    unknown_blocks=False,
)
