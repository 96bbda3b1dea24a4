"""A bucket that a backup plan selects has versioning enabled, which AWS Backup requires.

A backup of a bucket without versioning fails every time, and the failure shows only in the backup job list.

The policy checks selections that name a bucket of this stack.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...joins import BUCKETS, configurations_of
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, violated

_FIX = "add aws.s3.BucketVersioning with status Enabled"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each bucket that a selection names."""
    for selection in graph.of_type("backup.Selection"):
        for bucket in graph.referenced(selection, "resources", BUCKETS):
            versionings = configurations_of(graph, bucket, "s3.BucketVersioning", "s3.BucketVersioningV2")
            if not versionings and bucket.value("versioning.enabled") is not True:
                yield violated(
                    bucket, "", "no versioning", "versioning", _FIX, what="is selected but cannot be backed up"
                )
            for versioning in versionings:
                yield from expect_value(versioning, "versioningConfiguration.status", "Enabled", _FIX)


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX, types=("backup.Selection",)
)
