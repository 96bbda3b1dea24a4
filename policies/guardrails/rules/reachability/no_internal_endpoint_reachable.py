"""Only the declared edge is reachable from the internet, and no single change can expose an internal resource.

Three layers keep a resource private: its security groups, its subnets' routes and the lack of a public address. Each
is checked: a resource with all three layers open is reported as reachable, and one with some of them open as a latent
exposure.

The policy checks the stack as declared; it cannot see changes to the same network by another stack or an operator.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding
from ...topology.reachability.evaluation import reachability


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each layer of each internal resource."""
    yield from reachability(graph).exposures


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="close the security group, remove the route to the internet gateway, or assign no public address",
    controls=("EC2.13", "EC2.14", "EC2.18", "EC2.19", "ECS.2", "ECS.16", "EFS.6", "RDS.2", "RDS.46"),
    latent=True,
)
