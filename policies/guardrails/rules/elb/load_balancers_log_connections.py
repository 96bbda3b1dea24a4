"""Application load balancers record connections and health checks.

Failed TLS handshakes do not appear in the access log, and without health check logs there is no record of why a target
became unhealthy.

The policy checks that the logs are enabled; their retention is checked with the bucket of the access logs.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_FIX = "set {} with enabled true and a dedicated bucket"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one load balancer."""
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
