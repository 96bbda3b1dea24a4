"""A deployment of an ECS service rolls back when an alarm fires, not only when its tasks fail to start.

The circuit breaker treats a release that starts but returns errors to users as healthy.

The policy cannot see whether the alarms measure the errors that users see.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_FIX = "set alarms with alarmNames, enable and rollback true"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one service that ECS itself deploys."""
    if resource.value("deploymentController.type") in ("CODE_DEPLOY", "EXTERNAL"):
        return
    for flag in ("enable", "rollback"):
        yield from expect_value(resource, f"alarms.{flag}", True, _FIX, default=False)


RULE: Rule = resource_rule(
    __name__, __doc__, evaluate, severity=Severity.LOW, remediation=_FIX, types=("ecs.Service",), level=Level.ADVISORY
)
