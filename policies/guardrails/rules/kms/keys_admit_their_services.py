"""The policy of a key allows the services that use it directly: CloudWatch Logs for log groups, publishers for topics.

If the key policy does not allow CloudWatch Logs, nothing is written to the log group; if the key policy of a topic does
not allow CloudWatch, alarms are not delivered. EventBridge does not deliver to a topic whose policy puts any condition
on its grant, or whose key requires aws:SourceAccount, aws:SourceArn or aws:SourceOrgID from it.

The policy checks keys whose policy this stack declares; access to a key through IAM roles is checked by the iam-*
policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...iam import EVENTBRIDGE, SOURCES
from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.iam.statements import grants

_FIX = "name a key whose policy allows the service, or add the statement to the key's policy"
_KEYS = ("arn", "id", "keyId")
_USES = {
    "cloudwatch.LogGroup": ("kmsKeyId", "logs."),
    "ecs.Cluster": ("configuration.managedStorageConfiguration.fargateEphemeralStorageKmsKeyId", "fargate."),
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each log group, cluster and topic that uses a key of this stack."""
    for resource in graph.of_type(*_USES):
        path, service = _USES[resource.kind]
        yield from _admits(graph, resource, path, service)
    for topic in graph.of_type("sns.Topic"):
        if referring(graph, topic, "alarmActions", "cloudwatch.MetricAlarm"):
            yield from _admits(graph, topic, "kmsMasterKeyId", "cloudwatch.")
        if referring(graph, topic, "arn", "cloudwatch.EventTarget"):
            yield from _admits(graph, topic, "kmsMasterKeyId", EVENTBRIDGE)
            yield from _publishes(graph, topic)


def _publishes(graph: Graph, topic: Resource) -> Iterator[Finding]:
    """EventBridge may publish to the topic without a condition."""
    wanted = f"a topic policy that lets {EVENTBRIDGE} publish without any condition"
    fix = "give EventBridge a separate statement without a condition"
    holders = [topic, *referring(graph, topic, "arn", "sns.TopicPolicy", keys=("arn", "id"))]
    policies = [document_at(holder, "policy") for holder in holders]
    if any(of.unknown is not None for of in policies):
        yield not_proven(topic, "policy", [f"{topic.label}.policy"], wanted, fix)
        return
    granted = [item for of in policies for item in grants(of)]
    if not any(EVENTBRIDGE in item.principals and not item.conditions for item in granted):
        found = "a condition" if any(EVENTBRIDGE in item.principals for item in granted) else "no grant"
        yield violated(topic, "policy", found, wanted, fix, what="does not receive events from EventBridge")


def _admits(graph: Graph, resource: Resource, path: str, service: str) -> Iterator[Finding]:
    wanted = f"a key whose policy lets {service if service == EVENTBRIDGE else service + 'amazonaws.com'} use it"
    if resource.value(path) is None:
        return
    for key in graph.referenced(resource, path, ("kms.Key",), _KEYS):
        policies = [
            document_at(key, "policy"),
            *(document_at(p, "policy") for p in referring(graph, key, "keyId", "kms.KeyPolicy", keys=_KEYS)),
        ]
        if any(of.unknown is not None for of in policies):
            yield not_proven(resource, path, [f"{key.label}.policy"], wanted, _FIX)
            continue
        granted = [item for of in policies for item in grants(of)]
        named = [item for item in granted if any(_is(who, service) for who in item.principals)]
        if not named:
            yield violated(
                resource, path, key.name, wanted, _FIX, what="uses a key whose policy does not allow the service"
            )
        elif service == EVENTBRIDGE and all(item.keys & SOURCES for item in named):
            wanted = f"a grant to {EVENTBRIDGE} without a condition on the source"
            fix = "restrict it by kms:EncryptionContext:aws:sns:topicArn instead, which SNS sets"
            yield violated(resource, path, key.name, wanted, fix, what="does not receive events from EventBridge")


def _is(principal: str, service: str) -> bool:
    """Whether a principal is a service, given as its full name or as the part before a region."""
    if not service.endswith("."):
        return principal == service
    return principal.startswith(service) and principal.endswith("amazonaws.com")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=(*sorted(_USES), "sns.Topic"),
    unknown_blocks=False,
)
