"""Every path from the internet to a workload passes an action that authenticates and refuses strangers.

The application trusts the identity that the edge hands on: one forwarding rule without a login lets anyone be anyone.

A route that is meant to be public is an entry in exceptions.yaml. Who of the authenticated may enter, it cannot see.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding
from ...topology.reachability.exposure import reachability


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each forwarding rule, route and address that lets the internet in."""
    yield from reachability(graph).unauthenticated


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="put an authenticating action that refuses strangers in front of the forward",
)
