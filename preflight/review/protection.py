"""The effect of a change on the protection of data: encryption, backups, deletion, retention, masking and public access."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import Unknown, as_list, as_mapping
from preflight.review.side import Side, listed

_PROPERTIES: Mapping[str, Mapping[str, str]] = {
    "rds.Cluster": {
        "storageEncrypted": "encryption at rest",
        "kmsKeyId": "key",
        "backupRetentionPeriod": "days of backups",
        "deletionProtection": "protection against deletion",
        "skipFinalSnapshot": "deletion without a final snapshot",
        "iamDatabaseAuthenticationEnabled": "log-in by IAM",
        "enabledCloudwatchLogsExports": "exported logs",
    },
    "rds.ClusterParameterGroup": {"parameters": "parameters"},
    "rds.ClusterInstance": {"publiclyAccessible": "public address"},
    "elasticache.ReplicationGroup": {
        "atRestEncryptionEnabled": "encryption at rest",
        "kmsKeyId": "key",
        "transitEncryptionEnabled": "encryption in transit",
        "transitEncryptionMode": "mode of encryption in transit",
        "snapshotRetentionLimit": "days of snapshots",
    },
    "s3.Bucket": {"forceDestroy": "deletion with its objects"},
    "s3.BucketVersioning": {"versioningConfiguration": "versions"},
    "s3.BucketServerSideEncryptionConfiguration": {"rules": "encryption at rest"},
    "s3.BucketPublicAccessBlock": {
        "blockPublicAcls": "block of public ACLs",
        "blockPublicPolicy": "block of public policies",
        "ignorePublicAcls": "public ACLs ignored",
        "restrictPublicBuckets": "restriction of public buckets",
    },
    "s3.BucketLifecycleConfiguration": {"rules": "deletion of objects"},
    "cloudwatch.LogGroup": {"retentionInDays": "days kept", "kmsKeyId": "key"},
    "cloudwatch.LogDataProtectionPolicy": {"policyDocument": "masking of log events"},
    "kms.Key": {"enableKeyRotation": "rotation", "deletionWindowInDays": "days until deletion"},
    "secretsmanager.Secret": {"kmsKeyId": "key", "recoveryWindowInDays": "days until deletion"},
    "backup.Plan": {"rules": "rules"},
    "backup.Vault": {"kmsKeyArn": "key", "forceDestroy": "deletion with its backups"},
    "backup.VaultLockConfiguration": {
        "minRetentionDays": "least days kept",
        "maxRetentionDays": "most days kept",
        "changeableForDays": "days until it cannot be changed",
    },
    "lb.Listener": {"sslPolicy": "TLS policy", "certificateArn": "certificate"},
    "lb.LoadBalancer": {"enableDeletionProtection": "protection against deletion"},
    "sns.Topic": {"kmsMasterKeyId": "key"},
    "sqs.Queue": {"kmsMasterKeyId": "key", "sqsManagedSseEnabled": "encryption at rest"},
    "bedrock.ModelInvocationLoggingConfiguration": {"loggingConfig": "record of prompts"},
    "bedrock.Guardrail": {
        "contentPolicyConfig": "filters of contents",
        "sensitiveInformationPolicyConfig": "filters of personal data",
        "topicPolicyConfig": "denied topics",
        "wordPolicyConfig": "denied words",
    },
}
"""Type → property → its words. A property that is a list or an object is compared as a whole, and its parts are among the resources."""
_STORES = frozenset(
    {
        *("rds.Cluster", "elasticache.ReplicationGroup", "s3.Bucket", "cloudwatch.LogGroup", "backup.Vault", "kms.Key"),
        *(
            "secretsmanager.Secret",
            "backup.Plan",
            "backup.Selection",
            "backup.VaultLockConfiguration",
            "s3.BucketVersioning",
        ),
        *("s3.BucketPublicAccessBlock", "cloudwatch.LogDataProtectionPolicy", "bedrock.Guardrail"),
        "s3.BucketServerSideEncryptionConfiguration",
    }
)
"""Types whose appearance or disappearance is a sentence."""
_LONGEST = 90


def sentences(before: Side, after: Side) -> Iterator[str]:
    """Every sentence, by type."""
    for kind in sorted({*_PROPERTIES, *_STORES}):
        old, new = ({one.name: one for one in side.graph.of_type(kind)} for side in (before, after))
        if kind in _STORES and (gone := sorted(old.keys() - new.keys())):
            yield f"{kind} {listed(gone)} {'are' if len(gone) > 1 else 'is'} no longer part of the stack"
        if kind in _STORES and (made := sorted(new.keys() - old.keys())):
            kept = _kept(new[made[0]]) if len(made) == 1 else ""
            yield f"{kind} {listed(made)} {'are' if len(made) > 1 else 'is'} new{kept}"
        yield from _changed(kind, old, new, before.graph, after.graph)
    yield from _protected(before, after)


def _changed(
    kind: str, old: Mapping[str, Resource], new: Mapping[str, Resource], before: Graph, after: Graph
) -> Iterator[str]:
    same: dict[tuple[str, str], list[str]] = {}
    for name in sorted(old.keys() & new.keys()):
        for path, what in _PROPERTIES.get(kind, {}).items():
            one, two = _shown(before, old[name], path), _shown(after, new[name], path)
            if one != two:
                text = f"{one} → {two}"
                if len(text) > _LONGEST:
                    text = listed(_differing(old[name].value(path), new[name].value(path)), 3)
                same.setdefault((what, text), []).append(name)
    for (what, values), names in same.items():
        yield f"{kind} {listed(names, 4)}, {what}: {values}"


def _differing(one: object, two: object) -> list[str]:
    """Each part that differs, with both values."""
    old, new = dict(_parts("", one)), dict(_parts("", two))
    return [
        f"{name or 'value'} {old.get(name, 'not set')} → {new.get(name, 'not set')}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _parts(path: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a value of the graph
    if (own := as_mapping(value)) is not None:
        for key, item in sorted(own.items()):
            yield from _parts(f"{path}.{key}" if path else key, item)
    elif (items := as_list(value)) is not None and not isinstance(value, str):
        for number, item in enumerate(items):
            yield from _parts(f"{path}[{number}]", item)
    elif isinstance(value, str) and value.lstrip().startswith("{"):
        yield from _parts(path, json.loads(value))
    elif value is not None:
        yield path, _plain(value)[:_LONGEST]


def _shown(graph: Graph, resource: Resource, path: str) -> str:
    """The value for readers: the name of a resource of the stack that it refers to, otherwise the value."""
    value = resource.value(path)
    if isinstance(value, str):
        named = graph.identified(value)
        return named[0].label if named else value
    return _plain(value)


def _plain(value: Any) -> str:  # noqa: ANN401 - a value of the graph
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Unknown):
        return "not known yet"
    if (items := as_list(value)) is not None:
        return ", ".join(_plain(one) for one in items) or "none"
    if (own := as_mapping(value)) is not None:
        return ", ".join(f"{key} {_plain(one)}" for key, one in sorted(own.items()) if one is not None)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kept(resource: Resource) -> str:
    days = resource.value("retentionInDays")
    return f": its events are kept for {_plain(days)} days" if days is not None else ""


def _protected(before: Side, after: Side) -> Iterator[str]:
    """Pulumi's protection of a resource against deletion."""
    old = {one.urn: one for one in before.recording.resources}
    lost = [
        f"{one.name}"
        for one in after.recording.resources
        if (was := old.get(one.urn)) and was.protect and not one.protect
    ]
    gained = [
        f"{one.name}"
        for one in after.recording.resources
        if (was := old.get(one.urn)) and one.protect and not was.protect
    ]
    if lost:
        yield f"Pulumi may now delete or replace {listed(sorted(lost))}: no longer protected"
    if gained:
        yield f"Pulumi refuses to delete or replace {listed(sorted(gained))}: protected"
