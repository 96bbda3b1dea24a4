"""IAM policies allow logins to a database as its users, never as its master user.

The master user creates roles and reads every table, and cannot own what it grants to itself: an application that logs in
as the master has all rights of the database, and a setup that makes the application's role fails at the first deployment.

The policy checks databases and identity policies of this stack; it cannot see roles that were made in the database.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource, unknowns_in
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.iam.matching import matches
from ...topology.iam.statements import grants

_ACTION = "rds-db:connect"
_USER = ":dbuser:"
_WANTED = "a database user other than the master user"
_FIX = "create a role in the database that is granted rds_iam, and name it in the resource of rds-db:connect"
_DATABASES = {"rds.Cluster": ("clusterResourceId", "masterUsername"), "rds.Instance": ("resourceId", "username")}
"""Kind → the id in the resource of ``rds-db:connect``, and the master user."""
_POLICIES = ("iam.GroupPolicy", "iam.Policy", "iam.RolePolicy", "iam.UserPolicy")


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each identity policy, for each database with IAM authentication."""
    databases = [one for one in graph.of_type(*_DATABASES) if one.value("iamDatabaseAuthenticationEnabled") is True]
    if not databases:
        return
    for policy, path in _documents(graph):
        document = document_at(policy, path)
        if document.unknown is not None:
            if graph.referenced(policy, path.partition("[")[0], tuple(_DATABASES), ("arn", "id")):
                yield not_proven(policy, path, [document.unknown], _WANTED, _FIX)
            continue
        for statement in grants(document):
            users = [one for one in statement.resources if _USER in one]
            if users and statement.covers(_ACTION):
                for database in databases:
                    yield from _as_master(policy, f"{path}[{statement.label}].Resource", users, database)


def _documents(graph: Graph) -> Iterator[tuple[Resource, str]]:
    for policy in graph.of_type(*_POLICIES):
        yield policy, "policy"
    for role in graph.of_type("iam.Role"):
        inline = role.items("inlinePolicies")
        if isinstance(inline, list):
            yield from ((role, f"inlinePolicies[{index}].policy") for index in range(len(inline)))


def _as_master(policy: Resource, place: str, users: list[str], database: Resource) -> Iterator[Finding]:
    id_, name = (database.value(key) for key in _DATABASES[database.kind])
    if unknown := [*unknowns_in(id_), *unknowns_in(name)]:
        yield not_proven(policy, place, [f"{database.label}.{one.path}" for one in unknown], _WANTED, _FIX)
        return
    wide = [one for one in users if matches(one.partition(_USER)[2], f"{id_}/{name}")]
    if wide:
        found = f"{', '.join(wide)}, which is {name}, the master user of {database.name}"
        yield violated(policy, place, found, _WANTED, _FIX, what="allows logins as the master user")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("rds.Cluster", "rds.Instance"),
    unknown_blocks=False,
)
