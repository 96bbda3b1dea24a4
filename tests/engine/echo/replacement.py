"""Which changes replace a resource, shared with the offline preview, and the longest names that AWS accepts."""

from __future__ import annotations

from preflight.changes.replacement import TABLE, UNIQUE_NAMES, differing, name_property, replaces

__all__ = ["LONGEST_NAME", "TABLE", "UNIQUE_NAMES", "differing", "name_property", "replaces"]

# The longest name that AWS accepts, for types whose limit is short enough to be reached.
LONGEST_NAME: dict[str, int] = {
    "aws:lb/loadBalancer:LoadBalancer": 32,
    "aws:lb/targetGroup:TargetGroup": 32,
    "aws:elasticache/replicationGroup:ReplicationGroup": 40,
    "aws:iam/role:Role": 64,
    "aws:rds/cluster:Cluster": 63,
    "aws:s3/bucket:Bucket": 63,
}
