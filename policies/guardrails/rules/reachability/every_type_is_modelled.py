"""Every resource that could hold an endpoint is of a type that the reachability proof knows.

What it does not know it cannot prove private; so such a resource is named instead of being passed.

It judges types, not what a resource of the type does.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding
from ...topology.reachability.exposure import reachability


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each resource of a type that is not modelled."""
    yield from reachability(graph).not_modelled


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="review by hand who reaches the resource, and enter the review in exceptions.yaml",
    level=Level.ADVISORY,
)
