"""Buckets have a public access block, no ACLs, and a bucket policy.

One mistake in a bucket policy can make a bucket public; the public access block prevents that.

The content of the bucket policy is checked by s3-bucket-policies-require-tls, and the settings of the block by
s3-public-bucket. The policy cannot see an account-wide
public access block, which would have the same effect.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect, expect_value
from ...joins import BUCKETS, configurations_of
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.verdicts import Finding, violated

_BLOCK_FIX = "add aws.s3.BucketPublicAccessBlock with all four settings true"
_TLS_FIX = "deny every action where aws:SecureTransport is false, in the bucket's policy"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each bucket."""
    for bucket in graph.of_type(*BUCKETS):
        yield from _blocked(graph, bucket)
        yield from _by_policy(graph, bucket)
        yield from expect(
            bucket, "acl", lambda found: found in (None, "private"), "no ACL", "remove acl and use policies"
        )
        for configuration in configurations_of(graph, bucket, "s3.BucketAcl", "s3.BucketAclV2"):
            yield violated(configuration, "acl", configuration.get("acl"), "no ACL", "remove it and use policies")
        for ownership in configurations_of(graph, bucket, "s3.BucketOwnershipControls"):
            fix = "set objectOwnership to BucketOwnerEnforced"
            yield from expect_value(ownership, "rule.objectOwnership", "BucketOwnerEnforced", fix)


def _blocked(graph: Graph, bucket: Resource) -> Iterator[Finding]:
    if not configurations_of(graph, bucket, "s3.BucketPublicAccessBlock"):
        yield violated(bucket, "", "no public access block", "all four settings", _BLOCK_FIX, what="can be made public")


def _by_policy(graph: Graph, bucket: Resource) -> Iterator[Finding]:
    if not configurations_of(graph, bucket, "s3.BucketPolicy"):
        wanted = "a policy that denies requests without TLS"
        yield violated(bucket, "policy", "no bucket policy", wanted, _TLS_FIX, what="accepts plain HTTP")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_BLOCK_FIX,
    types=BUCKETS,
    controls=("S3.8", "S3.12"),
)
