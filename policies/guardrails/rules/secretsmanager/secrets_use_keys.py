"""Secrets are encrypted with a customer managed KMS key.

Every principal that may read a secret can also use the AWS managed key; a customer managed key needs a separate
permission.

The AWS managed key exposes nothing publicly, so this is advisory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_reference
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding

_FIX = "set kmsKeyId to a key whose policy delegates access to roles of this account"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each secret."""
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
