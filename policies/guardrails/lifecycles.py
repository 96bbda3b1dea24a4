"""The retention that a bucket's lifecycle rules set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from .checks import listed
from .joins import configurations_of
from .topology.graph.resources import Graph, Resource, Unknown, contains_unknown, unknowns_in
from .topology.graph.values import Value, as_mapping
from .topology.graph.verdicts import Finding, not_proven, violated

LIFECYCLES = ("s3.BucketLifecycleConfiguration", "s3.BucketLifecycleConfigurationV2")
EVERY_OBJECT_EXPIRES = "every object expires in at most {} days"
EXPIRE_EVERY_OBJECT = (
    "add an enabled lifecycle rule without a filter to the bucket that expires objects in at most {} days"
)


def expires(graph: Graph, bucket: Resource, limit: int) -> Iterator[Finding]:
    """The finding if a bucket keeps an object longer than ``limit`` days; otherwise none."""
    wanted, fix = EVERY_OBJECT_EXPIRES.format(limit), EXPIRE_EVERY_OBJECT.format(limit)
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
        yield violated(bucket, "lifecycle", "no rule expires every object", wanted, fix, what="keeps access logs")
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
