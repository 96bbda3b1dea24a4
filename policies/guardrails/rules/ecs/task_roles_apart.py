"""Every task has a task role and a separate execution role.

The execution role can read images and secrets, so an application with that role can read every secret in its task
definition at any time.

The policy compares references: two roles with the same policies count as separate.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_reference
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, violated

_FIX = "define two roles: executionRoleArn for pulling images and secrets, taskRoleArn for the application's AWS calls"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each task definition."""
    for task in graph.of_type("ecs.TaskDefinition"):
        yield from expect_reference(graph, task, "executionRoleArn", "a separate role", _FIX)
        yield from expect_reference(graph, task, "taskRoleArn", "a separate role", _FIX)
        roles = {path: task.value(path) for path in ("executionRoleArn", "taskRoleArn")}
        joined = {path: {role.urn for role in graph.referenced(task, path, ("iam.Role",))} for path in roles}
        same_literal = (
            not any(isinstance(role, Unknown) for role in roles.values())
            and len(set(roles.values())) == 1
            and None not in roles.values()
        )
        if same_literal or (joined["executionRoleArn"] and joined["executionRoleArn"] == joined["taskRoleArn"]):
            yield violated(task, "taskRoleArn", task.get("taskRoleArn"), "a role other than executionRoleArn", _FIX)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ecs.TaskDefinition",),
)
