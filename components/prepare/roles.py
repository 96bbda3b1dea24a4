"""Roles and permissions in the database, as SQL that can run any number of times.

- The master creates all of them and owns nothing of the application's.
- ``<role>_owner`` owns the application's schema. It cannot log in. Migrations run as this role, so that each release's
  migrations can change what an earlier release created.
- ``<role>`` is the application. It logs in with IAM only, reads and writes rows, and cannot alter tables. A schema with
  its name comes first on its search path, for the tables that the application creates itself (the vector store).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from components.prepare.names import IAM_ROLE, RECORD_SCHEMA, owner_of
from components.prepare.report import PrepareError

if TYPE_CHECKING:
    from typing import LiteralString


def ensure(connection: psycopg.Connection, role: str, extensions: list[str]) -> None:
    """Create roles, extensions, schemas and permissions in one transaction."""
    with connection.transaction():
        _roles(connection, role)
        for extension in extensions:
            _execute(connection, "CREATE EXTENSION IF NOT EXISTS {extension}", extension=extension)
        _permissions(connection, role)
        _record(connection)


def protect_revision(connection: psycopg.Connection, role: str) -> None:
    """The application may read the schema's revision but not change it."""
    _execute(connection, "REVOKE INSERT, UPDATE, DELETE ON public.alembic_version FROM {role}", role=role)


def _roles(connection: psycopg.Connection, role: str) -> None:
    owner = owner_of(role)
    if not _exists(connection, IAM_ROLE):
        raise PrepareError(
            f"the database has no role {IAM_ROLE}, so no role can log in with IAM: it exists only on Aurora and RDS with IAM "
            "database authentication turned on"
        )
    if _one(connection, "SELECT CURRENT_USER IN (%s, %s)", role, owner):
        raise PrepareError(
            f"the master's name is also that of role {role} or {owner}, and no role can be granted to itself: give the "
            "database another master"
        )
    if not _exists(connection, owner):
        _execute(connection, "CREATE ROLE {owner} NOLOGIN", owner=owner)
    _execute(connection, "GRANT {owner} TO CURRENT_USER", owner=owner)
    if not _exists(connection, role):
        _execute(connection, "CREATE ROLE {role} LOGIN", role=role)
    if not _one(connection, "SELECT pg_has_role(%s, %s, 'MEMBER')", role, IAM_ROLE):
        _execute(connection, "GRANT {iam} TO {role}", iam=IAM_ROLE, role=role)
    # RDS accepts only tokens from roles that have rds_iam's rights. If the master got them through the application's
    # role, its password would stop working when this transaction commits.
    if _one(connection, "SELECT pg_has_role(CURRENT_USER, %s, 'USAGE')", IAM_ROLE):
        raise PrepareError(
            f"the master would be locked out: it has {IAM_ROLE} through role {role}. As the master, run "
            f"REVOKE {role} FROM CURRENT_USER, and start again; nothing was changed"
        )


def _permissions(connection: psycopg.Connection, role: str) -> None:
    owner, database = owner_of(role), str(_one(connection, "SELECT current_database()"))
    for statement in (
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {database} TO {role}",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT USAGE, CREATE ON SCHEMA public TO {owner}",
        "CREATE SCHEMA IF NOT EXISTS {role}",
        "GRANT USAGE, CREATE ON SCHEMA {role} TO {role}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    ):
        _execute(connection, statement, database=database, owner=owner, role=role)


def _record(connection: psycopg.Connection) -> None:
    _execute(connection, "CREATE SCHEMA IF NOT EXISTS {schema}", schema=RECORD_SCHEMA)
    _execute(
        connection,
        "CREATE TABLE IF NOT EXISTS {schema}.releases ("
        " release text PRIMARY KEY, revision text NOT NULL, compatible_with text[] NOT NULL,"
        " recorded_at timestamptz NOT NULL DEFAULT now(), ready_at timestamptz)",
        schema=RECORD_SCHEMA,
    )


def _exists(connection: psycopg.Connection, role: str) -> bool:
    return _one(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role) is not None


def _one(connection: psycopg.Connection, query: LiteralString, *values: object) -> object:
    row = connection.execute(query, values).fetchone()
    return row[0] if row else None


def _execute(connection: psycopg.Connection, statement: LiteralString, **names: str) -> None:
    identifiers = {name: sql.Identifier(value) for name, value in names.items()}
    connection.execute(sql.SQL(statement).format(**identifiers))
