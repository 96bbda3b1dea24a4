"""Load balancers, databases, tables and buckets are protected from accidental deletion.

Deleting a load balancer stops the service, and deleting a database or bucket loses data; with the protection, a
mistaken command ends in an error message.

The policy cannot see protection that is turned off outside this program.
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
    """Evaluate one load balancer, database, table or bucket."""
    if resource.kind in ("s3.Bucket", "s3.BucketV2"):
        fix = "remove forceDestroy, so that only an empty bucket can be deleted"
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
    remediation="turn on deletion protection, keep final snapshots, and remove forceDestroy from buckets",
    types=(*sorted(_PATHS), "s3.Bucket", "s3.BucketV2"),
    controls=("ELB.6", "RDS.7", "RDS.8"),
)
