"""What holds data or carries the service cannot be deleted by one careless command.

A load balancer, a database or a bucket that goes takes the service or its memory with it; the protection turns a
slip into an error message.

It cannot see protection that is switched off outside this program.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_PATHS = {
    "lb.LoadBalancer": "enableDeletionProtection",
    "rds.Cluster": "deletionProtection",
    "rds.Instance": "deletionProtection",
    "rds.GlobalCluster": "deletionProtection",
    "docdb.Cluster": "deletionProtection",
    "neptune.Cluster": "deletionProtection",
    "dynamodb.Table": "deletionProtectionEnabled",
    "cognito.UserPool": "deletionProtection",
}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One load balancer, database, table or bucket."""
    if resource.kind in ("s3.Bucket", "s3.BucketV2"):
        fix = "remove forceDestroy: then a bucket is deleted only when it is empty"
        yield from expect_value(resource, "forceDestroy", False, fix, default=False)
        return
    path = _PATHS[resource.kind]
    wanted = "ACTIVE" if resource.kind == "cognito.UserPool" else True
    yield from expect_value(resource, path, wanted, f"set {path}", default=False)
    if resource.kind in ("rds.Cluster", "rds.Instance"):
        fix = "set skipFinalSnapshot to false and name the finalSnapshotIdentifier"
        yield from expect_value(resource, "skipFinalSnapshot", False, fix, default=False)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="set deletion protection; keep final snapshots; do not force the deletion of buckets",
    types=(*sorted(_PATHS), "s3.Bucket", "s3.BucketV2"),
    controls=("ELB.6", "RDS.7", "RDS.8"),
)
