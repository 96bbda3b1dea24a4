"""Containers stop within Fargate's limit: 120 seconds, or 30 where stopTimeout is not set.

Fargate kills a container that is still running after 120 seconds, so its unfinished requests are lost.

The policy cannot see whether the application finishes its work when it receives SIGTERM.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import containers
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated

_LONGEST = 120
_DEFAULT = 30
_WANTED = f"1 to {_LONGEST} seconds"
_FIX = "lower stopTimeout, or leave it out"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate each container of a task definition."""
    found, undecided = containers(resource, _WANTED, _FIX)
    yield from undecided
    for container in found:
        stop = container.get("stopTimeout", _DEFAULT)
        if not isinstance(stop, int | float) or not 0 < stop <= _LONGEST:
            yield violated(resource, container.path("stopTimeout"), stop, _WANTED, _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("ecs.TaskDefinition",),
)
