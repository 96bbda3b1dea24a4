"""Load balancers use subnets in at least two availability zones.

The outage of one zone then reduces capacity but does not stop the service.

The policy counts subnets; for application load balancers, AWS refuses two subnets in one zone.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_LEAST = 2
_WANTED = "at least two subnets, each in a different availability zone"
_FIX = "set subnets (or subnetMappings) in two or more availability zones"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each load balancer."""
    for balancer in graph.of_type("lb.LoadBalancer"):
        yield from _balancer(graph, balancer)


def _balancer(graph: Graph, balancer: Resource) -> Iterator[Finding]:
    counts: dict[str, int] = {}
    for path in ("subnets", "subnetMappings"):
        found = balancer.items(path)
        if not isinstance(found, Unknown):
            counts[path] = len(found)
        else:
            counts[path] = len(graph.referenced(balancer, path, ("ec2.Subnet",)).resources)
            if counts[path] < _LEAST:
                yield not_proven(balancer, path, [found], _WANTED, _FIX)
                return
    if sum(counts.values()) == 1:
        yield violated(balancer, "subnets", "one subnet", _WANTED, _FIX)
    elif not any(counts.values()):
        yield not_proven(balancer, "subnets", ["subnets"], _WANTED, _FIX, found=None)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("lb.LoadBalancer",),
    controls=("ELB.13",),
)
