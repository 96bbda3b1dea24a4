"""Every path from the internet to a workload passes a web ACL that blocks.

A path without a web ACL has no size limit, no rate limit and no protection against known attacks.

The policy checks that the path has a web ACL; its rules are checked by the waf-* policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding
from ...topology.reachability.evaluation import reachability


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each entry point."""
    yield from reachability(graph).unprotected


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="associate a web ACL with the load balancer, distribution or API",
    controls=("ELB.16",),
)
