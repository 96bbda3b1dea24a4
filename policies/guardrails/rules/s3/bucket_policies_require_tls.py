"""Every bucket policy denies requests without TLS.

S3 accepts plain HTTP unless a bucket policy denies it.

Whether every bucket has a policy is checked by s3-buckets-are-private.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import undecided
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Resource
from ...topology.graph.values import Value
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.matching import matches
from ...topology.iam.statements import Statement, denies_clear_text, statements

_WANTED = (
    "a statement that denies every action on the bucket and its objects to all principals where "
    "aws:SecureTransport is false"
)
_FIX = "deny s3:* on the bucket's ARN and on <ARN>/* to all principals where aws:SecureTransport is false"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one bucket policy."""
    of = document_at(resource, "policy")
    yield from undecided(resource, "policy", of, _WANTED, _FIX)
    if of.known and not any(
        denies_clear_text(statement, "s3:*") and _is_about_all_of_it(resource.value("bucket"), statement)
        for statement in statements(of)
    ):
        yield violated(resource, "policy", "no such statement", _WANTED, _FIX, what="accepts plain HTTP")


def _is_about_all_of_it(bucket: Value, statement: Statement) -> bool:
    """Whether the statement covers the bucket, whose name may not be known yet, and every object in it."""
    named = [arn.partition(":::")[2] or arn for arn in statement.resources]
    if isinstance(bucket, str):
        return all(any(matches(arn, part) for arn in named) for part in (bucket, f"{bucket}/any/key"))
    return any("/" not in arn for arn in named) and any(arn == "*" or arn.endswith("/*") for arn in named)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("s3.BucketPolicy",),
    controls=("S3.5",),
)
