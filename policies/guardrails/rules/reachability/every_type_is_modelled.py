"""Every resource that may be reachable is of a type that the reachability proof models.

The proof cannot show that a resource of an unknown type is private, so the policy reports the resource instead of
passing it.

The policy checks only the type, not how the resource is configured.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding
from ...topology.reachability.evaluation import reachability


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each resource of a type that is not modelled."""
    yield from reachability(graph).not_modelled


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="review manually which clients can reach the resource, and record the review in exceptions.yaml",
    level=Level.ADVISORY,
)
