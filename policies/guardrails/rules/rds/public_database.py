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

_PATHS = {
    "dms.ReplicationInstance": ("publiclyAccessible", False),
    "docdb.ClusterInstance": ("publiclyAccessible", False),
    "mq.Broker": ("publiclyAccessible", False),
    "neptune.ClusterInstance": ("publiclyAccessible", False),
    "rds.Cluster": ("publiclyAccessible", False),
    "rds.ClusterInstance": ("publiclyAccessible", False),
    "rds.Instance": ("publiclyAccessible", False),
    "redshift.Cluster": ("publiclyAccessible", False),
    "redshiftserverless.Workgroup": ("publiclyAccessible", False),
    "timestreaminfluxdb.DbInstance": ("publiclyAccessible", False),
}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one database, broker or cluster."""
    path, default = _PATHS[resource.kind]
    yield from expect_value(resource, path, False, f"set {path} to false", default=default)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="set publiclyAccessible to false and connect from inside the network",
    types=tuple(sorted(_PATHS)),
    controls=("RDS.2",),
)
