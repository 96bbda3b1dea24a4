"""Load balancers write access logs to a bucket.

They are the only record of requests that never reached the application.

An application load balancer logs the full request line; the bucket's retention is checked by elb-access-logs-expire.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_reference, expect_value
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding

_FIX = "set accessLogs with enabled true and a dedicated bucket"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each load balancer."""
    for balancer in graph.of_type("lb.LoadBalancer"):
        if balancer.value("loadBalancerType") == "gateway":
            continue
        yield from expect_value(balancer, "accessLogs.enabled", True, _FIX, default=False)
        if balancer.value("accessLogs") is not None:
            yield from expect_reference(graph, balancer, "accessLogs.bucket", "the name of a bucket", _FIX)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("lb.LoadBalancer",),
    controls=("ELB.5",),
)
