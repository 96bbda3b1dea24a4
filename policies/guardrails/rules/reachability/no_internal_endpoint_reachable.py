"""Nothing but the declared edge is reachable from the internet, and nothing is one change away from it.

Three layers keep an endpoint private: its security groups, its subnets' routes and the lack of a public address.
Each is proven; an open one is reported as reachable when all are open, and otherwise as a latent exposure.

It judges the stack as declared: what another stack or a person adds to the same network is not visible.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding
from ...topology.reachability.exposure import reachability


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each layer of each internal endpoint."""
    yield from reachability(graph).exposures


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="close the security group, take the route to the internet gateway away, or give no public address",
    controls=("EC2.13", "EC2.14", "EC2.18", "EC2.19", "ECS.2", "ECS.16", "EFS.6", "RDS.2", "RDS.46"),
    latent=True,
)
