"""Databases have instances in two availability zones.

With one instance, a failure is an outage until RDS has replaced it, and the loss of its zone one until the zone is back.

A cluster is counted by its instances in the stack; a serverless v1 cluster, which has none, is not checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, violated

_WRITER_AND_READER = 2


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each database cluster and each instance without a cluster."""
    for instance in graph.of_type("rds.Instance"):
        yield from expect(instance, "multiAz", lambda found: found is True, "true", "set multiAz", default=False)
    for cluster in graph.of_type("rds.Cluster"):
        instances = referring(
            graph, cluster, "clusterIdentifier", "rds.ClusterInstance", keys=("clusterIdentifier", "id")
        )
        if len(instances) < _WRITER_AND_READER and cluster.value("engineMode") != "serverless":
            wanted = "two instances, in two availability zones"
            yield violated(cluster, "", f"{len(instances)} instances", wanted, "add a reader instance")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="add a reader in another availability zone, or set multiAz; both are possible without replacement",
    types=("rds.Cluster", "rds.Instance"),
    controls=("RDS.5", "RDS.15"),
)
