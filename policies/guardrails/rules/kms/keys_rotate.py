"""Customer managed keys rotate every year, and their deletion has a waiting period long enough to notice it.

Rotation limits how much data one key version can decrypt; the waiting period is the last chance to cancel the deletion
and keep the data.

KMS does not rotate asymmetric and HMAC keys automatically, so they are not checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect, expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding

_LEAST_DAYS = 14


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one key."""
    kind = resource.value("customerMasterKeySpec")
    if isinstance(kind, Unknown) or kind in (None, "SYMMETRIC_DEFAULT"):
        fix = "set enableKeyRotation to true"
        yield from expect_value(resource, "enableKeyRotation", True, fix, default=False)
    yield from expect(
        resource,
        "deletionWindowInDays",
        lambda found: isinstance(found, int | float) and found >= _LEAST_DAYS,
        f"at least {_LEAST_DAYS} days",
        "raise deletionWindowInDays, or leave it out (30 days)",
        default=30,
    )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="set enableKeyRotation to true",
    types=("kms.Key",),
    controls=("KMS.4",),
)
