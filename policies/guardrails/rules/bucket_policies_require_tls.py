"""Every bucket policy denies requests that do not come by TLS.

S3 answers plain HTTP unless it is told not to.

That every bucket has a policy is judged by buckets-are-private.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..checks import condition_keys, document, statements, undecided
from ..rule import Rule, Settings, Severity, resource_rule
from ..topology.resources import Resource
from ..topology.verdicts import Finding, violated

_WANTED = "a statement that denies every action to everybody where aws:SecureTransport is false"
_FIX = "deny s3:* to everybody where aws:SecureTransport is false, in the bucket's policy"


def judge(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One bucket policy."""
    of = document(resource, "policy")
    yield from undecided(resource, "policy", of, _WANTED, _FIX)
    if of.known and not any(
        not statement.allows
        and "aws:securetransport" in condition_keys(statement)
        and {"*", "s3:*"} & set(statement.actions)
        and "*" in statement.principals
        for statement in statements(of.value)
    ):
        yield violated(resource, "policy", "no such statement", _WANTED, _FIX, what="accepts plain HTTP")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    judge,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("s3.BucketPolicy",),
    controls=("S3.5",),
)
