"""A word that a person wrote is in no log of the real Open WebUI and of the proxy in front of it, whatever fails.

Runs where ``open-webui`` is installed (``make test-canary``, and ``make test-open-webui`` for
staging's release), for the version that is installed there.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.certificate import self_signed
from local.ports import held_ports
from local.processes import ending
from tests.open_webui.application import PYTHON, as_the_presets_user, command, prepared
from tests.open_webui.canary import (
    CANARY,
    PERSON,
    break_database,
    broken_files,
    browser,
    provoke,
    refusing_models,
    sign_in,
)
from tests.proxy import client
from tests.proxy.gateway import SETTINGS, Gateway, gateway

START_SECONDS = 600
DATABASE = "srv/data/webui.db"
DATA = (DATABASE, "srv/data/uploads", "srv/data/vector_db", "srv/data/cache")
"""Where the application keeps what people write, on purpose."""

pytestmark = pytest.mark.skipif(not PYTHON, reason="open-webui is not installed: make test-open-webui")


@dataclass(frozen=True)
class Written:
    """What was written while everything failed, and what was answered."""

    logs: dict[str, str]
    """The application's output, the proxy's log, and every other file that is not data: path → content."""
    working: dict[str, int]
    """Request → status, with broken files and a failing model."""
    failing: dict[str, int]
    """The same with a failing database as well."""
    stranger: int
    """The status of a first sign-in with the failing database."""


@pytest.fixture(scope="module", params=[True, False], ids=["as the preset starts it", "without private_log"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Written]:
    """The second way to start it shows that the word is sent and that the failures happen."""
    root = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())  # noqa: S607 - the user must reach it
    root.chmod(0o755)
    given = tmp_path_factory.mktemp("given")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, root)
        model = stack.enter_context(refusing_models())
        (port,) = stack.enter_context(held_ports(0))
        started = command(port)
        if not request.param:
            started.remove("private_log")
        environment = {
            **prepared(root, model, {}),
            "RAG_EMBEDDING_ENGINE": "openai",
            "RAG_OPENAI_API_BASE_URL": f"{model}/v1",
        }
        log = root / "log"
        process = subprocess.Popen(  # noqa: S603 - the preset's command
            [*as_the_presets_user(), *started],
            env=environment,
            cwd="/",
            stdout=stack.enter_context(log.open("wb")),
            stderr=subprocess.STDOUT,
        )
        stack.enter_context(ending(process, 30))
        _wait(port, process, log)
        proxy = stack.enter_context(gateway(SETTINGS, port, self_signed(client.HOST), root))
        yield _everything(root, proxy, given)


def _everything(root: Path, proxy: Gateway, given: Path) -> Written:
    files, send = broken_files(given), browser(proxy, PERSON)
    status, session = sign_in(send)
    assert status == 200, (root / "log").read_text(errors="replace")[-4000:]
    working = provoke(send, session, files)
    break_database(root / DATABASE)
    failing = provoke(send, session, files)
    stranger, _ = sign_in(browser(proxy, {**PERSON, "email": f"{CANARY}.2@example.com"}))
    logs = {
        str(file.relative_to(root)): file.read_bytes().decode("utf-8", "replace")
        for file in sorted(root.rglob("*"))
        if file.is_file() and not str(file.relative_to(root)).startswith(DATA)
    }
    return Written(logs, working, failing, stranger)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
        except OSError:
            time.sleep(1)
        else:
            return
    pytest.fail("Open WebUI did not start:\n" + log.read_text(errors="replace")[-4000:])


def test_the_requests_reach_the_application_and_fail_in_every_way(written: Written) -> None:
    assert written.working["0 /api/v1/chats/new"] == 200
    assert {written.working[name] for name in written.working if name.startswith(CANARY)} <= {500}
    assert sum(status >= 400 for status in written.failing.values()) > sum(s >= 400 for s in written.working.values())
    assert written.failing["0 /api/v1/chats/new"] >= 400
    assert written.stranger >= 400
    assert len(written.logs["log"].splitlines()) > 100


def test_the_word_is_in_nothing_that_is_written(written: Written, request: pytest.FixtureRequest) -> None:
    found = {path: content.count(CANARY) for path, content in written.logs.items() if CANARY in content}
    if request.node.callspec.id == "without private_log":
        assert set(found) == {"log"}, "the failures do not write the word: they prove nothing"
    else:
        assert not found


@pytest.mark.parametrize("written", [True], ids=["as the preset starts it"], indirect=True)
def test_the_log_says_what_failed_and_where(written: Written) -> None:
    log = written.logs["log"]
    assert "IntegrityError" in log
    assert "OperationalError" in log
    assert "open_webui/routers/chats.py:" in log
    proxied = [
        json.loads(line) for line in next(t for n, t in written.logs.items() if n.startswith("envoy")).splitlines()
    ]
    assert {line["status"] for line in proxied} >= {200, 400, 500}
