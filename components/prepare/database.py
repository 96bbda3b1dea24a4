"""Set up the database so that the application can start, one task at a time.

In this order: log in as the master, wait for the lock, create roles and permissions, read the schema's revision, migrate
if needed, let the application's code create its tables, release the lock. Every wait has a timeout.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from components.prepare import roles
from components.prepare.image import Application
from components.prepare.names import RECORD_SCHEMA
from components.prepare.report import PrepareError, conceal, report
from components.prepare.schema import MIGRATE, Statement, decide, revisions

if TYPE_CHECKING:
    from typing import LiteralString

LOCK = 0x61695F696E746572
"""The advisory lock that every prepare container of a database takes: ``ai_inter`` as a number."""
CONNECT_SECONDS = 120
"""Seconds that the database may be unavailable; a failover takes less."""
LOCK_SECONDS = 900
"""Seconds to wait for another task's migration before this one fails."""
STATEMENT_SECONDS = 60
"""Timeout of each of prepare's own statements, in seconds."""
_RELEASES = f"{RECORD_SCHEMA}.releases"


@dataclass(frozen=True)
class Database:
    """The connection to the database and the plan for it."""

    host: str
    port: int
    name: str
    role: str
    """The application's role."""
    master: str
    password: str
    plan: Mapping[str, Any]

    def connect(self) -> psycopg.Connection:
        """A connection as the master to the writer, with TLS as set by PGSSLMODE and PGSSLROOTCERT."""
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                return psycopg.connect(
                    host=self.host,
                    port=self.port,
                    dbname=self.name,
                    user=self.master,
                    password=self.password,
                    application_name="prepare",
                    autocommit=True,
                    connect_timeout=10,
                    keepalives_idle=30,
                    target_session_attrs="read-write",
                    options=f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={STATEMENT_SECONDS}s",
                )
            except psycopg.OperationalError as problem:
                if refused := _refused(str(problem)):
                    raise PrepareError(f"{refused}: {problem}") from None
                if time.monotonic() > deadline:
                    raise PrepareError(
                        f"the database did not answer within {CONNECT_SECONDS} s; the last problem was: {problem}"
                    ) from None
                report("waiting", reason=str(problem))
                time.sleep(3)


def from_environment(environment: dict[str, str], plan: Mapping[str, Any]) -> Database:
    """Read the connection from the container's variables and remove the master's secret from them."""
    names = ("HOST", "PORT", "NAME", "USER", "MASTER_USER", "MASTER_PASSWORD")
    if missing := [f"DATABASE_{name}" for name in names if not environment.get(f"DATABASE_{name}")]:
        raise PrepareError(f"the plan has a database, and these variables are empty: {', '.join(missing)}")
    host, port, name, role = (environment[f"DATABASE_{name}"] for name in names[:4])
    master, password = (environment.pop(f"DATABASE_{name}") for name in names[4:])
    conceal(password)
    return Database(host, int(port), name, role, master, password, plan)


def prepare_database(environment: dict[str, str], plan: Mapping[str, Any]) -> None:
    """Run all steps, or raise an error with the fix. Either way no migration of a release is left half done."""
    database = from_environment(environment, plan)
    application = Application(database, environment, Path(plan["scratch"]))
    try:
        with database.connect() as connection, _lock(connection):
            roles.ensure(connection, database.role, list(plan["extensions"]))
            _bring_up(connection, database, application)
    except psycopg.Error as problem:
        raise PrepareError(f"the database refused a step: {type(problem).__name__}: {problem}") from None


def _bring_up(connection: psycopg.Connection, database: Database, application: Application) -> None:
    release = str(database.plan["release"])
    declared = [Statement(name, revision, tuple(works)) for name, (revision, works) in database.plan["schemas"].items()]
    own = next(statement for statement in declared if statement.release == release)
    image = revisions(Path(database.plan["scripts"]))
    found = _revision(connection)
    step = decide(found, own, image, declared, _recorded(connection))
    report("schema", found=found, release=release, revision=image.head, step=step)
    ready = _record(connection, own, changes=step == MIGRATE)
    if step == MIGRATE:
        application.migrate()
        roles.protect_revision(connection, database.role)
        report("migrated", revision=_revision(connection))
    if not ready:
        application.warm_up()
        connection.execute(f"UPDATE {_RELEASES} SET ready_at = now() WHERE release = %s", (release,))  # noqa: S608


def _record(connection: psycopg.Connection, own: Statement, *, changes: bool) -> bool:
    """Record this release's schema before the schema changes; returns whether the release has been ready before."""
    row = connection.execute(
        f"INSERT INTO {_RELEASES} AS r (release, revision, compatible_with) VALUES (%(release)s, %(revision)s, %(works)s)"  # noqa: S608
        " ON CONFLICT (release) DO UPDATE SET revision = excluded.revision, compatible_with = excluded.compatible_with,"
        " recorded_at = CASE WHEN %(changes)s THEN now() ELSE r.recorded_at END,"
        " ready_at = CASE WHEN %(changes)s THEN NULL ELSE r.ready_at END"
        " RETURNING ready_at IS NOT NULL",
        {
            "release": own.release,
            "revision": own.revision,
            "works": list(own.compatible_with),
            "changes": changes,
        },
    ).fetchone()
    return bool(row and row[0])


def _revision(connection: psycopg.Connection) -> str | None:
    row = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
    if row is None or row[0] is None:
        return None
    found = sorted(str(one[0]) for one in connection.execute("SELECT version_num FROM public.alembic_version"))
    if len(found) > 1:
        raise PrepareError(f"public.alembic_version has {len(found)} rows ({', '.join(found)}) where one is needed")
    return found[0] if found else None


def _recorded(connection: psycopg.Connection) -> list[Statement]:
    rows = connection.execute(
        "SELECT release, revision, compatible_with,"  # noqa: S608
        " to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        f" FROM {_RELEASES}"
    )
    return [Statement(release, revision, tuple(works), at) for release, revision, works, at in rows]


@contextlib.contextmanager
def _lock(connection: psycopg.Connection) -> Generator[None]:
    deadline, told = time.monotonic() + LOCK_SECONDS, False
    while not _try(connection, "SELECT pg_try_advisory_lock(%s)"):
        if time.monotonic() > deadline:
            raise PrepareError(
                f"another task has held the lock for {LOCK_SECONDS} s: look at the log of the prepare container that "
                "is still running; it may be migrating a large table"
            )
        if not told:
            report("waiting", reason="another task is preparing the database")
            told = True
        time.sleep(1)
    try:
        yield
    finally:
        if not connection.closed:
            _try(connection, "SELECT pg_advisory_unlock(%s)")


def _try(connection: psycopg.Connection, query: LiteralString) -> bool:
    row = connection.execute(query, (LOCK,)).fetchone()
    return bool(row and row[0])


def _refused(problem: str) -> str:
    if "certificate" in problem:
        return "the database's certificate is not from the expected authority"
    if "authentication failed" in problem or "pg_hba.conf" in problem:
        return "the master's login was refused: its password may have been rotated while this task started; the next task gets the new one"
    if "does not exist" in problem:
        return "the database or the master does not exist"
    return ""
