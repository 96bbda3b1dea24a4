"""Caches require authentication and TLS, keep snapshots and install minor updates.

A cache contains sessions and data shared between tasks; even on a private network, one wrong security group rule
exposes it.

The policy checks replication groups; network access is checked by the reachability-* policies, encryption by
stack-encryption-at-rest, replicas by elasticache-caches-survive-a-zone.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one replication group."""
    if resource.value("authToken") in (None, "") and resource.value("userGroupIds") in (None, []):
        wanted = "authToken or userGroupIds"
        yield violated(
            resource, "authToken", None, wanted, "set authToken, or set userGroupIds to user groups that you define"
        )
    yield from expect(
        resource,
        "snapshotRetentionLimit",
        lambda found: isinstance(found, int | float) and found >= 1,
        "at least 1 day",
        "raise snapshotRetentionLimit",
        default=0,
    )
    yield from expect(
        resource,
        "autoMinorVersionUpgrade",
        lambda found: found in (True, "true"),
        "true",
        "remove autoMinorVersionUpgrade, which is on by default",
        default=True,
    )
    yield from expect(
        resource,
        "transitEncryptionMode",
        lambda found: found == "required",
        "required",
        "set transitEncryptionMode to required once every client uses TLS",
        default="required",
    )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="set the property named in the finding; most can be changed without replacement",
    types=("elasticache.ReplicationGroup",),
)
