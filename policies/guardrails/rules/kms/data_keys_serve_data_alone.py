"""The key of a data store encrypts no log group, topic or queue.

Operators of the system read logs and messages, and need their key. If it is the key of the data as well, the same right to
decrypt opens both, and the data's key cannot be disabled without losing the logs that explain why.

Some teams use one key for a whole system, so this is advisory. Buckets that take access logs do not count as data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...joins import ENCRYPTIONS, buckets_of, buckets_taking_logs
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.verdicts import Finding, not_proven, violated

_STORES: dict[str, tuple[str, ...]] = {
    "backup.RestoreTestingSelection": ("restoreMetadataOverrides",),
    "backup.Vault": ("kmsKeyArn",),
    "docdb.Cluster": ("kmsKeyId",),
    "dynamodb.Table": ("serverSideEncryption.kmsKeyArn",),
    "efs.FileSystem": ("kmsKeyId",),
    "elasticache.ReplicationGroup": ("kmsKeyId",),
    "opensearch.Domain": ("encryptAtRest.kmsKeyId",),
    "rds.Cluster": ("kmsKeyId", "masterUserSecretKmsKeyId", "performanceInsightsKmsKeyId"),
    "rds.ClusterInstance": ("performanceInsightsKmsKeyId",),
    "rds.Instance": ("kmsKeyId", "masterUserSecretKmsKeyId", "performanceInsightsKmsKeyId"),
    **dict.fromkeys(ENCRYPTIONS, ("rules",)),
}
"""Type → the properties that name the key of its data."""
_OPERATIONS = {
    "cloudwatch.LogGroup": "kmsKeyId",
    "sns.Topic": "kmsMasterKeyId",
    "sqs.Queue": "kmsMasterKeyId",
}
_KEYS = ("arn", "id", "keyId")
_WANTED = "a key that only data stores use"
_FIX = "name the key of the data, or give logs and messages another key"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each data store whose key is of this stack."""
    used: dict[str, Resource] = {}
    for user in graph.of_type(*_OPERATIONS):
        for key in _keys(graph, user, _OPERATIONS[user.kind]):
            used.setdefault(key.urn, user)
    logs = buckets_taking_logs(graph)
    for store in graph.of_type(*_STORES):
        if store.kind in ENCRYPTIONS and any(bucket.urn in logs for bucket in buckets_of(graph, store, "bucket")):
            continue
        for path in _STORES[store.kind]:
            yield from _store(graph, store, path, used)


def _store(graph: Graph, store: Resource, path: str, used: Mapping[str, Resource]) -> Iterator[Finding]:
    named = graph.referenced(store, path, ("kms.Key",), _KEYS)
    found = [key for key in named if key.urn in used]
    unknown = [f"{store.label}.{path}"] if named.ambiguous and found else list(named.unknowns)
    if used and unknown:
        yield not_proven(store, path, unknown, _WANTED, _FIX)
        return
    for key in found:
        what = f"is encrypted with the key of {used[key.urn].label}"
        yield violated(store, path, key.name, _WANTED, _FIX, what=what)


def _keys(graph: Graph, resource: Resource, path: str) -> tuple[Resource, ...]:
    found = graph.referenced(resource, path, ("kms.Key",), _KEYS)
    return () if found.ambiguous else found.resources


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=tuple(sorted(_STORES)),
    level=Level.ADVISORY,
)
