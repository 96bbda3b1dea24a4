"""Run the ``prepare`` container of a recorded stack against a database on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from components.applications.open_webui_data import TRUST
from components.prepare import DATABASE, DATABASE_SCRIPT, PLAN_VARIABLE, packed, sources
from local.certificate import self_signed
from local.data.postgres import PostgresServer
from tests.database.application import Image
from tests.database.deployed import Deployed
from tests.database.rds_login import RdsLogin, rds_login, task_role
from tests.database.server import cluster

PASSWORD = "p@ss/w:rd %41 \"quoted\" 'single'"
"""The master's password, with characters that must survive in a connection URL and never appear in the log."""
SECONDS = 120
"""Enough for the small test application. The real one takes longer."""

REPLACED = {
    "DATABASE_HOST": "the test database listens on loopback",
    "DATABASE_PORT": "the test database uses a free port",
    "PGSSLROOTCERT": "volumes are below the test's folder",
    PLAN_VARIABLE: "see PLAN_REPLACED",
}
"""Variables of the recorded container that the tests replace, and why. All others are as recorded."""
ADDED = {
    "AWS_ACCESS_KEY_ID": "Fargate serves the task role's credentials at a link-local address",
    "AWS_SECRET_ACCESS_KEY": "Fargate serves the task role's credentials at a link-local address",
    "PATH": "the image sets it",
}
"""Variables that a machine without AWS has to add, and why."""
PLAN_REPLACED = {
    "owner": "only root can change a volume's owner",
    "directories": "volumes are below the test's folder",
    "seeds": "volumes are below the test's folder, and the image's files are elsewhere",
    "files": "volumes are below the test's folder; another authority signed the test database's certificate",
    "database.paths": "the image's files are elsewhere",
    "database.configuration": "the image's files are elsewhere",
    "database.scripts": "the image's files are elsewhere",
    "database.scratch": "volumes are below the test's folder",
    "database.warm_up": "the small application has another module",
    "database.release": "the tests try several releases",
    "database.schemas": "the small application has other migrations",
}
"""Fields of prepare's plan that the tests replace, and why."""

OLD, NEW = "2026.10.1", "2026.11.1"
Schemas = Mapping[str, tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class ContainerExit:
    """A container's exit code and its log."""

    code: int
    lines: list[dict[str, Any]]
    text: str

    def events(self, event: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        return [line for line in self.lines if line["event"] == event]

    @property
    def reason(self) -> str:
        """Why the container failed."""
        assert self.code == 1, self.text
        (line,) = self.events("failed")
        return str(line["reason"])


@dataclass(frozen=True)
class StackDatabase:
    """The database of a stack, with the server that authenticates its logins."""

    server: PostgresServer
    login: RdsLogin
    authority: str
    folder: Path
    deployed: Deployed
    password: str = PASSWORD
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Environment variables that override a task's."""
    constants: Mapping[str, str] = field(default_factory=dict[str, str])
    """Text of the script → its replacement in this test, for shorter waits."""

    @property
    def name(self) -> str:
        """The database's name."""
        return self.deployed.database

    @property
    def role(self) -> str:
        """The application's role."""
        return self.deployed.role

    @property
    def master(self) -> str:
        """The role that RDS creates."""
        return self.deployed.master

    def start(self, image: Image, release: str, schemas: Schemas) -> subprocess.Popen[str]:
        """Start the prepare container of a new task, with empty volumes."""
        return subprocess.Popen(  # noqa: S603 - the task's command
            self._command(),
            env={**self.container_variables(image, release, schemas), **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def prepare(self, image: Image, release: str, schemas: Schemas) -> ContainerExit:
        """Run the prepare container of a new task to its end."""
        return finished(self.start(image, release, schemas))

    def container_variables(self, image: Image, release: str, schemas: Schemas) -> dict[str, str]:
        """The recorded container's variables, with the changes that ``REPLACED`` and ``ADDED`` list."""
        volumes = Path(tempfile.mkdtemp(prefix="volumes-", dir=self.folder))
        for mount in self.deployed.container("prepare")["mountPoints"]:
            Path(f"{volumes}{mount['containerPath']}").mkdir(parents=True)
        recorded = self.deployed.environment("prepare")
        return {
            **recorded,
            **self.deployed.secrets("prepare", self.password),
            **task_role(),
            "DATABASE_HOST": "localhost",
            "DATABASE_PORT": str(self.login.port),
            "PATH": "/usr/bin:/bin",
            "PGSSLROOTCERT": f"{volumes}{recorded['PGSSLROOTCERT']}",
            PLAN_VARIABLE: json.dumps(self._plan(image, release, schemas, volumes)),
        }

    def _plan(self, image: Image, release: str, schemas: Schemas, volumes: Path) -> dict[str, Any]:
        plan = self.deployed.plan
        *_, application = plan["database"]["warm_up"]
        own = image.database()
        return {
            **plan,
            "owner": plan["owner"] if os.getuid() == 0 else [os.getuid(), os.getgid()],
            "directories": [f"{volumes}{directory}" for directory in plan["directories"]],
            "seeds": {f"{volumes}{directory}": str(image.static) for directory in plan["seeds"]},
            "files": {
                f"{volumes}{path}": self.authority if path == TRUST else text for path, text in plan["files"].items()
            },
            "database": {
                **plan["database"],
                **own,
                "paths": [str(image.folder), *(f"{volumes}{path}" for path in plan["database"]["paths"][1:])],
                "scratch": f"{volumes}{plan['database']['scratch']}",
                "warm_up": [image.store if module == application else module for module in plan["database"]["warm_up"]],
                "release": release,
                "schemas": schemas,
            },
        }

    def changed(self, **changes: Any) -> StackDatabase:  # noqa: ANN401 - the fields' types
        """A copy with these fields changed."""
        return replace(self, **changes)

    def ask(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Run a query as the superuser and return its rows."""
        return self.server.ask(self.name, query, *values)

    def as_application(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the application's role."""
        with self.server.connect(self.name, self.role) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def _command(self) -> list[str]:
        command = self.deployed.command("prepare", sys.executable)
        if not self.constants:
            return command
        assert command[-1] == DATABASE_SCRIPT
        texts = sources(DATABASE)
        for old, new in self.constants.items():
            assert [text for text in texts.values() if old in text], old
            texts = {name: text.replace(old, new) for name, text in texts.items()}
        return [*command[:-1], packed(texts)]


@contextlib.contextmanager
def stack_database(server: PostgresServer, deployed: Deployed, folder: Path) -> Generator[StackDatabase]:
    """The empty database of a stack, until the block ends."""
    certificate = self_signed("localhost")
    with (
        cluster(server, deployed.master, deployed.database),
        rds_login(server, certificate, folder, deployed, PASSWORD) as login,
    ):
        yield StackDatabase(server, login, certificate.certificate, folder, deployed)


def finished(process: subprocess.Popen[str], seconds: int = SECONDS) -> ContainerExit:
    """Wait until a container exits."""
    try:
        text, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return ContainerExit(process.returncode, [json.loads(line) for line in text.splitlines()], text)
