"""The policy of a bucket for load balancer logs allows log delivery to write to it.

Otherwise the logs are lost, or they are stored with data that has a longer retention and other readers.

The policy checks buckets of this stack.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...accounts import LOG_DELIVERY, accounts_of
from ...checks import undecided
from ...joins import buckets_of, configurations_of
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.statements import Statement, grants

_PATHS = ("accessLogs", "connectionLogs", "healthCheckLogs")
_SERVICES = ("logdelivery.elasticloadbalancing.amazonaws.com", "delivery.logs.amazonaws.com")
_WANTED = "a bucket whose policy allows log delivery to write to it"
_FIX = "name the bucket intended for these logs, or allow log delivery in its policy"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each log of each load balancer."""
    for balancer in graph.of_type("lb.LoadBalancer"):
        for path in _PATHS:
            if balancer.value(f"{path}.enabled") is True:
                for bucket in buckets_of(graph, balancer, f"{path}.bucket"):
                    yield from _bucket(graph, balancer, f"{path}.bucket", bucket)


def _bucket(graph: Graph, balancer: Resource, path: str, bucket: Resource) -> Iterator[Finding]:
    policies = configurations_of(graph, bucket, "s3.BucketPolicy")
    unclear = [
        item
        for policy in policies
        for item in undecided(policy, "policy", document_at(policy, "policy"), _WANTED, _FIX)
    ]
    found = [item for policy in policies for item in grants(document_at(policy, "policy"))]
    if unclear:
        yield from unclear
    elif not any(_writes(item) for item in found):
        yield violated(
            balancer, path, bucket.name, _WANTED, _FIX, what="names a bucket that log delivery may not write to"
        )


def _writes(statement: Statement) -> bool:
    who = set(statement.principals)
    admitted = who & set(_SERVICES) or LOG_DELIVERY & set(accounts_of(list(who)))
    return statement.covers("s3:PutObject") and bool(admitted)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("lb.LoadBalancer",),
    unknown_blocks=False,
)
