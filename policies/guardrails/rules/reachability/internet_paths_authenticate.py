"""Every path from the internet to a workload passes an action that authenticates users and refuses unauthenticated
requests.

The application trusts the identity that the edge forwards, so one forwarding rule without a login would accept any
identity.

A route that is meant to be public is listed in exceptions.yaml. The policy cannot see which authenticated users may use
the application.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding
from ...topology.reachability.evaluation import reachability


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each forwarding rule, route and address that is open to the internet."""
    yield from reachability(graph).unauthenticated


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="add an authenticating action that refuses unauthenticated requests before the forward action",
)
