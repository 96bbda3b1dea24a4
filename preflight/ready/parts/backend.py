"""Pulumi's state backend. The state holds every secret of the stack in encrypted form, so its bucket must be private."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from preflight.account.lines import Group, Line, joined
from preflight.ready.context import Part, ReadyContext
from preflight.ready.wanted import several, statements

BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def backend(context: ReadyContext, group: Group) -> Iterator[Line]:
    """One line for each property of the backend."""
    wanted = context.wanted
    url = wanted.backend or (f"s3://{wanted.state_bucket}" if wanted.state_bucket else "")
    parts = urlsplit(url)
    if not url or parts.scheme == "https":
        yield group.ok("backend", "Pulumi Cloud: the state is outside of this account, and its service encrypts it")
        return
    if parts.scheme != "s3":
        yield group.missing(
            "backend",
            f"{parts.scheme}:// stores the state where CI and other operators cannot access it",
            "set an S3 bucket (PULUMI_BACKEND_URL=s3://…) or use Pulumi Cloud",
        )
        return
    bucket = parts.netloc
    yield group.holds(
        "backend",
        bucket == wanted.state_bucket,
        f"the state is in the bucket {bucket}"
        + ("" if bucket == wanted.state_bucket else f"; bootstrap's stateBucket is {wanted.state_bucket or 'not set'}"),
        f"write stateBucket: {bucket} for {wanted.stack} in bootstrap's stack file and run pulumi up there: "
        "CI's roles have access to no other bucket",
    )
    if context.account.find("s3", "head_bucket", ("404", "NoSuchBucket"), Bucket=bucket) is None:
        yield group.missing(
            "state bucket", f"{bucket} does not exist", f"create the bucket {bucket} in {wanted.region}"
        )
        return
    yield from _closed(context, group, bucket)


def _closed(context: ReadyContext, group: Group, bucket: str) -> Iterator[Line]:
    ask = context.account
    rules = ask.find("s3", "get_bucket_encryption", ("ServerSideEncryptionConfigurationNotFoundError",), Bucket=bucket)
    kinds = [
        rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "")
        for rule in (rules or {}).get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    ]
    yield group.holds(
        "state encrypted",
        any(kinds),
        f"encryption by default: {joined(filter(None, kinds))}",
        f"aws s3api put-bucket-encryption --bucket {bucket} (SSE-KMS)",
    )
    versioning = ask.ask("s3", "get_bucket_versioning", Bucket=bucket).get("Status", "never enabled")
    yield group.holds(
        "state versioned",
        versioning == "Enabled",
        f"versioning {versioning}",
        f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled",
    )
    found = ask.find("s3", "get_public_access_block", ("NoSuchPublicAccessBlockConfiguration",), Bucket=bucket)
    configuration = (found or {}).get("PublicAccessBlockConfiguration", {})
    open_ = [name for name in BLOCKS if not configuration.get(name)]
    yield group.holds(
        "state not public",
        not open_,
        f"not set: {joined(open_)}" if open_ else "all public access is blocked",
        f"aws s3api put-public-access-block --bucket {bucket} with all four settings true",
    )
    policy = ask.find("s3", "get_bucket_policy", ("NoSuchBucketPolicy",), Bucket=bucket)
    yield group.holds(
        "state by TLS only",
        policy is not None and _denies_plain(policy["Policy"]),
        "the bucket policy denies requests without TLS"
        if policy is not None and _denies_plain(policy["Policy"])
        else "no statement of a bucket policy denies requests without TLS",
        'add a statement that denies s3:* to every principal on the condition {"Bool": {"aws:SecureTransport": "false"}}',
    )


def _denies_plain(document: str) -> bool:
    return any(
        statement.get("Effect") == "Deny"
        and json.dumps(statement.get("Principal")) in {'"*"', '{"AWS": "*"}', '{"AWS": ["*"]}'}
        and set(several(statement.get("Action", []))) & {"s3:*", "*"}
        and several(statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport", "")) == ["false"]
        for statement in statements(document)
    )


PART = Part("state backend", (("backend", backend),))
