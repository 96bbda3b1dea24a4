"""Tasks use their own network interface, share no process namespace, and allow no shell and no public address.

A task with a public address is one security group rule away from the internet; a shell into a task bypasses the proxy,
the logging rules and the read-only file system.

The policy cannot see changes that an operator makes outside this program, for example in the ECS console.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect, expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate a task definition, a service or a task set."""
    if resource.kind == "ecs.TaskDefinition":
        yield from expect_value(
            resource,
            "networkMode",
            "awsvpc",
            "set networkMode to awsvpc, so that the task has its own network interface",
            default="bridge",
        )
        for mode, apart in (("pidMode", (None,)), ("ipcMode", (None, "none"))):
            fix = (
                f"remove {mode}: with it, a container can read the memory of other containers, including their secrets"
            )
            yield from expect(resource, mode, lambda found, apart=apart: found in apart, "not set", fix)
        return
    public = "networkConfiguration.assignPublicIp"
    yield from expect_value(resource, public, False, "set assignPublicIp to false and use VPC endpoints", default=False)
    if resource.kind == "ecs.Service":
        yield from expect_value(
            resource,
            "enableExecuteCommand",
            False,
            "remove enableExecuteCommand: it opens a shell into tasks",
            default=False,
        )
    yield from expect(
        resource,
        "platformVersion",
        lambda found: found in (None, "LATEST"),
        "LATEST",
        "remove platformVersion or set it to LATEST",
    )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=(
        "set networkMode to awsvpc and assignPublicIp to false; remove enableExecuteCommand and shared process "
        "namespaces"
    ),
    types=("ecs.Service", "ecs.TaskDefinition", "ecs.TaskSet"),
    controls=("ECS.2", "ECS.3", "ECS.10", "ECS.16", "ECS.17"),
)
