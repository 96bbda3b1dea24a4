"""The scripts of the job that commits the record, run with real git, openssl and curl."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

ROOT = Path(__file__).resolve().parents[1]
APP, TOKEN = "1234", "planted-token-of-the-app"
FILE = "releases/deployed.yaml"
ENTRY = '{"release": "2026.11.1"}'


def step(name: str) -> dict[str, Any]:
    """A step of the job."""
    job = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8"))["jobs"]["record"]
    return next(step for step in job["steps"] if step.get("name") == name)


# -- the app's token ---------------------------------------------------------------------------------------------------


class App:
    """GitHub's two endpoints for an app, which verify the app's JWT."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.claims: dict[str, Any] = {}
        self.wanted: dict[str, Any] = {}
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                right = app.verified(self.headers["Authorization"])
                self.say({"id": 55} if right and self.path == "/repos/example/ai-interface/installation" else {})

            def do_POST(self) -> None:
                right = app.verified(self.headers["Authorization"])
                app.wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.say({"token": TOKEN} if right and self.path == "/app/installations/55/access_tokens" else {})

            def say(self, content: dict[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(200 if content else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                del format, args

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def pem(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()

    def verified(self, authorization: str) -> bool:
        """Whether the JWT is signed by the app's key."""
        header, claims, signature = authorization.removeprefix("Bearer ").split(".")
        public = self.key.public_key()
        try:
            public.verify(decoded(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        self.claims = json.loads(decoded(claims))
        return json.loads(decoded(header)) == {"alg": "RS256", "typ": "JWT"}


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    made = App()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()


def token(app: App, output: Path, key: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "APP_ID": APP,
        "APP_KEY": key,
        "GITHUB_API_URL": f"http://127.0.0.1:{app.server.server_port}",
        "GITHUB_REPOSITORY": "example/ai-interface",
        "GITHUB_OUTPUT": str(output),
    }
    return bash(step("Get a token of the app that commits the record"), output.parent, environment)


def bash(of: dict[str, Any], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """As a runner does: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax (shell)."""
    options = {None: ["-e"], "bash": ["--noprofile", "--norc", "-eo", "pipefail"]}[of.get("shell")]
    return subprocess.run(  # noqa: S603
        ["/bin/bash", *options, "-c", of["run"]],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_apps_token_is_for_this_repository_and_its_contents_only(app: App, tmp_path: Path) -> None:
    done = token(app, tmp_path / "output", app.pem)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output").read_text(encoding="utf-8") == f"token={TOKEN}\n"
    assert app.wanted == {"repositories": ["ai-interface"], "permissions": {"contents": "write"}}
    assert app.claims["iss"] == APP
    assert app.claims["exp"] - app.claims["iat"] == 600
    shown = [line for line in done.stdout.splitlines() if not line.startswith("::add-mask::")]
    assert shown == []
    assert f"::add-mask::{TOKEN}" in done.stdout


def test_without_the_apps_key_the_step_fails(app: App, tmp_path: Path) -> None:
    assert token(app, tmp_path / "output", "no key").returncode != 0
    assert not (tmp_path / "output").exists()


# -- the commit --------------------------------------------------------------------------------------------------------


class Remote:
    """A bare repository, a clone with the job's tools, and what the job printed."""

    def __init__(self, folder: Path) -> None:
        self.bare, self.clone, self.summary = folder / "bare.git", folder / "clone", folder / "summary"
        git(folder, "init", "--quiet", "--bare", "--initial-branch", "main", str(self.bare))
        git(folder, "clone", "--quiet", str(self.bare), str(self.clone))
        (self.clone / FILE).parent.mkdir()
        (self.clone / FILE).write_text("deployments:\n", encoding="utf-8")
        (self.clone / ".gitignore").write_text(".venv/\n", encoding="utf-8")
        git(self.clone, "add", "-A")
        git(
            self.clone, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message", "first"
        )
        git(self.clone, "push", "--quiet", "origin", "HEAD:main")
        tools = folder / "bin"
        tools.mkdir()
        self.tools = tools
        program(tools / "gh", "exit 0")
        (self.clone / ".venv/bin").mkdir(parents=True)
        program(self.clone / ".venv/bin/python", f'test "$6" = "--entry" && echo "  - $7" >> {FILE}')

    def refuse(self, pattern: str) -> None:
        """Refuse pushes to branches, as a rule does."""
        program(self.bare / "hooks/update", f'case "$1" in {pattern}) echo "protected branch" >&2; exit 1;; esac')

    def run(self) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.tools}:/usr/bin:/bin",
            "HOME": str(self.clone.parent),
            "STACK": "staging",
            "RELEASE": "2026.11.1",
            "ENTRY": ENTRY,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "example/ai-interface",
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }
        return bash(step("Record the release"), self.clone, environment)

    def at(self, branch: str) -> str:
        return git(self.bare, "show", f"{branch}:{FILE}")

    def branches(self) -> list[str]:
        return git(self.bare, "for-each-ref", "--format", "%(refname:short)").split()


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603, S607
    return done.stdout


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path)


def test_the_entry_is_committed_on_main_if_the_rules_allow_it(remote: Remote) -> None:
    done = remote.run()
    assert done.returncode == 0, done.stderr
    assert remote.at("main") == f"deployments:\n  - {ENTRY}\n"
    assert remote.branches() == ["main"]


def test_where_main_is_protected_the_entry_becomes_a_branch_to_merge(remote: Remote) -> None:
    remote.refuse("refs/heads/main")
    done = remote.run()
    assert done.returncode == 0, done.stderr
    assert remote.at("main") == "deployments:\n"
    assert remote.at("record/staging-2026.11.1") == f"deployments:\n  - {ENTRY}\n"
    url = "https://github.com/example/ai-interface/compare/main...record/staging-2026.11.1?expand=1"
    assert (
        f"::warning::release 2026.11.1 runs on staging. Merge its entry before the next deployment: {url}"
        in done.stdout
    )
    assert url in remote.summary.read_text(encoding="utf-8")


def test_a_record_that_no_branch_accepts_fails_the_job_with_the_entry(remote: Remote) -> None:
    remote.refuse("*")
    done = remote.run()
    assert done.returncode == 1
    assert (
        f"::error::release 2026.11.1 runs on staging and is not recorded: commit this entry with preflight release record: {ENTRY}"
        in done.stdout
    )
