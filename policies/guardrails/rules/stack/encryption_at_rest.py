"""Data stores are encrypted at rest, and caches also in transit.

With encryption at rest, a stolen disk or a leaked snapshot cannot be read.

The policy checks the declaration of a resource; it cannot see account-wide defaults (for example of EBS).
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_FLAGS = {
    "docdb.Cluster": ("storageEncrypted",),
    "ebs.Volume": ("encrypted",),
    "efs.FileSystem": ("encrypted",),
    "elasticache.ReplicationGroup": ("atRestEncryptionEnabled", "transitEncryptionEnabled"),
    "memorydb.Cluster": ("tlsEnabled",),
    "neptune.Cluster": ("storageEncrypted",),
    "rds.Cluster": ("storageEncrypted",),
    "rds.GlobalCluster": ("storageEncrypted",),
    "rds.Instance": ("storageEncrypted",),
    "redshift.Cluster": ("encrypted",),
}
_KEYS = {"sns.Topic": "kmsMasterKeyId", "sqs.Queue": "kmsMasterKeyId", "kinesis.Stream": "kmsKeyId"}
_ON_BY_DEFAULT = {"memorydb.Cluster", "redshift.Cluster"}
_INHERITING = ("replicationSourceIdentifier", "snapshotIdentifier", "clusterIdentifier", "globalClusterIdentifier")


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one store."""
    for flag in _FLAGS.get(resource.kind, ()):
        if resource.value(flag) is None and any(resource.value(key) is not None for key in _INHERITING):
            fix = f"set {flag}: the encryption of the source is not visible here"
            yield not_proven(resource, flag, [flag], "true", fix, found=None)
            continue
        yield from expect_value(resource, flag, True, f"set {flag} to true", default=resource.kind in _ON_BY_DEFAULT)
    if key := _KEYS.get(resource.kind):
        yield from _key(resource, key)


def _key(resource: Resource, key: str) -> Iterator[Finding]:
    found = resource.value(key)
    managed = resource.value("sqsManagedSseEnabled")
    if found not in (None, "") or managed is True:
        return
    if isinstance(managed, Unknown):
        yield not_proven(resource, "sqsManagedSseEnabled", [managed], "true, or a KMS key", f"set {key}")
    else:
        wanted = "a KMS key" if resource.kind != "sqs.Queue" else "a KMS key, or sqsManagedSseEnabled"
        yield violated(
            resource, key, None, wanted, f"set {key} to a customer managed key, or to the service's AWS managed alias"
        )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation="turn on encryption; adding it later usually replaces the resource",
    types=(*sorted(_FLAGS), *sorted(_KEYS)),
    controls=("EFS.1", "EFS.8", "RDS.3", "RDS.27"),
)
