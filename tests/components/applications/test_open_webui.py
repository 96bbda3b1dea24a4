"""The preset's command, environment, user and directories with the real Open WebUI.

Runs where ``open-webui`` is installed (``make test-open-webui``): several gigabytes, and a minute to start.
"""

import base64
import contextlib
import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.applications.presets.open_webui import PRESET
from local.open_webui import package
from local.ports import held_ports
from local.processes import ending
from releases.prompt_settings import TEMPLATES
from releases.prompts import PARAMETERS_VARIABLE
from tests.components.task_fixtures import DEPLOYMENT
from tests.database.task_dependencies import MODEL, models
from tests.open_webui.application import PYTHON, as_the_presets_user, command, prepared

START_SECONDS = 600

TEXTS = {t.variable: f"the text of {name}, about {''.join(t.needs[:1])}" for name, t in TEMPLATES.items()}
PARAMETERS = {"max_tokens": 64, "temperature": 0.5}

pytestmark = pytest.mark.skipif(not PYTHON, reason="open-webui is not installed: make test-open-webui")


@dataclass(frozen=True)
class Running:
    """The application, and where it writes."""

    url: str
    port: int
    pid: int
    root: Path
    log: Path

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers of an answer."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own loopback address
                return answer.status, answer.read().decode("utf-8", "replace"), dict(answer.headers)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode(), dict(refused.headers)

    def sign_in(self, **headers: str) -> dict[str, Any]:
        """The session that the application makes for the proxy's headers."""
        status, text, _ = self.ask("POST", "/api/v1/auths/signin", {"email": "", "password": ""}, **headers)
        assert status == 200, text
        return json.loads(text)


@pytest.fixture(scope="module")
def application() -> Iterator[Running]:
    """Prepare the directories as the task does, then start the preset's command as the preset's user."""
    root = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())  # noqa: S607 - the user must reach it
    root.chmod(0o755)
    log = root / "log"
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, root)
        model_url = stack.enter_context(models())
        (port,) = stack.enter_context(held_ports(0))
        process = subprocess.Popen(  # noqa: S603 - the preset's command
            [*as_the_presets_user(), *command(port)],
            env=prepared(root, model_url, {**TEXTS, PARAMETERS_VARIABLE: json.dumps(PARAMETERS)}),
            cwd="/",
            stdout=stack.enter_context(log.open("wb")),
            stderr=subprocess.STDOUT,
        )
        stack.enter_context(ending(process, 30))
        running = Running(f"http://127.0.0.1:{port}", port, process.pid, root, log)
        _wait(running, process)
        yield running


def _wait(running: Running, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if running.ask("GET", "/health")[0] == 200:
                return
        except OSError:
            time.sleep(1)
    pytest.fail("Open WebUI did not start:\n" + running.log.read_text(errors="replace")[-4000:])


def test_nobody_signs_in_without_the_proxys_header(application: Running) -> None:
    assert application.ask("POST", "/api/v1/auths/signin", {"email": "a@example.com", "password": "x"})[0] == 400
    assert application.ask("POST", "/api/v1/auths/signup", {"name": "a", "email": "a@b.co", "password": "x"})[0] == 403


def test_the_role_header_decides_even_for_the_first_user(application: Running) -> None:
    roles: dict[str, str] = {}
    for name, role in (("J%C3%B6rg", "user"), ("Ada", "admin")):
        session = application.sign_in(x_user_email=f"{role}@example.com", x_user_name=name, x_user_role=role)
        # Earlier versions show the role of before the sign-in in its own answer.
        _, text, _ = application.ask("GET", "/api/v1/auths/", authorization=f"Bearer {session['token']}")
        roles[session["name"]] = json.loads(text)["role"]

    assert roles == {"J\u00f6rg": "user", "Ada": "admin"}


def test_the_first_sign_in_of_a_person_is_not_the_one_of_an_account_that_waits(application: Running) -> None:
    """The page shows what this answer says, until it is loaded again."""
    for number, role in enumerate(("user", "admin")):
        headers = {"x_user_email": f"new-{number}@example.com", "x_user_name": "New", "x_user_role": role}
        assert application.sign_in(**headers)["role"] in {"user", "admin"}


def test_the_session_ends_with_the_edges(application: Running) -> None:
    token = application.sign_in(x_user_email="member@example.com", x_user_name="M", x_user_role="user")["token"]
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))

    assert claims["exp"] - claims["iat"] == DEPLOYMENT.session_seconds


def test_the_session_cookie_is_for_https_only_and_closed_to_scripts(application: Running) -> None:
    _, _, headers = application.ask(
        "POST", "/api/v1/auths/signin", {"email": "", "password": ""}, x_user_email="m@example.com", x_user_role="user"
    )
    cookie = headers["set-cookie"].split("; ")

    assert cookie[0].startswith("token=")
    assert {"HttpOnly", "Secure"} <= set(cookie)


def test_every_member_sees_the_declared_model(application: Running) -> None:
    token = application.sign_in(x_user_email="member@example.com", x_user_name="M", x_user_role="user")["token"]
    _, text, _ = application.ask("GET", "/api/models", authorization=f"Bearer {token}")

    assert [model["id"] for model in json.loads(text)["data"]] == [MODEL]


CONFIGURATION = {
    "/api/v1/tasks/config": (
        *("AUTOCOMPLETE_GENERATION_PROMPT_TEMPLATE", "FOLLOW_UP_GENERATION_PROMPT_TEMPLATE"),
        *("IMAGE_PROMPT_GENERATION_PROMPT_TEMPLATE", "QUERY_GENERATION_PROMPT_TEMPLATE"),
        *("TAGS_GENERATION_PROMPT_TEMPLATE", "TITLE_GENERATION_PROMPT_TEMPLATE"),
        *("TOOLS_FUNCTION_CALLING_PROMPT_TEMPLATE", "VOICE_MODE_PROMPT_TEMPLATE"),
    ),
    "/api/v1/retrieval/config": ("RAG_TEMPLATE",),
    "/api/v1/configs/code_execution": ("CODE_INTERPRETER_PROMPT_TEMPLATE",),
}
"""Where the application shows an administrator what it runs with."""


def test_the_releases_texts_and_parameters_are_in_force(application: Running) -> None:
    session = application.sign_in(x_user_email="ada@example.com", x_user_name="Ada", x_user_role="admin")
    bearer = f"Bearer {session['token']}"
    for path, variables in CONFIGURATION.items():
        status, text, _ = application.ask("GET", path, authorization=bearer)
        assert (path, status) == (path, 200)
        found = json.loads(text)
        assert {name: found[name] for name in variables} == {name: TEXTS[name] for name in variables}
    _, text, _ = application.ask("GET", "/api/v1/configs/models", authorization=bearer)
    assert json.loads(text)["DEFAULT_MODEL_PARAMS"] == PARAMETERS


def test_every_template_is_one_that_the_application_reads(application: Running) -> None:
    source = next(Path(PYTHON).parents[1].glob("lib*/python*/site-packages/open_webui/config.py")).read_text()
    assert [name for name in (*TEXTS, PARAMETERS_VARIABLE) if f"os.getenv('{name}'" not in source] == []


def test_the_lock_for_removing_sessions_is_renewed_before_it_expires() -> None:
    """Otherwise nothing removes the sessions of lost tasks, and the preset would have to make the lock last longer."""
    source = (package(PYTHON) / "socket" / "main.py").read_text(encoding="utf-8")
    intervals = re.findall(r"^ +renew_interval = (.*)$", source, re.MULTILINE)
    assert intervals
    assert set(intervals) == {"max(WEBSOCKET_REDIS_LOCK_TIMEOUT / 2, 0.5)"}
    assert "WEBSOCKET_REDIS_LOCK_TIMEOUT" not in PRESET.application(DEPLOYMENT).environment


def test_pages_and_static_files_are_there_and_nothing_is_compressed(application: Running) -> None:
    for path in ("/", "/static/favicon.png", "/static/loader.js"):
        status, _, headers = application.ask("GET", path, accept_encoding="gzip, br")

        assert (path, status) == (path, 200)
        assert "content-encoding" not in {name.lower() for name in headers}


def test_it_listens_on_loopback_only(application: Running) -> None:
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if line.split()[3] == "0A"]
    everywhere = [
        line.split()[1] for line in Path("/proc/net/tcp6").read_text().splitlines() if line.split()[3] == "0A"
    ]
    port = f"{application.port:04X}"

    assert [address for address in listening if address.endswith(f":{port}")] == [f"0100007F:{port}"]
    assert not [address for address in everywhere if address.endswith(f":{port}")]


def test_its_log_holds_no_request_and_no_address(application: Running) -> None:
    application.ask("GET", "/api/config?canary=do-not-log-me", cookie="canary=do-not-log-me")
    application.sign_in(x_user_email="canary@example.com", x_user_name="Canary", x_user_role="user")

    log = application.log.read_text(errors="replace")
    assert "do-not-log-me" not in log
    assert "canary@example.com" not in log
