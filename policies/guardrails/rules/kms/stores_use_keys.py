"""Data stores are encrypted with a customer managed key, so that decryption needs a permission separate from reading.

Every principal that may read the store can also use a key that AWS manages. For some data that is enough, so this is
advisory.

The policy checks which key a resource names; the key itself is checked by the kms-key* policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_reference
from ...joins import ENCRYPTIONS
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding

_FARGATE = "configuration.managedStorageConfiguration.fargateEphemeralStorageKmsKeyId"
_PATHS: dict[str, tuple[tuple[str, str], ...]] = {
    "backup.Vault": (("kmsKeyArn", ""),),
    "ecs.Cluster": ((_FARGATE, ""),),
    "elasticache.ReplicationGroup": (("kmsKeyId", "atRestEncryptionEnabled"),),
    "rds.Cluster": (
        ("kmsKeyId", "storageEncrypted"),
        ("masterUserSecretKmsKeyId", "manageMasterUserPassword"),
    ),
    "rds.ClusterInstance": (("performanceInsightsKmsKeyId", "performanceInsightsEnabled"),),
    "rds.Instance": (
        ("kmsKeyId", "storageEncrypted"),
        ("masterUserSecretKmsKeyId", "manageMasterUserPassword"),
        ("performanceInsightsKmsKeyId", "performanceInsightsEnabled"),
    ),
}
"""Type → the property that names the key, and the property that enables the feature that it encrypts."""


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each store."""
    for store in graph.of_type(*_PATHS):
        for path, switch in _PATHS[store.kind]:
            if not switch or store.value(switch) is True:
                yield from _named(graph, store, path)
    for configuration in graph.of_type(*ENCRYPTIONS):
        rules = configuration.items("rules")
        for index in range(0 if isinstance(rules, Unknown) else len(rules)):
            base = f"rules[{index}].applyServerSideEncryptionByDefault"
            if str(configuration.value(f"{base}.sseAlgorithm")).startswith("aws:kms"):
                yield from _named(graph, configuration, f"{base}.kmsMasterKeyId")


def _named(graph: Graph, store: Resource, path: str) -> Iterator[Finding]:
    yield from expect_reference(graph, store, path, "a customer managed KMS key", f"set {path.rpartition('.')[2]}")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation="name a customer managed key; changing the key later replaces most data stores",
    types=(*sorted(_PATHS), *ENCRYPTIONS),
    level=Level.ADVISORY,
    unknown_blocks=False,
)
