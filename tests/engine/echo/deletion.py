"""What AWS refuses to delete (``preflight.changes.holding``), what it deletes with a resource, and what it keeps.

A resource is an entry in the cloud: type, id, inputs, outputs. No function here changes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from preflight.changes.holding import BUCKET, CLUSTER, EMPTIED_BY, HOLDERS, OFF, PROTECTION, held
from preflight.sdk.wire import Wire

__all__ = ["BUCKET", "CLUSTER", "EMPTIED_BY", "HOLDERS", "PROTECTION", "held"]

GUARDRAIL = "aws:bedrock/guardrail:Guardrail"
SECRET = "aws:secretsmanager/secret:Secret"
SNAPSHOT = "aws:rds/clusterSnapshot:ClusterSnapshot"

# What goes with the resource that one of its properties names.
PARTS: dict[str, tuple[str, str]] = {
    GUARDRAIL: ("aws:bedrock/guardrailVersion:GuardrailVersion", "guardrailArn"),
    "aws:backup/vault:Vault": ("aws:backup/vaultLockConfiguration:VaultLockConfiguration", "backupVaultName"),
    SECRET: ("aws:secretsmanager/secretVersion:SecretVersion", "secretId"),
}

_LOG_BLOCKS = frozenset({"accessLogs", "connectionLogs", "healthCheckLogs"})
DEFAULT_RECOVERY_DAYS = 30


def refusal(found: Wire, live: Sequence[Wire], contents: Sequence[str]) -> str:
    """Why AWS refuses to delete ``found``; empty if it does not."""
    type_, inputs = found["type"], found["inputs"]
    switch = PROTECTION.get(type_, "")
    if inputs.get(switch) not in OFF:
        return f"{switch} is on"
    if users := sorted(_users(found, live)):
        return f"{found['id']} is still used by {', '.join(users[:3])}"
    if type_ in EMPTIED_BY and contents and not inputs.get(EMPTIED_BY[type_]):
        return f"{found['id']} is not empty: {', '.join(sorted(contents)[:3])}"
    if type_ == CLUSTER and not inputs.get("skipFinalSnapshot"):
        snapshot = inputs.get("finalSnapshotIdentifier")
        if not snapshot:
            return "a final snapshot is required and finalSnapshotIdentifier is missing"
        if any(entry["type"] == SNAPSHOT and entry["id"] == snapshot for entry in live):
            return f"the final snapshot {snapshot} already exists"
    return ""


def parts(found: Wire, live: Sequence[Wire]) -> list[Wire]:
    """The resources that are deleted with ``found``."""
    type_, key = PARTS.get(found["type"], ("", ""))
    names = _names(found)
    return [entry for entry in live if entry["type"] == type_ and entry["inputs"].get(key) in names]


def final_snapshot(found: Wire) -> Wire | None:
    """The final snapshot of a database."""
    inputs = found["inputs"]
    if found["type"] != CLUSTER or inputs.get("skipFinalSnapshot"):
        return None
    of: Wire = {"dbClusterIdentifier": found["id"], "dbClusterSnapshotIdentifier": inputs["finalSnapshotIdentifier"]}
    return {"type": SNAPSHOT, "id": inputs["finalSnapshotIdentifier"], "inputs": of, "outputs": of, "urn": ""}


def keeps_its_name(found: Wire) -> bool:
    """A deleted secret can be restored for some days; until then its name is in use."""
    return found["type"] == SECRET and found["inputs"].get("recoveryWindowInDays", DEFAULT_RECOVERY_DAYS) != 0


def filled_by(type_: str, inputs: Wire) -> Iterator[str]:
    """The buckets into which AWS delivers this resource's logs: they are not empty for long."""
    if type_ == "aws:s3/bucketLogging:BucketLogging":
        yield inputs["targetBucket"]
    if type_ == "aws:lb/loadBalancer:LoadBalancer":
        for block in sorted(_LOG_BLOCKS & inputs.keys()):
            if inputs[block].get("enabled"):
                yield inputs[block]["bucket"]


def _users(found: Wire, live: Sequence[Wire]) -> Iterator[str]:
    properties, names = HOLDERS.get(found["type"], frozenset[str]()), _names(found)
    for entry in live:
        itself = (entry["type"], entry["id"]) == (found["type"], found["id"])
        if not itself and names & set(held(entry["inputs"], properties)):
            yield f"{entry['type']} {entry['id']}"


def _names(found: Wire) -> set[str]:
    outputs = found["outputs"]
    # A guardrail's ARN is in another output.
    arn = outputs.get("guardrailArn" if found["type"] == GUARDRAIL else "arn")
    return {str(name) for name in (found["id"], arn, outputs.get("name")) if name}
