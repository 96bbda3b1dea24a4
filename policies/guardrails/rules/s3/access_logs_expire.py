"""The bucket for S3 server access logs expires them after a set number of days.

The logs record which principal read which object from which address; without a lifecycle rule they are kept forever.

Load balancer access logs contain more sensitive data, so elb-access-logs-expire is stricter.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import LOGGINGS, buckets_of_records
from ...lifecycles import expires
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each bucket of this stack that receives another bucket's access log."""
    for bucket in buckets_of_records(graph).values():
        yield from expires(graph, bucket, int(settings["maximumDays"]))


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation="add an enabled lifecycle rule to the bucket, without a filter, that expires objects",
    types=LOGGINGS,
    schema={
        "maximumDays": {
            "type": "integer",
            "minimum": 1,
            "default": 400,
            "description": "The longest retention of S3 server access logs.",
        }
    },
    level=Level.ADVISORY,
)
