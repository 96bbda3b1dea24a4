"""Caches ask for a password or a user, refuse clear text, survive a zone, keep copies and take patches.

A cache holds sessions and what tasks tell each other; on a network of its own it is still one mistake from its readers.

It judges replication groups; who reaches them is judged by reachability, encryption by stack-encryption-at-rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated

_FIXES = {
    "automaticFailoverEnabled": "set automaticFailoverEnabled, with a replica",
    "multiAzEnabled": "set multiAzEnabled, with subnets in two zones",
}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One replication group."""
    if resource.value("authToken") in (None, "") and resource.value("userGroupIds") in (None, []):
        wanted = "authToken or userGroupIds"
        yield violated(resource, "authToken", None, wanted, "set authToken, or userGroupIds with users of your own")
    for path, fix in _FIXES.items():
        yield from expect(resource, path, lambda found: found is True, "true", fix, default=False)
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
        "leave autoMinorVersionUpgrade on",
        default=True,
    )
    yield from expect(
        resource,
        "transitEncryptionMode",
        lambda found: found == "required",
        "required",
        "set transitEncryptionMode to required once every client speaks TLS",
        default="required",
    )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="set the named property; most of them change without a replacement",
    types=("elasticache.ReplicationGroup",),
)
