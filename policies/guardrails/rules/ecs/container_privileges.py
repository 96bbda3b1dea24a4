"""Containers run as a non-root user, with a read-only root file system and no added privileges.

An attacker who takes over an application gains every privilege of its container. Directories that the application
writes to are declared as volumes.

The policy cannot see the user set in an image, so a task definition without a user counts as root.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...checks import Container, containers, listed
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated

_WANTED = "containers that run as a non-root user, read-only, without added privileges"
_FIX = "set user and readonlyRootFilesystem for each container, remove privileged, and add no Linux capabilities"
_ROOT = {"", "0", "root"}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate each container of a task definition."""
    found, undecided = containers(resource, _WANTED, _FIX)
    yield from undecided
    for container in found:
        yield from _container(resource, container)


def _container(task: Resource, container: Container) -> Iterator[Finding]:
    user = str(container.get("user", ""))
    if user.partition(":")[0].strip().lower() in _ROOT:
        fix = "set user to a numeric id other than 0, for example 10001:10001"
        yield violated(task, container.path("user"), user or None, "a non-root user", fix)
    elif user.partition(":")[2].strip().lower() in {"0", "root"}:
        fix = "set a group other than root, for example 10001:10001"
        yield violated(task, container.path("user"), user, "a non-root group", fix)
    if container.get("readonlyRootFilesystem") is not True:
        fix = "set readonlyRootFilesystem to true and mount a volume where the application writes"
        yield violated(
            task, container.path("readonlyRootFilesystem"), container.get("readonlyRootFilesystem"), "true", fix
        )
    if container.get("privileged", False) is not False:
        yield violated(task, container.path("privileged"), container.get("privileged"), "false", "remove privileged")
    linux: Mapping[str, Any] = container.get("linuxParameters", {})
    capabilities: Mapping[str, Any] = linux.get("capabilities") or {}
    if added := sorted(str(item) for item in listed(capabilities.get("add"))):
        path = container.path("linuxParameters.capabilities.add")
        yield violated(task, path, added, "no added capabilities", "remove the added capabilities")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ecs.TaskDefinition",),
    controls=("ECS.4", "ECS.5", "ECS.20"),
)
