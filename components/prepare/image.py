"""Run the application's code from its image: the migrations as the owner, and a first start as the application.

Each runs in a separate process. Its output is discarded, and only the type and the source location of an error are
reported, because the text of a failed migration can contain users' data.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from components.prepare.names import owner_of
from components.prepare.report import PrepareError, report

if TYPE_CHECKING:
    from components.prepare.database import Database

MIGRATION_SECONDS = 1800
"""Timeout for all migrations of a release together, in seconds."""
STATEMENT_SECONDS = 900
"""Timeout for one statement of a migration, in seconds."""
TABLE_LOCK_SECONDS = 10
"""Seconds that a migration waits for a table in use. Every later query on the table waits behind it."""
ATTEMPTS = 6
"""How often a migration tries to lock its tables."""
LOCK_NOT_AVAILABLE = "55P03"

# The child's own output is discarded; the parent reads one line of JSON.
_CHILD = """
import json, os, sys, traceback
out = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
os.dup2(1, 2)
sys.path[:0] = json.loads(sys.argv[1])

def described(problem):
    code = getattr(problem, "sqlstate", None) or getattr(problem, "pgcode", None)
    diag = getattr(problem, "diag", None)
    names = [getattr(diag, name + "_name", None) for name in ("table", "column", "constraint")]
    # Without a code the connection failed, and an ImportError names a module: neither text contains users' data.
    plain = isinstance(problem, ImportError) or (type(problem).__name__ == "OperationalError" and diag and not code)
    return {
        "kind": type(problem).__name__,
        "code": code,
        "names": [name for name in names if name],
        "text": str(problem).strip() if plain else "",
        "places": places(traceback.extract_tb(problem.__traceback__)),
    }

def places(frames):
    own = [frame for frame in frames if frame.filename.startswith(sys.argv[2])]
    return [os.path.basename(frame.filename) + ":" + str(frame.lineno) for frame in own or frames][-4:]

try:
    {body}
except BaseException as problem:
    chain = []
    while problem is not None and len(chain) < 4:
        chain.append(described(problem))
        problem = problem.__cause__ or problem.__context__
    os.write(out, json.dumps(chain).encode())
    os._exit(1)
os._exit(0)
"""

_MIGRATE = """
    from alembic import command
    from alembic.config import Config
    config = Config(sys.argv[3])
    config.set_main_option("script_location", sys.argv[4].replace("%", "%%"))
    command.upgrade(config, "head")
"""

_WARM_UP = """
    import importlib
    for name in sys.argv[3:]:
        importlib.import_module(name)
"""


@dataclass(frozen=True)
class Failure:
    """The reason why a child process ended."""

    text: str
    codes: frozenset[str]
    """PostgreSQL's error codes, including those of the causes."""


@dataclass(frozen=True)
class Application:
    """The application's code in this image, and the variables that it runs with."""

    database: Database
    environment: Mapping[str, str]
    """The container's variables without the master's secret."""
    scratch: Path
    """A directory that this container may write."""

    @property
    def _plan(self) -> Mapping[str, Any]:
        return self.database.plan

    def migrate(self) -> None:
        """Run every migration that is missing, as the owner of the schema."""
        owner = owner_of(self.database.role)
        for attempt in range(1, ATTEMPTS + 1):
            failure = self._run(
                _MIGRATE,
                [self._plan["configuration"], self._plan["scripts"]],
                {
                    # These variables would make the migrations log in as the application instead of the owner.
                    **dict.fromkeys((name for name in self.environment if name.startswith("DATABASE_")), ""),
                    "DATABASE_URL": self._address(self.database.master),
                    "PGAPPNAME": "prepare migrations",
                    "PGOPTIONS": f"-c role={owner} -c lock_timeout={TABLE_LOCK_SECONDS}s"
                    f" -c statement_timeout={STATEMENT_SECONDS}s",
                    "PGPASSWORD": self.database.password,
                },
            )
            if failure is None:
                return
            if LOCK_NOT_AVAILABLE not in failure.codes or attempt == ATTEMPTS:
                raise PrepareError(f"a migration failed and was rolled back: {failure.text}")
            report("waiting", reason="a migration found a table in use", attempt=attempt)

    def warm_up(self) -> None:
        """Import modules with the application's login; they create their tables in the database when imported."""
        modules = list(self._plan["warm_up"])
        if not modules:
            return
        failure = self._run(_WARM_UP, modules, {"PGAPPNAME": "prepare first start"})
        if failure is not None:
            raise PrepareError(f"the application's first start as role {self.database.role} failed: {failure.text}")
        report("warmed up", modules=modules)

    def _address(self, user: str) -> str:
        database = self.database
        return f"postgresql://{quote(user, safe='')}@{database.host}:{database.port}/{quote(database.name, safe='')}"

    def _run(self, body: str, arguments: list[str], variables: dict[str, str]) -> Failure | None:
        """The reason why the child failed; ``None`` if it succeeded."""
        # The path to import from; source locations below it are the application's.
        code = [json.dumps(self._plan["paths"]), str(Path(self._plan["configuration"]).parent)]
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            own = dict.fromkeys(("HOME", "TMPDIR", *self._plan["scratch_variables"]), folder)
            try:
                done = subprocess.run(  # noqa: S603 - this image's interpreter and our own code
                    [sys.executable, "-I", "-c", _CHILD.replace("{body}", body.strip()), *code, *arguments],
                    env={**self.environment, **own, **variables},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    timeout=MIGRATION_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return Failure(f"not finished within {MIGRATION_SECONDS} s", frozenset())
        return None if done.returncode == 0 else _failure(done.stdout, done.returncode)


def _failure(told: bytes, code: int) -> Failure:
    try:
        chain = json.loads(told)
    except ValueError:
        return Failure(f"it ended with exit code {code} and no reason (-9: it needed more memory)", frozenset())
    return Failure(
        ", caused by ".join(_sentence(problem) for problem in chain),
        frozenset(problem["code"] for problem in chain if problem["code"]),
    )


def _sentence(problem: Mapping[str, Any]) -> str:
    facts = [
        *([problem["code"]] if problem["code"] else []),
        *problem["names"],
        *([problem["text"]] if problem["text"] else []),
    ]
    return f"{problem['kind']}{' (' + ', '.join(facts) + ')' if facts else ''} at {' > '.join(problem['places'])}"
