"""The role of a schedule may start the task that the schedule names, and send to its dead-letter queue.

A schedule that may not do what it is for fails at each time, and only a metric shows it. What is lost then is lost in the queue's
absence, too: EventBridge Scheduler uses the schedule's role for both.

The policy reads the separate policies of roles in this stack; it does not check roles with inline, managed or attached ones. It
compares actions and resources, not conditions.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...roles import ROLE_KEYS, granted_to, has_other_policies
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_NEEDED = (
    ("target.ecsParameters.taskDefinitionArn", "ecs:RunTask"),
    ("target.deadLetterConfig.arn", "sqs:SendMessage"),
)
_FIX = "allow the action on this resource in the policy of the schedule's role"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each schedule whose role is of this stack."""
    for schedule in graph.of_type("scheduler.Schedule"):
        roles = graph.referenced(schedule, "target.roleArn", ("iam.Role",), ROLE_KEYS).resources
        if len(roles) == 1 and not has_other_policies(graph, roles[0]):
            for path, action in _NEEDED:
                yield from _may(graph, schedule, path, roles[0], action)


def _may(graph: Graph, schedule: Resource, path: str, role: Resource, action: str) -> Iterator[Finding]:
    resource = schedule.value(path)
    if resource is None:
        return
    wanted, allowed = f"a role that may {action} here", granted_to(graph, role)
    if allowed is None or isinstance(resource, Unknown):
        unknown = f"the policies of {role.label}" if allowed is None else resource
        yield not_proven(schedule, path, [unknown], wanted, _FIX)
    elif not any(item.covers(action) and item.covers_resource(str(resource)) for item in allowed):
        what = "names what its role may not use"
        yield violated(schedule, path, f"{role.name} may not {action} {resource}", wanted, _FIX, what=what)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("scheduler.Schedule",),
    unknown_blocks=False,
)
