"""A key that a service uses by itself lets that service in: log groups by CloudWatch Logs, topics by what publishes.

A log group whose key refuses CloudWatch Logs writes nothing; an alarm whose topic's key refuses CloudWatch tells nobody.

It judges keys whose policy this stack declares; who uses a key through the account's roles is judged there.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..checks import document, statements
from ..joins import referring
from ..rule import Rule, Settings, Severity, stack_rule
from ..topology.resources import Graph, Resource
from ..topology.verdicts import Finding, not_proven, violated

_FIX = "name a key whose policy lets the service use it, or add the statement to the key's policy"
_KEYS = ("arn", "id", "keyId")
_USES = {
    "cloudwatch.LogGroup": ("kmsKeyId", "logs."),
    "ecs.Cluster": ("configuration.managedStorageConfiguration.fargateEphemeralStorageKmsKeyId", "fargate."),
}


def judge(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each log group, cluster and topic with a key of this stack."""
    for resource in graph.of_type(*_USES):
        path, service = _USES[resource.kind]
        yield from _admits(graph, resource, path, service)
    for topic in graph.of_type("sns.Topic"):
        if referring(graph, topic, "alarmActions", "cloudwatch.MetricAlarm"):
            yield from _admits(graph, topic, "kmsMasterKeyId", "cloudwatch.")


def _admits(graph: Graph, resource: Resource, path: str, service: str) -> Iterator[Finding]:
    wanted = f"a key whose policy lets {service}amazonaws.com use it"
    if resource.value(path) is None:
        return
    for key in graph.referenced(resource, path, ("kms.Key",), _KEYS):
        policies = [
            document(key, "policy"),
            *(document(p, "policy") for p in referring(graph, key, "keyId", "kms.KeyPolicy", keys=_KEYS)),
        ]
        if any(of.unknown is not None for of in policies):
            yield not_proven(resource, path, [f"{key.label}.policy"], wanted, _FIX)
            continue
        named = {
            who
            for of in policies
            if of.known
            for item in statements(of.value)
            if item.allows
            for who in item.principals
        }
        if not any(who.startswith(service) and who.endswith("amazonaws.com") for who in named):
            yield violated(resource, path, key.name, wanted, _FIX, what="uses a key that refuses the service")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    judge,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=(*sorted(_USES), "sns.Topic"),
    unknown_blocks=False,
)
