"""The bucket for load balancer access logs expires them within 30 days.

Access logs contain the full request line, including query strings and login codes, and cannot be redacted. Keep them
only briefly, and separate from other data.

The policy cannot see which account-wide roles can read the bucket.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import buckets_of
from ...lifecycles import EVERY_OBJECT_EXPIRES, EXPIRE_EVERY_OBJECT, expires
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, not_proven

_SCHEMA = {
    "maximumDays": {
        "type": "integer",
        "minimum": 1,
        "default": 30,
        "description": "The longest retention of a load balancer's access logs.",
    }
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each bucket of this stack that a load balancer logs to."""
    limit = int(settings["maximumDays"])
    evaluated: set[str] = set()
    for balancer in graph.of_type("lb.LoadBalancer"):
        buckets = buckets_of(graph, balancer, "accessLogs.bucket")
        if not buckets.resources and balancer.value("accessLogs.enabled") is True:
            found = ", ".join(buckets.external) or "not known yet"
            unknown = ["the bucket's lifecycle"]
            wanted, fix = EVERY_OBJECT_EXPIRES.format(limit), EXPIRE_EVERY_OBJECT.format(limit)
            yield not_proven(balancer, "accessLogs.bucket", unknown, wanted, fix, found=found)
        for bucket in buckets:
            if bucket.urn not in evaluated:
                evaluated.add(bucket.urn)
                yield from expires(graph, bucket, limit)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=EXPIRE_EVERY_OBJECT.format(30),
    types=("lb.LoadBalancer",),
    schema=_SCHEMA,
)
