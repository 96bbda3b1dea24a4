"""Buckets record who read them, except those that hold such records themselves.

Without the record nobody can say whether a leaked object was read.

A trail of data events would record the same; it belongs to the account and is not visible here.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import BUCKETS, LOGGINGS, buckets_taking_logs, configurations_of
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, violated

_FIX = "add aws.s3.BucketLogging with a target bucket"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each bucket that takes no logs."""
    taking_logs = buckets_taking_logs(graph)
    for bucket in graph.of_type(*BUCKETS):
        recorded = configurations_of(graph, bucket, *LOGGINGS) or bucket.value("loggings") or bucket.value("logging")
        if bucket.urn not in taking_logs and not recorded:
            yield violated(bucket, "", "no server access logging", "a record of requests", _FIX)


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.LOW, remediation=_FIX, types=BUCKETS, controls=("S3.9",)
)
