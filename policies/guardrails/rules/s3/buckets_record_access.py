"""Buckets log access, except those that store such logs.

Without an access log there is no way to tell whether a leaked object was read.

A CloudTrail trail with data events would record the same; it belongs to the account, so the policy cannot see it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import BUCKETS, LOGGINGS, buckets_taking_logs, configurations_of
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, violated

_FIX = "add aws.s3.BucketLogging with a target bucket"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each bucket that receives no logs."""
    taking_logs = buckets_taking_logs(graph)
    for bucket in graph.of_type(*BUCKETS):
        recorded = configurations_of(graph, bucket, *LOGGINGS) or bucket.value("loggings") or bucket.value("logging")
        if bucket.urn not in taking_logs and not recorded:
            yield violated(bucket, "", "no server access logging", "a log of requests", _FIX)


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.LOW, remediation=_FIX, types=BUCKETS, controls=("S3.9",)
)
