"""Copies of data cannot be deleted by the mistake, or by the person, that deletes the data.

A vault is emptied with its stack when it is told to, and its copies may be deleted at once when nothing locks them; a
database's own backups go with it unless it is told to leave them.

It judges vaults, their locks and databases with copies; who may change a lock is judged by the policies on identity.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One vault, lock, or database."""
    if resource.kind == "backup.Vault":
        fix = "remove forceDestroy: empty the vault in a step of its own"
        yield from expect(resource, "forceDestroy", lambda found: found is False, "false", fix, default=False)
    elif resource.kind == "backup.VaultLockConfiguration":
        path = "minRetentionDays"
        fix = "set minRetentionDays: without it a copy may be deleted as soon as it is made"
        yield from expect(resource, path, lambda found: isinstance(found, int | float) and found >= 1, "1 or more", fix)
    else:
        fix = "set deleteAutomatedBackups to false: points in time stay restorable after a deletion"
        yield from expect(resource, "deleteAutomatedBackups", lambda found: found is False, "false", fix, default=True)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation="leave copies in place when their source goes",
    types=("backup.Vault", "backup.VaultLockConfiguration", "rds.Cluster", "rds.Instance"),
    level=Level.ADVISORY,
)
