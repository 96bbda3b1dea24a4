"""Database and cache are private and encrypted, and the backup plan's resources have recent backups."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from preflight.account.lines import Group, Line, joined
from preflight.account.parts import AbsentError
from preflight.verify.context import Part, VerifyContext

CLUSTER = "aws:rds/cluster:Cluster"
INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
VAULT = "aws:backup/vault:Vault"
SELECTION = "aws:backup/selection:Selection"
OLDEST = dt.timedelta(hours=26)
"""One day, plus the two hours that a backup may take."""


def database(context: VerifyContext, group: Group) -> Iterator[Line]:
    """Cluster and instances are available, encrypted, protected and private."""
    for inputs in context.stack.inputs(CLUSTER):
        name = str(inputs["clusterIdentifier"])
        found = context.account.find(
            "rds", "describe_db_clusters", ("DBClusterNotFoundFault",), DBClusterIdentifier=name
        )
        if found is None:
            raise AbsentError(f"the database {name}")
        cluster = found["DBClusters"][0]
        said = {
            "is available": cluster.get("Status") == "available",
            "is encrypted": bool(cluster.get("StorageEncrypted")),
            "is protected from deletion": bool(cluster.get("DeletionProtection")),
        }
        wrong = [text for text, holds in said.items() if not holds]
        shown = f"not met: {joined(wrong)}" if wrong else joined(said)
        yield group.holds(
            f"database {name}", not wrong, shown, "run pulumi refresh to see manual changes, then pulumi up"
        )
        filters = [{"Name": "db-cluster-id", "Values": [name]}]
        instances = context.account.every("rds", "describe_db_instances", "DBInstances", Filters=filters)
        public = sorted(str(one["DBInstanceIdentifier"]) for one in instances if one.get("PubliclyAccessible"))
        wanted = len(context.stack.resources(INSTANCE))
        shown = f"{len(instances)} of {wanted}; with a public address: {joined(public)}"
        fix = "set PubliclyAccessible to false: pulumi up"
        yield group.holds("database's instances", not public and len(instances) >= wanted, shown, fix)


def cache(context: VerifyContext, group: Group) -> Iterator[Line]:
    """The cache is available, and encrypted at rest and in transit."""
    groups = context.account.every("elasticache", "describe_replication_groups", "ReplicationGroups")
    for inputs in context.stack.inputs(CACHE):
        found = [one for one in groups if one.get("Description") == inputs["description"]]
        if not found:
            raise AbsentError("the cache")
        one = found[0]
        said = {
            "is available": one.get("Status") == "available",
            "is encrypted at rest": bool(one.get("AtRestEncryptionEnabled")),
            "is encrypted in transit": bool(one.get("TransitEncryptionEnabled")),
            "requires a password": bool(one.get("AuthTokenEnabled")),
        }
        wrong = [text for text, holds in said.items() if not holds]
        shown = f"not met: {joined(wrong)}" if wrong else joined(said)
        yield group.holds("cache", not wrong, shown, "run pulumi refresh to see manual changes, then pulumi up")


def backups(context: VerifyContext, group: Group) -> Iterator[Line]:
    """Every resource of the plan has a recovery point from the last night."""
    for logical, vault in context.live(VAULT, r"backup:[^:]+:\d+:backup-vault:"):
        if not vault:
            raise AbsentError(f"the backup vault {logical}")
        after = context.now - OLDEST
        points = context.account.every(
            "backup",
            "list_recovery_points_by_backup_vault",
            "RecoveryPoints",
            BackupVaultName=vault,
            ByCreatedAfter=after,
        )
        complete = [str(one["ResourceArn"]) for one in points if one.get("Status") == "COMPLETED"]
        created = context.account.ask("backup", "describe_backup_vault", BackupVaultName=vault)["CreationDate"]
        for service in sorted(
            {str(arn).split(":")[2] for i in context.stack.inputs(SELECTION) for arn in i["resources"]}
        ):
            subject = f"backup of {service}"
            if any(arn.split(":")[2] == service for arn in complete):
                yield group.ok(subject, "a recovery point is younger than 26 hours")
            elif created > after:
                fix = "run the command again after the plan's first night"
                yield group.cannot_tell(subject, "the vault is younger than 26 hours", fix)
            else:
                fix = "aws backup list-backup-jobs --by-state FAILED shows the reason; see docs/restore.md"
                yield group.missing(subject, "no complete recovery point in the last 26 hours", fix)


PART = Part("data", (("database", database), ("cache", cache), ("backup", backups)))
