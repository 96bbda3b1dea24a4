"""No database, broker, cluster or cache has a public address.

With a public address, the security group is the only protection of the data from the internet.

The policy checks the declaration of a single resource; network reachability is checked by the reachability-* policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_PATH = "publiclyAccessible"
_KINDS = (
    "dms.InstanceProfile",
    "dms.ReplicationInstance",
    "docdb.ClusterInstance",
    "lightsail.Database",
    "m2.Environment",
    "mq.Broker",
    "neptune.ClusterInstance",
    "rds.Cluster",
    "rds.ClusterInstance",
    "rds.Instance",
    "rds.ShardGroup",
    "redshift.Cluster",
    "redshiftserverless.Workgroup",
    "timestreaminfluxdb.DbCluster",
    "timestreaminfluxdb.DbInstance",
)


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one database, broker or cluster."""
    yield from expect_value(resource, _PATH, False, f"set {_PATH} to false", default=False)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="set publiclyAccessible to false and connect from inside the network",
    types=_KINDS,
    controls=("RDS.2",),
)
