"""Every bucket says what becomes of old objects.

A bucket without a lifecycle keeps deleted versions and broken uploads for ever.

It cannot tell whether the days are right for what the bucket holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..joins import BUCKETS, configurations_of
from ..rule import Rule, Settings, Severity, stack_rule
from ..topology.resources import Graph
from ..topology.verdicts import Finding, violated
from .access_logs_expire import LIFECYCLES

_FIX = "add aws.s3.BucketLifecycleConfiguration, at least one that ends incomplete uploads"


def judge(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each bucket."""
    for bucket in graph.of_type(*BUCKETS):
        if not configurations_of(graph, bucket, *LIFECYCLES) and not bucket.value("lifecycleRules"):
            yield violated(bucket, "", "no lifecycle configuration", "a lifecycle configuration", _FIX)


RULE: Rule = stack_rule(
    __name__, __doc__, judge, severity=Severity.LOW, remediation=_FIX, types=BUCKETS, controls=("S3.13",)
)
