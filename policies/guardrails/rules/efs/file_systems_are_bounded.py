"""File systems are backed up, mounted over TLS, and used through access points with a root directory and a user.

Without an access point, a client of the file system can act as any user.

The policy cannot see the content of a file system.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...checks import expect, expect_value
from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_FIX = "use access points with rootDirectory and posixUser, transit encryption, and a backup policy"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each file system, access point, and volume of a task definition."""
    for system in graph.of_type("efs.FileSystem"):
        backups = referring(graph, system, "fileSystemId", "efs.BackupPolicy")
        if not backups:
            yield violated(system, "", "no backup policy", "aws.efs.BackupPolicy with status ENABLED", _FIX)
        for backup in backups:
            yield from expect_value(backup, "backupPolicy.status", "ENABLED", _FIX)
    for point in graph.of_type("efs.AccessPoint"):
        yield from expect(
            point, "rootDirectory.path", lambda found: found not in (None, "/"), "a directory other than /", _FIX
        )
        yield from expect(point, "posixUser.uid", lambda found: found not in (None, 0), "a user other than root", _FIX)
    for task in graph.of_type("ecs.TaskDefinition"):
        yield from _volumes(task)


def _volumes(task: Resource) -> Iterator[Finding]:
    volumes: list[Any] | Unknown = task.items("volumes")
    if isinstance(volumes, Unknown):
        yield not_proven(task, "volumes", [volumes], "volumes with known values", _FIX)
        return
    for index in range(len(volumes)):
        base = f"volumes[{index}].efsVolumeConfiguration"
        if task.value(base) is not None:
            yield from expect_value(task, f"{base}.transitEncryption", "ENABLED", _FIX, default="DISABLED")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("ecs.TaskDefinition", "efs.AccessPoint", "efs.FileSystem"),
    controls=("ECS.18", "EFS.2", "EFS.3", "EFS.4", "EFS.7"),
)
