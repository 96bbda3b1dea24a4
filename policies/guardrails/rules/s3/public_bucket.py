"""No setting makes a bucket public: no public ACL, and no public access block with a setting turned off.

A single resource can make a bucket public, so this check also runs before that resource is created.

Bucket policies are checked by iam-resource-policies-are-narrow; whether every bucket has a block is checked by
s3-buckets-are-private.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect, expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_PUBLIC = ("public-read", "public-read-write", "authenticated-read", "website")
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate a bucket or object with its ACL, a public access block, or an access point."""
    if resource.kind in ("s3.BucketPublicAccessBlock", "s3.AccountPublicAccessBlock"):
        for flag in _BLOCKS:
            yield from expect_value(resource, flag, True, f"set {flag} to true", default=False)
    elif resource.kind == "s3.AccessPoint":
        for flag in _BLOCKS:
            path = f"publicAccessBlockConfiguration.{flag}"
            yield from expect_value(resource, path, True, f"set {flag} to true", default=True)
    else:
        yield from expect(
            resource, "acl", lambda found: found not in _PUBLIC, "no public ACL", "remove acl and use policies"
        )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="remove public ACLs; turn on all four public access blocks",
    types=(
        "s3.AccessPoint",
        "s3.AccountPublicAccessBlock",
        "s3.Bucket",
        "s3.BucketAcl",
        "s3.BucketAclV2",
        "s3.BucketObject",
        "s3.BucketObjectv2",
        "s3.BucketPublicAccessBlock",
        "s3.BucketV2",
        "s3.ObjectCopy",
    ),
    controls=("S3.8", "S3.19"),
)
