"""Every entry of exceptions.yaml has a reason, an owner and a day on which it ends, and is still needed.

An exception that nobody remembers is a hole with a permit.

What an entry excepts is reported as advice by the policy concerned, so that it stays visible.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Nothing by itself: which entries matched is known when all policies have judged (see ``evaluation``)."""
    yield from ()


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation="correct, renew or remove the entry in exceptions.yaml",
)
