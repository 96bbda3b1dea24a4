"""A target behind an authenticating rule accepts traffic on its port only from its load balancer's security group.

The target trusts the identity headers that the load balancer forwards. Any other client that reaches the port, even
from the same network, could forge those headers and act as any user.

The policy cannot see which other resources use the load balancer's security group, or which processes in the same task
or instance can reach a target.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding
from ...topology.reachability.evaluation import reachability


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each security group rule that opens such a target to another source."""
    yield from reachability(graph).bypasses


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="make the load balancer's security group the only source for the target's port",
)
