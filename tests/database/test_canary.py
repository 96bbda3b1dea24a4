"""A word that a person wrote is in no log of a task, of the proxy in front of it and of the database, whatever fails.

For each release in ``releases/`` and the upcoming one: the real Open WebUI as its task runs it, on PostgreSQL with the parameters of
the stack's cluster (``make test-canary``). ``tests/open_webui/test_canary.py`` does the same with the application's own SQLite.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.certificate import self_signed
from local.data.postgres import parameters_known, running
from preflight.sdk.wire import unwrap
from releases.manifest import versions
from tests.database.deployed import Deployed
from tests.database.interface import Services, Task, pythons, reachable_folder, remove
from tests.database.server import VERSION
from tests.database.stack_database import ContainerExit, StackDatabase, finished, stack_database
from tests.database.task_dependencies import cache, uploads
from tests.database.upcoming import known, releases
from tests.open_webui.canary import (
    CANARY,
    PERSON,
    break_postgresql,
    broken_files,
    browser,
    provoke,
    refusing_models,
    sign_in,
)
from tests.proxy import client
from tests.proxy.gateway import SETTINGS, gateway

INSTALLED = pythons()
SECONDS = 900
NEWEST = releases()[-1]
EVERY = list(dict.fromkeys([*versions(), NEWEST]))
UNPROTECTED = "unprotected"
"""The newest release without ``private_log``, on a database with PostgreSQL's own parameters: it shows that the word is sent, that
the failures happen, and that both matter."""
DATA = ("srv/data/uploads", "srv/data/vector_db", "srv/data/cache")
"""Where the application keeps what people write, on purpose."""
GROUP = "aws:rds/clusterParameterGroup:ClusterParameterGroup"

pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason="open-webui is not installed: make test-canary"),
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed: Debian has it"),
]


@dataclass(frozen=True)
class Written:
    """What was written while everything failed, and what was answered."""

    logs: dict[str, str]
    """Every file of the task that is not data, the proxy's log, and what ``prepare`` and the database wrote: name → content."""
    working: dict[str, int]
    """Request → status, with broken files and a failing model."""
    failing: dict[str, int]
    """The same with a failing database as well."""
    tables: list[str]
    """The tables that refused every row."""


@pytest.fixture(scope="module", params=[*EVERY, UNPROTECTED])
def written(request: pytest.FixtureRequest) -> Generator[Written]:
    """Everything that one release writes."""
    protected = request.param != UNPROTECTED
    release = request.param if protected else NEWEST
    stack, lines = known(release).deployed, list[str]()
    with contextlib.ExitStack() as opened:
        folders = [Path(opened.enter_context(tempfile.TemporaryDirectory())) for _ in range(3)]
        # The application's user has to read the certificate.
        folders[0].chmod(0o755)
        root = reachable_folder()
        opened.callback(remove, root)
        server = opened.enter_context(running(VERSION, recorded_parameters(stack) if protected else {}, lines.append))
        database = opened.enter_context(stack_database(server, stack, folders[1]))
        services = Services(
            database,
            opened.enter_context(cache(self_signed("localhost"), folders[0])),
            opened.enter_context(uploads(stack.environment("interface")["S3_BUCKET_NAME"], stack.region)),
            opened.enter_context(refusing_models()),
        )
        python = INSTALLED[known(release).release.images["interface"].version]
        task = Task(services, release, python, root, without="" if protected else "private_log")
        prepared = finished(task.prepare(), SECONDS)
        assert prepared.code == 0, prepared.text
        yield _everything(task, prepared, folders[2], lines)


def recorded_parameters(stack: Deployed) -> dict[str, str]:
    """The stack's parameters of the database that PostgreSQL knows; the others are RDS's."""
    (group,) = stack.recording.of_type(GROUP)
    given = {str(one["name"]): str(one["value"]) for one in unwrap(group.inputs["parameters"])}
    return {name: value for name, value in given.items() if name in parameters_known(VERSION)}


def _everything(task: Task, prepared: ContainerExit, given: Path, lines: list[str]) -> Written:
    database: StackDatabase = task.services.database
    with task.started(prepared) as interface:
        port = int(interface.url.rpartition(":")[2])
        with gateway(SETTINGS, port, self_signed(client.HOST), task.folder) as proxy:
            files, send = broken_files(given), browser(proxy, PERSON)
            status, session = sign_in(send)
            assert status == 200, interface.tail()
            working = provoke(send, session, files)
            tables = break_postgresql(database)
            failing = provoke(send, session, files)
            sign_in(browser(proxy, {**PERSON, "email": f"{CANARY}.2@example.com"}))
        logs = {
            str(file.relative_to(task.folder)): file.read_bytes().decode("utf-8", "replace")
            for file in sorted(task.folder.rglob("*"))
            if file.is_file() and not str(file.relative_to(task.folder)).startswith(DATA)
        }
    return Written({**logs, "prepare": prepared.text, "database": "\n".join(lines)}, working, failing, tables)


def test_the_requests_reach_the_application_and_fail_in_every_way(written: Written) -> None:
    assert written.working["0 /api/v1/chats/new"] == 200
    assert {written.working[name] for name in written.working if name.startswith(CANARY)} <= {500}
    assert written.failing["0 /api/v1/chats/new"] >= 400
    assert sum(status >= 400 for status in written.failing.values()) > sum(s >= 400 for s in written.working.values())
    assert {"chat", "user", "file"} <= set(written.tables)


def test_the_word_is_in_nothing_that_is_written(written: Written, request: pytest.FixtureRequest) -> None:
    found = {name: content.count(CANARY) for name, content in written.logs.items() if CANARY in content}
    if request.node.callspec.params["written"] == UNPROTECTED:
        assert set(found) == {"log", "database"}, "the failures do not write the word: they prove nothing"
    else:
        assert not found


def test_the_logs_say_what_failed(written: Written) -> None:
    assert "UndefinedTable" in written.logs["log"] or "ProgrammingError" in written.logs["log"]
    assert "CheckViolation" in written.logs["log"] or "IntegrityError" in written.logs["log"]
    assert 'violates check constraint "broken"' in written.logs["database"]
