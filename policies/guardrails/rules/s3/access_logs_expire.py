"""The bucket of S3's own access logs deletes them in the end.

They hold who read which object from where, for as long as nobody says otherwise.

Access logs of load balancers, which hold more, have the stricter elb-access-logs-expire.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import LOGGINGS, buckets_of_records
from ...lifecycles import expires
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each bucket of this stack that another bucket's log goes to."""
    for bucket in buckets_of_records(graph).values():
        yield from expires(graph, bucket, int(settings["maximumDays"]))


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation="give the bucket a lifecycle rule that is enabled, has no filter and expires objects",
    types=LOGGINGS,
    schema={
        "maximumDays": {
            "type": "integer",
            "minimum": 1,
            "default": 400,
            "description": "How long S3's own access logs may be kept.",
        }
    },
    level=Level.ADVISORY,
)
