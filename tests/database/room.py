"""Run ``prepare`` as its container runs it, against a database of the test's own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from components.prepare import DATABASE, PLAN_VARIABLE, packed, sources
from tests.database.application import Image
from tests.database.door import Door, task_role
from tests.database.server import MASTER, Server

PASSWORD = "p@ss/w:rd %41 \"quoted\" 'single'"
"""The master's. Such characters must survive every address and stay out of every line."""
SECONDS = 120
"""For the small application; a real one takes longer where a machine is busy."""

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
    """A database, its door, and who comes through."""

    server: Server
    door: Door
    authority: str
    folder: Path
    name: str
    role: str
    password: str = PASSWORD
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variables that differ from those of a task."""
    constants: Mapping[str, str] = field(default_factory=dict[str, str])
    """Text of the script → what stands there in this test: shorter waits."""

    def start(self, image: Image, release: str, schemas: Schemas) -> subprocess.Popen[str]:
        """The prepare container of a task."""
        trust = self.folder / "trust" / "database.pem"
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        plan = {
            "owner": [1000, 1000],
            "directories": [],
            "files": {str(trust): self.authority},
            "database": {**image.database(), "release": release, "schemas": schemas, "scratch": str(scratch)},
        }
        variables = {
            **task_role(),
            "DATABASE_HOST": "localhost",
            "DATABASE_PORT": str(self.door.port),
            "DATABASE_NAME": self.name,
            "DATABASE_USER": self.role,
            "DATABASE_MASTER_USER": MASTER,
            "DATABASE_MASTER_PASSWORD": self.password,
            "PATH": "/usr/bin:/bin",
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(trust),
            "PYTHONDONTWRITEBYTECODE": "1",
            PLAN_VARIABLE: json.dumps(plan),
            **self.variables,
        }
        return subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", "-c", self._script()],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def prepare(self, image: Image, release: str, schemas: Schemas) -> Done:
        """The same, to its end."""
        return finished(self.start(image, release, schemas))

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

    def _script(self) -> str:
        texts = sources(DATABASE)
        for old, new in self.constants.items():
            assert [text for text in texts.values() if old in text], old
            texts = {name: text.replace(old, new) for name, text in texts.items()}
        return packed(texts)


def finished(process: subprocess.Popen[str], seconds: int = SECONDS) -> Done:
    """Wait for a container's end."""
    try:
        text, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Done(process.returncode, [json.loads(line) for line in text.splitlines()], text)
