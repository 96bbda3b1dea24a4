"""A target behind an authenticating rule admits its load balancer's security group on its port, and nothing else.

Such a target believes the identity headers that the load balancer hands on. Whoever else reaches its port, from the
same network too, could write those headers and be anyone.

It cannot see who is in the load balancer's group, nor what reaches a target inside its own task or instance.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding
from ...topology.reachability.exposure import reachability


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each security-group rule that lets another source speak to such a target."""
    yield from reachability(graph).bypasses


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="name the load balancer's security group as the only source of the target's port",
)
