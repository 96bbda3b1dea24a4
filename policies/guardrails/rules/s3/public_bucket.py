"""No setting makes a bucket public: no public ACL, and no public access block with a setting turned off.

A single resource can make a bucket public, so this check also runs before that resource is created.

Bucket policies are checked by iam-resource-policies-are-narrow; whether every bucket has a block is checked by
s3-buckets-are-private.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import described, expect
from ...public_switches import spread
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_PUBLIC = ("public-read", "public-read-write", "authenticated-read", "website")
_OUTPUT = "encoderSettings.outputGroups[].outputGroupSettings"
_ACLS = {
    "dms.S3Endpoint": ("cannedAclForObjects",),
    "iot.TopicRule": ("s3[].cannedAcl", "errorAction.s3.cannedAcl"),
    "medialive.Channel": (
        f"{_OUTPUT}.archiveGroupSettings[].archiveCdnSettings.archiveS3Settings.cannedAcl",
        f"{_OUTPUT}.frameCaptureGroupSettings.frameCaptureCdnSettings.frameCaptureS3Settings.cannedAcl",
        f"{_OUTPUT}.hlsGroupSettings.hlsCdnSettings[].hlsS3Settings.cannedAcl",
    ),
    "storagegateway.NfsFileShare": ("objectAcl",),
    "storagegateway.SmbFileShare": ("objectAcl",),
}
"""Where a type other than those of S3 sets which ACL the objects that it writes have."""
_GRANTED = ("grants[].uri", "accessControlPolicy.grants[].grantee.uri", "targetGrants[].grantee.uri")
_EVERYONE = ("/AllUsers", "/AuthenticatedUsers")
_BLOCKED = {
    "s3.AccessPoint": ("publicAccessBlockConfiguration.", True),
    "s3.AccountPublicAccessBlock": ("", False),
    "s3.BucketPublicAccessBlock": ("", False),
    "s3control.MultiRegionAccessPoint": ("details.publicAccessBlock.", True),
}
"""Type → where its public access block is, and AWS's default."""
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate a bucket or object with its ACL, a public access block, an access point, or what writes objects."""
    if resource.kind in _BLOCKED:
        yield from _block(resource, *_BLOCKED[resource.kind])
        return
    for path in _ACLS.get(resource.kind, ("acl",)):
        for place, _ in spread(resource, path):
            yield from expect(
                resource, place, lambda found: found not in _PUBLIC, "no public ACL", "remove acl and use policies"
            )
    for path in _GRANTED:
        for place, group in spread(resource, path):
            if isinstance(group, str) and group.endswith(_EVERYONE):
                fix = "remove the grant and use policies"
                yield violated(resource, place, group, "no grant to everyone", fix, what="is granted to everyone")


def _block(resource: Resource, prefix: str, default: bool) -> Iterator[Finding]:
    """One finding for all settings that are turned off: they are one decision."""
    found = {flag: resource.value(f"{prefix}{flag}") for flag in _BLOCKS}
    off = [
        flag
        for flag, value in found.items()
        if not isinstance(value, Unknown) and (default if value is None else value) is not True
    ]
    unknown = [value for value in found.values() if isinstance(value, Unknown)]
    wanted, fix = "all four settings true", f"set {', '.join(off) or 'the settings'} to true"
    if off:
        shown = ", ".join(f"{flag}: {described(resource, f'{prefix}{flag}', default)}" for flag in off)
        yield violated(resource, f"{prefix}{off[0]}", shown, wanted, fix)
    elif unknown:
        yield not_proven(resource, unknown[0].path, unknown, wanted, fix)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="remove public ACLs; turn on all four public access blocks",
    types=(
        *sorted(_BLOCKED),
        *sorted(_ACLS),
        "s3.Bucket",
        "s3.BucketAcl",
        "s3.BucketAclV2",
        "s3.BucketObject",
        "s3.BucketObjectv2",
        "s3.BucketLogging",
        "s3.BucketLoggingV2",
        "s3.BucketV2",
        "s3.ObjectCopy",
    ),
    controls=("S3.8", "S3.19"),
)
