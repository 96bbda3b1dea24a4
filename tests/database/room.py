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
from tests.database.application import Image
from tests.database.deployed import Deployed
from tests.database.door import Door, opened, task_role
from tests.database.server import Server

PASSWORD = "p@ss/w:rd %41 \"quoted\" 'single'"
"""The master's, which RDS would choose. Such characters must survive every address and stay out of every line."""
SECONDS = 120
"""For the small application; a real one takes longer where a machine is busy."""

REPLACED = {
    "DATABASE_HOST": "the door listens on loopback",
    "DATABASE_PORT": "on a free port",
    "PGSSLROOTCERT": "volumes lie below the test's folder",
    PLAN_VARIABLE: "see PLAN_REPLACED",
}
"""Variables of the recorded container that have another value here, and why. Every other is as recorded."""
ADDED = {
    "AWS_ACCESS_KEY_ID": "Fargate hands out the task role's credentials at a link-local address",
    "AWS_SECRET_ACCESS_KEY": "the same",
    "PATH": "the image sets it",
}
"""Variables that this machine has to set, and why."""
PLAN_REPLACED = {
    "owner": "only root hands volumes to another user",
    "directories": "volumes lie below the test's folder",
    "seeds": "the same, and the image's files lie elsewhere",
    "files": "volumes lie below the test's folder; the door's certificate has another authority",
    "database.paths": "the image's files lie elsewhere",
    "database.configuration": "the same",
    "database.scripts": "the same",
    "database.scratch": "volumes lie below the test's folder",
    "database.warm_up": "the small application has a module of its own",
    "database.release": "the tests try several releases",
    "database.schemas": "the small application has migrations of its own",
}
"""The same for prepare's plan."""

OLD, NEW = "2026.10.1", "2026.11.1"
Schemas = Mapping[str, tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class Done:
    """How a container ended, and what it said."""

    code: int
    lines: list[dict[str, Any]]
    text: str

    def said(self, event: str) -> list[dict[str, Any]]:
        """The lines of one kind."""
        return [line for line in self.lines if line["event"] == event]

    @property
    def reason(self) -> str:
        """Why it stopped."""
        assert self.code == 1, self.text
        (line,) = self.said("failed")
        return str(line["reason"])


@dataclass(frozen=True)
class Room:
    """The database of a stack, its door, and who comes through."""

    server: Server
    door: Door
    authority: str
    folder: Path
    deployed: Deployed
    password: str = PASSWORD
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variables that differ from those of a task."""
    constants: Mapping[str, str] = field(default_factory=dict[str, str])
    """Text of the script → what stands there in this test: shorter waits."""

    @property
    def name(self) -> str:
        """The database."""
        return self.deployed.database

    @property
    def role(self) -> str:
        """The application's role."""
        return self.deployed.role

    @property
    def master(self) -> str:
        """The role that RDS makes."""
        return self.deployed.master

    def start(self, image: Image, release: str, schemas: Schemas) -> subprocess.Popen[str]:
        """The prepare container of a new task, whose volumes are empty."""
        return subprocess.Popen(  # noqa: S603 - the task's command
            self._command(),
            env={**self.container_variables(image, release, schemas), **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def prepare(self, image: Image, release: str, schemas: Schemas) -> Done:
        """The same, to its end."""
        return finished(self.start(image, release, schemas))

    def container_variables(self, image: Image, release: str, schemas: Schemas) -> dict[str, str]:
        """The recorded container's variables, with what ``REPLACED`` and ``ADDED`` list."""
        volumes = Path(tempfile.mkdtemp(prefix="volumes-", dir=self.folder))
        for mount in self.deployed.container("prepare")["mountPoints"]:
            Path(f"{volumes}{mount['containerPath']}").mkdir(parents=True)
        recorded = self.deployed.environment("prepare")
        return {
            **recorded,
            **self.deployed.secrets("prepare", self.password),
            **task_role(),
            "DATABASE_HOST": "localhost",
            "DATABASE_PORT": str(self.door.port),
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

    def but(self, **changes: Any) -> Room:  # noqa: ANN401 - whatever a field holds
        """The same room with something different."""
        return replace(self, **changes)

    def ask(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Rows, as the superuser."""
        return self.server.ask(self.name, query, *values)

    def as_application(self, statement: str) -> list[tuple[object, ...]]:
        """A statement as the application's role; it had logged in."""
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
def rented(server: Server, deployed: Deployed, folder: Path) -> Generator[Room]:
    """The empty database of a stack behind its door, until the block ends."""
    certificate = self_signed("localhost")
    with (
        server.cluster(deployed.master, deployed.database),
        opened(server, certificate, folder, deployed, PASSWORD) as door,
    ):
        yield Room(server, door, certificate.certificate, folder, deployed)


def finished(process: subprocess.Popen[str], seconds: int = SECONDS) -> Done:
    """Wait for a container's end."""
    try:
        text, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Done(process.returncode, [json.loads(line) for line in text.splitlines()], text)
