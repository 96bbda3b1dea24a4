"""A service's failed deployment rolls back by itself.

Otherwise a bad release stays until somebody is awake.

It cannot see whether the release before still works with today's data.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_FIX = "set deploymentCircuitBreaker with enable and rollback true"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One service that ECS deploys itself."""
    if resource.value("deploymentController.type") in ("CODE_DEPLOY", "EXTERNAL"):
        return
    for flag in ("enable", "rollback"):
        yield from expect_value(resource, f"deploymentCircuitBreaker.{flag}", True, _FIX, default=False)


RULE: Rule = resource_rule(__name__, __doc__, evaluate, severity=Severity.LOW, remediation=_FIX, types=("ecs.Service",))
