"""Application load balancers record connections and health checks too.

A client that fails at TLS reaches no access log, and without a record of health checks nobody sees why a target went.

It asks for the records; who reads them and how long they are kept is judged with the access log's bucket.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_FIX = "set {} with enabled true and a bucket of its own"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One load balancer."""
    if resource.value("loadBalancerType") in ("network", "gateway"):
        return
    for log in ("connectionLogs", "healthCheckLogs"):
        yield from expect_value(resource, f"{log}.enabled", True, _FIX.format(log), default=False)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation="turn on connectionLogs and healthCheckLogs",
    types=("lb.LoadBalancer",),
    level=Level.ADVISORY,
)
