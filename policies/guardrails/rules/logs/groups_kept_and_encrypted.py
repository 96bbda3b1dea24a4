"""Every log group sets its retention and is encrypted with a customer managed KMS key.

A log group without retention keeps its events forever; without a customer managed key, every principal that may read
the group can read its events.

The policy cannot see log groups that services create because none was declared.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect, expect_reference
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding

_SCHEMA = {
    "maximumDays": {
        "type": "integer",
        "minimum": 1,
        "default": 400,
        "description": "The longest retention of a log group.",
    },
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each log group."""
    limit = int(settings["maximumDays"])
    for group in graph.of_type("cloudwatch.LogGroup"):
        yield from expect(
            group,
            "retentionInDays",
            lambda found: isinstance(found, int | float) and 0 < found <= limit,
            f"1 to {limit} days",
            "set retentionInDays to the number of days for which the events are needed",
        )
        yield from expect_reference(
            graph, group, "kmsKeyId", "a KMS key's ARN", "set kmsKeyId to a key whose policy allows CloudWatch Logs"
        )


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="set retentionInDays and kmsKeyId on each log group",
    types=("cloudwatch.LogGroup",),
    schema=_SCHEMA,
)
