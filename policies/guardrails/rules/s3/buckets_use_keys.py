"""Buckets are encrypted with a KMS key, except those that receive access logs of a load balancer or of S3.

With a customer managed key, reading the bucket and decrypting its objects need separate permissions.

Load balancers and S3 can write access logs only to buckets encrypted with S3 managed keys (SSE-S3).
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...joins import BUCKETS, ENCRYPTIONS, buckets_taking_logs, configurations_of
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_ALGORITHM = "applyServerSideEncryptionByDefault.sseAlgorithm"
_WANTED = "aws:kms or aws:kms:dsse"
_FIX = "add aws.s3.BucketServerSideEncryptionConfiguration with sseAlgorithm aws:kms and a key"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each bucket that receives no access logs."""
    taking_logs = buckets_taking_logs(graph)
    for bucket in graph.of_type(*BUCKETS):
        if bucket.urn in taking_logs:
            continue
        configurations = configurations_of(graph, bucket, *ENCRYPTIONS)
        if not configurations:
            yield violated(bucket, "", "an S3 managed key", _WANTED, _FIX)
        for configuration in configurations:
            rules = configuration.items("rules")
            if isinstance(rules, Unknown):
                yield not_proven(configuration, "rules", [rules], _WANTED, _FIX)
                continue
            for index in range(len(rules)):
                path = f"rules[{index}].{_ALGORITHM}"
                yield from expect(configuration, path, lambda found: str(found).startswith("aws:kms"), _WANTED, _FIX)


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX, types=BUCKETS, controls=("S3.17",)
)
