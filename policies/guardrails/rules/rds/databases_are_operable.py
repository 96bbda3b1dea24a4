"""Databases use IAM authentication, export logs, keep backups and are monitored.

Settings made at creation (user name, network, login) are hard to change once there is data.

The policy checks declared settings; it does not check the port, since only named security groups reach it, nor the
number of instances, which rds-databases-survive-a-zone checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ...checks import expect, expect_reference
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource
from ...topology.graph.values import Value
from ...topology.graph.verdicts import Finding, violated

_DEFAULT_USERS = ("admin", "postgres", "root", "rdsadmin", None)
_LEAST_DAYS = 7


@dataclass(frozen=True, slots=True)
class _Setting:
    path: str
    fits: Callable[[Any], bool]
    wanted: str
    fix: str
    default: Any = None


def _is_true(found: Value) -> bool:
    return found is True


def _is_week(found: Value) -> bool:
    return isinstance(found, int | float) and found >= _LEAST_DAYS


_IAM = _Setting(
    "iamDatabaseAuthenticationEnabled",
    _is_true,
    "true",
    "set iamDatabaseAuthenticationEnabled, so that clients log in through IAM",
    False,
)
_COPY = _Setting(
    "copyTagsToSnapshot", _is_true, "true", "set copyTagsToSnapshot, so that a snapshot keeps its owner tag", False
)
_BACKUP = _Setting("backupRetentionPeriod", _is_week, f"at least {_LEAST_DAYS} days", "raise backupRetentionPeriod", 1)
_WATCH = _Setting(
    "monitoringInterval", bool, "an interval in seconds", "set monitoringInterval and monitoringRoleArn", 0
)
_MINOR = _Setting(
    "autoMinorVersionUpgrade", _is_true, "true", "remove autoMinorVersionUpgrade, which is on by default", True
)
_USER = "a user name other than the defaults"

_SETTINGS = {
    "rds.Cluster": (_IAM, _COPY, _BACKUP),
    "rds.ClusterInstance": (_WATCH, _MINOR),
    "rds.Instance": (_IAM, _COPY, _BACKUP, _WATCH, _MINOR),
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each database cluster and instance."""
    for database in graph.of_type(*_SETTINGS):
        for setting in _SETTINGS[database.kind]:
            yield from expect(
                database, setting.path, setting.fits, setting.wanted, setting.fix, default=setting.default
            )
        if database.kind != "rds.ClusterInstance":
            yield from _placed(graph, database)
            yield from _exported(database)
            yield from _final_snapshot(database)


def _exported(database: Resource) -> Iterator[Finding]:
    engine = str(database.value("engine"))
    log = "postgresql" if "postgres" in engine else "audit" if "mysql" in engine or "mariadb" in engine else ""
    path = "enabledCloudwatchLogsExports"
    yield from expect(
        database,
        path,
        lambda found: bool(found) and (not log or log in found),
        f"the {log or 'engine'} log",
        f"add {log or 'the engine log'} to {path}",
    )


def _final_snapshot(database: Resource) -> Iterator[Finding]:
    """A name that depends on no resource is the same when the database is created and deleted a second time."""
    path = "finalSnapshotIdentifier"
    name = database.value(path)
    if isinstance(name, str) and database.value("skipFinalSnapshot") is not True:
        if database.property_dependencies.get(path):
            return
        yield violated(
            database,
            path,
            name,
            "a name that no earlier database of this stack has used",
            "derive it from a resource that is created with the database, such as a random id",
            what="has a fixed name for its final snapshot, so that deleting it a second time fails",
        )


def _placed(graph: Graph, database: Resource) -> Iterator[Finding]:
    if database.value("replicateSourceDb") is not None or database.value("replicationSourceIdentifier") is not None:
        return
    yield from expect_reference(
        graph, database, "dbSubnetGroupName", "a subnet group", "name a group of private subnets"
    )
    path = "masterUsername" if database.kind == "rds.Cluster" else "username"
    fix = f"set {path} to a name that is hard to guess; it cannot be changed later"
    yield from expect(database, path, lambda found: found not in _DEFAULT_USERS, _USER, fix)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="set the property named in the finding; most can be changed without replacement",
    types=tuple(sorted(_SETTINGS)),
    controls=(
        "RDS.6",
        "RDS.9",
        "RDS.10",
        "RDS.11",
        "RDS.12",
        "RDS.13",
        "RDS.16",
        "RDS.17",
        "RDS.18",
        "RDS.24",
        "RDS.25",
        "RDS.34",
        "RDS.35",
        "RDS.36",
        "RDS.37",
    ),
)
