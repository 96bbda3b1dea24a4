"""The bucket of a load balancer's access logs deletes them within 30 days.

Access logs hold the full request line, including query strings and login codes, and cannot be redacted. They are
therefore kept briefly and apart from other data.

The policy cannot see who reads the bucket through an account-wide role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ...checks import listed
from ...joins import buckets_of, configurations_of
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown, contains_unknown, unknowns_in
from ...topology.graph.values import Value, as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

LIFECYCLES = ("s3.BucketLifecycleConfiguration", "s3.BucketLifecycleConfigurationV2")
_WANTED = "every object expires in at most {} days"
_FIX = "add an enabled lifecycle rule to the bucket, without a filter, that expires objects in at most {} days"
_SCHEMA = {
    "maximumDays": {
        "type": "integer",
        "minimum": 1,
        "default": 30,
        "description": "The longest retention of a load balancer's access logs.",
    }
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each bucket of this stack that a load balancer logs to."""
    limit = int(settings["maximumDays"])
    evaluated: set[str] = set()
    for balancer in graph.of_type("lb.LoadBalancer"):
        buckets = buckets_of(graph, balancer, "accessLogs.bucket")
        if not buckets.resources and balancer.value("accessLogs.enabled") is True:
            found = ", ".join(buckets.external) or "not known yet"
            unknown = ["the bucket's lifecycle"]
            wanted, fix = _WANTED.format(limit), _FIX.format(limit)
            yield not_proven(balancer, "accessLogs.bucket", unknown, wanted, fix, found=found)
        for bucket in buckets:
            if bucket.urn not in evaluated:
                evaluated.add(bucket.urn)
                yield from expires(graph, bucket, limit)


def expires(graph: Graph, bucket: Resource, limit: int) -> Iterator[Finding]:
    """The finding where a bucket keeps an object longer than ``limit`` days; none where it does not."""
    wanted, fix = _WANTED.format(limit), _FIX.format(limit)
    configurations = configurations_of(graph, bucket, *LIFECYCLES)
    days: list[int] = []
    for configuration in configurations:
        rules = configuration.items("rules")
        if isinstance(rules, Unknown) or contains_unknown(rules):
            yield not_proven(configuration, "rules", list(unknowns_in(rules)), wanted, fix)
            return
        for rule in rules:
            days.extend(_expiry(as_mapping(rule) or {}))
    for item in listed(bucket.value("lifecycleRules")):
        rule = as_mapping(item) or {}
        if rule.get("enabled") is True and not rule.get("prefix") and not rule.get("tags"):
            days.extend(_days(rule.get("expiration")))
    if not days:
        yield violated(
            bucket, "lifecycle", "no rule expires every object", wanted, fix, what="keeps access logs forever"
        )
    elif min(days) > limit:
        yield violated(bucket, "lifecycle", f"{min(days)} days", wanted, fix, what="keeps access logs too long")


def _expiry(rule: Mapping[str, Any]) -> list[int]:
    narrowed = rule.get("filter") or rule.get("prefix")
    if isinstance(narrowed, Mapping):
        narrowed = any(value not in (None, "") for value in cast("Mapping[str, Any]", narrowed).values())
    if rule.get("status") != "Enabled" or narrowed:
        return []
    return _days(rule.get("expiration"))


def _days(expiration: Value) -> list[int]:
    found = [as_mapping(item) or {} for item in listed(expiration)]
    return [int(item["days"]) for item in found if isinstance(item.get("days"), int | float)]


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX.format(30),
    types=("lb.LoadBalancer",),
    schema=_SCHEMA,
)
