"""A failed deployment of an ECS service rolls back automatically.

Otherwise a faulty release stays in place until an engineer intervenes.

The policy cannot see whether the previous release still works with the current data.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_FIX = "set deploymentCircuitBreaker with enable and rollback true"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one service that ECS itself deploys."""
    if resource.value("deploymentController.type") in ("CODE_DEPLOY", "EXTERNAL"):
        return
    for flag in ("enable", "rollback"):
        yield from expect_value(resource, f"deploymentCircuitBreaker.{flag}", True, _FIX, default=False)


RULE: Rule = resource_rule(__name__, __doc__, evaluate, severity=Severity.LOW, remediation=_FIX, types=("ecs.Service",))
