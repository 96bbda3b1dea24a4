"""Every task has a task role and a separate execution role.

The execution role can read images and secrets, so an application with that role can read every secret in its task
definition at any time. That holds for the execution role of another task definition of the stack too.

The policy compares references: two roles with the same policies count as separate.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_reference
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.verdicts import Finding, violated

_FIX = "define two roles: executionRoleArn for pulling images and secrets, taskRoleArn for the application's AWS calls"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each task definition."""
    tasks = graph.of_type("ecs.TaskDefinition")
    executions = {urn for task in tasks for urn in _roles(graph, task, "executionRoleArn")}
    literals = {role for task in tasks if isinstance(role := task.value("executionRoleArn"), str)}
    for task in tasks:
        yield from expect_reference(graph, task, "executionRoleArn", "a separate role", _FIX)
        yield from expect_reference(graph, task, "taskRoleArn", "a separate role", _FIX)
        role = task.value("taskRoleArn")
        if (isinstance(role, str) and role in literals) or _roles(graph, task, "taskRoleArn") & executions:
            wanted = "a role that is the executionRoleArn of no task definition"
            yield violated(task, "taskRoleArn", task.get("taskRoleArn"), wanted, _FIX)


def _roles(graph: Graph, task: Resource, path: str) -> set[str]:
    return {role.urn for role in graph.referenced(task, path, ("iam.Role",))}


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ecs.TaskDefinition",),
)
