"""Every bucket has a lifecycle configuration for old objects.

A bucket without one keeps noncurrent versions and incomplete uploads forever.

The policy cannot tell whether the number of days suits the content.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...joins import BUCKETS, configurations_of
from ...lifecycles import LIFECYCLES
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_ACTIONS = (
    "abortIncompleteMultipartUpload",
    "expiration",
    "noncurrentVersionExpiration",
    "noncurrentVersionTransitions",
    "transitions",
)
_FIX = "add aws.s3.BucketLifecycleConfiguration, with at least a rule that aborts incomplete uploads"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each bucket."""
    for bucket in graph.of_type(*BUCKETS):
        configurations = configurations_of(graph, bucket, *LIFECYCLES)
        if not configurations and not bucket.value("lifecycleRules"):
            yield violated(bucket, "", "no lifecycle configuration", "a lifecycle configuration", _FIX)
        for configuration in configurations:
            yield from _rules(configuration)


def _rules(configuration: Resource) -> Iterator[Finding]:
    """Every rule is enabled and has an action."""
    rules = configuration.items("rules")
    if isinstance(rules, Unknown):
        yield not_proven(configuration, "rules", [rules], "enabled rules with an action", _FIX)
    for index in range(0 if isinstance(rules, Unknown) else len(rules)):
        place = f"rules[{index}]"
        yield from expect_value(
            configuration, f"{place}.status", "Enabled", "set status to Enabled, or remove the rule"
        )
        if isinstance(configuration.value(place), Unknown):
            continue
        found = [configuration.value(f"{place}.{action}") for action in _ACTIONS]
        unknown = [value for value in found if isinstance(value, Unknown)]
        if unknown and not any(value is not None for value in found if not isinstance(value, Unknown)):
            yield not_proven(configuration, place, unknown, "an expiration, transition or abort", _FIX)
        elif all(value is None for value in found):
            fix = "add an action for the objects, or remove the rule"
            yield violated(
                configuration, place, "no action", "an expiration, transition or abort", fix, what="does nothing"
            )


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.LOW, remediation=_FIX, types=BUCKETS, controls=("S3.13",)
)
