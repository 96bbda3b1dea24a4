"""Caches have a replica in another availability zone that takes over automatically.

Without one, the loss of the node or of its zone empties the cache and makes it unavailable until the node is replaced.

The policy checks replication groups.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_FIXES = {
    "automaticFailoverEnabled": "set automaticFailoverEnabled and add a replica",
    "multiAzEnabled": "set multiAzEnabled, with subnets in two availability zones",
}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one replication group."""
    for path, fix in _FIXES.items():
        yield from expect(resource, path, lambda found: found is True, "true", fix, default=False)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="add a replica, and set automaticFailoverEnabled and multiAzEnabled; none replaces the cache",
    types=("elasticache.ReplicationGroup",),
)
