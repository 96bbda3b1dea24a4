"""Secrets are encrypted with a KMS key of their owner.

The service's own key opens for everybody in the account who may read secrets; a key of one's own is a second decision.

Teams that are content with the service's key lose nothing that was public, so this advises.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_reference
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding

_FIX = "set kmsKeyId to a key whose policy delegates to roles of this account"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each secret."""
    for secret in graph.of_type("secretsmanager.Secret"):
        yield from expect_reference(graph, secret, "kmsKeyId", "a KMS key", _FIX)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("secretsmanager.Secret",),
    level=Level.ADVISORY,
)
