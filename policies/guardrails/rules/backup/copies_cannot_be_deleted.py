"""Backups cannot be deleted along with the data they protect.

Otherwise a mistake or an attacker could delete the data and its backups in one step: forceDestroy empties a vault when
its stack is destroyed, an unlocked vault lets recovery points be deleted at any time, and deleting a database also
deletes its automated backups unless deleteAutomatedBackups is false.

The policy checks vaults, vault locks and databases with backups; who may change a lock is checked by the iam-*
policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one vault, lock, or database."""
    if resource.kind == "backup.Vault":
        fix = "remove forceDestroy: empty the vault in a separate step"
        yield from expect(resource, "forceDestroy", lambda found: found is False, "false", fix, default=False)
    elif resource.kind == "backup.VaultLockConfiguration":
        path = "minRetentionDays"
        fix = "set minRetentionDays: without it a recovery point can be deleted as soon as it is created"
        yield from expect(resource, path, lambda found: isinstance(found, int | float) and found >= 1, "1 or more", fix)
    else:
        fix = (
            "set deleteAutomatedBackups to false, so that point-in-time recovery still works after the database is "
            "deleted"
        )
        yield from expect(resource, "deleteAutomatedBackups", lambda found: found is False, "false", fix, default=True)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation="keep backups when their source is deleted",
    types=("backup.Vault", "backup.VaultLockConfiguration", "rds.Cluster", "rds.Instance"),
    level=Level.ADVISORY,
)
