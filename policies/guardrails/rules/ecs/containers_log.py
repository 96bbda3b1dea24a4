"""Every container writes its log to a named CloudWatch Logs group.

Without a log configuration the container's output is lost, and an outage cannot be distinguished from an attack.

The policy cannot see the content of the application's log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...checks import containers
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, violated

_WANTED = "a log configuration with a driver and a log group"
_FIX = (
    "set logConfiguration with logDriver awslogs and the options awslogs-group, awslogs-region and "
    "awslogs-stream-prefix"
)
_SCHEMA = {
    "drivers": {
        "type": "array",
        "items": {"type": "string"},
        "default": ["awslogs", "awsfirelens"],
        "description": "The log drivers that a container may use.",
    }
}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate each container of a task definition."""
    found, undecided = containers(resource, _WANTED, _FIX)
    yield from undecided
    for container in found:
        logs: Mapping[str, Any] = container.get("logConfiguration", {})
        driver = logs.get("logDriver")
        if driver not in settings["drivers"]:
            wanted = " or ".join(settings["drivers"])
            yield violated(resource, container.path("logConfiguration.logDriver"), driver, wanted, _FIX)
        elif driver == "awslogs" and not (as_mapping(logs.get("options")) or {}).get("awslogs-group"):
            path = container.path("logConfiguration.options.awslogs-group")
            yield violated(resource, path, None, "the name of a log group", _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("ecs.TaskDefinition",),
    controls=("ECS.9",),
    schema=_SCHEMA,
)
