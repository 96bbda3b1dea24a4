"""The real Open WebUI as a task runs it: the ``prepare`` container, then the application as its user."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from components.applications.open_webui_data import TRUST
from components.prepare import PLAN_VARIABLE
from local.data.postgres import USER
from local.open_webui import package
from local.ports import held_ports
from local.processes import ending
from tests.database.deployed import Deployed
from tests.database.rds_login import task_role
from tests.database.stack_database import ContainerExit, Schemas, StackDatabase
from tests.database.task_dependencies import MODEL, Cache, Uploads
from tests.database.upcoming import known

START_SECONDS = 900
OWNER = USER if os.getuid() == 0 else os.getuid()

REPLACED = {
    "DATABASE_HOST": "the test database listens on loopback",
    "DATABASE_PORT": "the test database uses a free port",
    "OPENAI_API_BASE_URLS": "the test model listens on loopback",
    "REDIS_URL": "the test cache listens on loopback and has another password",
}
"""Variables of the recorded containers that the tests replace, and why. In the others, only paths of the image and of
volumes differ."""
ADDED = {
    "AWS_ACCESS_KEY_ID": "Fargate serves the task role's credentials at a link-local address",
    "AWS_ENDPOINT_URL_S3": "the bucket is on loopback",
    "AWS_SECRET_ACCESS_KEY": "Fargate serves the task role's credentials at a link-local address",
    "FRONTEND_BUILD_DIR": "the package and the image keep the frontend in different folders",
    "PATH": "the image sets it",
    "SSL_CERT_FILE": "the image trusts public authorities; the test cache has a self-signed certificate",
    "TMPDIR": "the task's volume is below the test's folder",
}
"""Variables that a machine without AWS has to add, and why."""


def pythons() -> dict[str, str]:
    """Version of Open WebUI → interpreter, from ``OPEN_WEBUI_PYTHONS=0.11.4=/a/python,0.12.4=/b/python``."""
    return dict(one.split("=", 1) for one in os.environ.get("OPEN_WEBUI_PYTHONS", "").split(",") if one)


@dataclass(frozen=True)
class Services:
    """The services that a task uses."""

    database: StackDatabase
    cache: Cache
    uploads: Uploads
    model_url: str


@dataclass(frozen=True)
class Task:
    """A task of one release, as staging registers it, with its files below ``folder``."""

    services: Services
    release: str
    python: str
    folder: Path
    schemas: Schemas | None = None
    """Replaces the releases' schemas in the plan. ``None``: as recorded."""
    without: str = ""
    """An argument of the application's command that is left out, to show what it does."""

    @cached_property
    def deployed(self) -> Deployed:
        """Staging with the release."""
        return known(self.release).deployed

    @cached_property
    def package(self) -> Path:
        """The folder of the application's package."""
        return package(self.python)

    def prepare(self) -> subprocess.Popen[str]:
        """Start the prepare container, with its volumes."""
        for mount in self.deployed.container("prepare")["mountPoints"]:
            Path(self._moved(mount["containerPath"])).mkdir(parents=True, exist_ok=True)
        return subprocess.Popen(  # noqa: S603 - the task's command
            self.deployed.command("prepare", self.python),
            env=self.variables("prepare"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @contextlib.contextmanager
    def started(self, prepared: ContainerExit) -> Generator[Interface]:
        """The application, running as its unprivileged user, until the block ends."""
        command = [one for one in self.deployed.command("interface", self.python) if one != self.without]
        user = ["setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups", "--bounding-set=-all", "--"]
        log = self.folder / "log"
        with held_ports(0) as (port,), log.open("wb") as output:
            command[command.index("--port") + 1] = str(port)
            process = subprocess.Popen(  # noqa: S603 - the task's command
                [*(user if os.getuid() == 0 else []), *command],
                env=self.variables("interface"),
                cwd="/",
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            with ending(process, 60):
                interface = Interface(f"http://127.0.0.1:{port}", log, prepared)
                interface.wait(process)
                yield interface

    def variables(self, name: str) -> dict[str, str]:
        """A recorded container's variables, with the changes in ``REPLACED`` and ``ADDED`` and with local paths."""
        recorded = self.deployed.environment(name)
        variables = {key: self._moved(value) for key, value in recorded.items() if key != PLAN_VARIABLE}
        if PLAN_VARIABLE in recorded:
            variables[PLAN_VARIABLE] = json.dumps(self._plan())
        variables |= self.deployed.secrets(name, self.services.database.password)
        here = {
            "DATABASE_HOST": "localhost",
            "DATABASE_PORT": str(self.services.database.login.port),
            "OPENAI_API_BASE_URLS": f"{self.services.model_url}/v1",
            "REDIS_URL": self.services.cache.url,
        }
        return {
            **variables,
            **{key: value for key, value in here.items() if key in variables},
            **task_role(),
            "AWS_ENDPOINT_URL_S3": self.services.uploads.url,
            "FRONTEND_BUILD_DIR": str(self.package / "frontend"),
            "PATH": "/usr/bin:/bin",
            "SSL_CERT_FILE": str(self.services.cache.authority),
            "TMPDIR": self._moved("/tmp"),  # noqa: S108 - the task's own volume
        }

    def _plan(self) -> dict[str, Any]:
        plan = self.deployed.plan
        plan["files"] = {**plan["files"], TRUST: self.services.database.authority}
        plan["owner"] = plan["owner"] if os.getuid() == 0 else [os.getuid(), os.getgid()]
        if self.schemas is not None:
            plan["database"]["schemas"] = self.schemas
        return self._moved(plan)

    def _moved(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """The value with each path of the image or of a volume replaced by the local path."""
        if isinstance(value, dict):
            items = cast("dict[str, Any]", value).items()
            return {self._moved(key): self._moved(one) for key, one in items}
        if isinstance(value, list | tuple):
            return [self._moved(one) for one in cast("list[Any]", value)]
        if isinstance(value, str):
            if value == "/app/backend" or value.startswith("/app/backend/open_webui"):
                return value.replace("/app/backend", str(self.package.parent), 1)
            if value.startswith(("/home/app", "/srv/", "/tmp")):  # noqa: S108 - the task's own volumes
                return f"{self.folder}{value}"
        return value


@dataclass(frozen=True)
class Interface:
    """A running application."""

    url: str
    log: Path
    prepared: ContainerExit

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:  # noqa: ANN401 - JSON
        """Send a request and return the JSON body of the response."""
        return json.loads(self.read(method, path, body, **headers) or b"null")

    def content(self, file: str, **session: str) -> bytes:
        """Download an uploaded file."""
        return self.read("GET", f"/api/v1/files/{file}/content", **session)

    def read(self, method: str, path: str, body: object = None, **headers: str) -> bytes:
        """Send a request and return the body of the response."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            self.url + path,
            method=method,
            data=body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own loopback address
                return answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                raise AssertionError(f"{method} {path}: {refused.code} {refused.read()!r}\n{self.tail()}") from None

    def sign_in(self, name: str = "ann", role: str = "user") -> dict[str, str]:
        """Sign in with the proxy's trusted headers and return the session's header."""
        session = self.ask(
            "POST",
            "/api/v1/auths/signin",
            {"email": "", "password": ""},
            x_user_email=f"{name}@example.com",
            x_user_name=name,
            x_user_role=role,
        )
        return {"authorization": f"Bearer {session['token']}"}

    def write(self, title: str, **session: str) -> str:
        """Create a chat and return its id."""
        message: dict[str, object] = {
            "id": "1",
            "parentId": None,
            "childrenIds": [],
            "role": "user",
            "content": title,
            "timestamp": 1,
        }
        chat: dict[str, object] = {
            "title": title,
            "models": [MODEL],
            "messages": [message],
            "history": {"messages": {"1": message}, "currentId": "1"},
        }
        return self.ask("POST", "/api/v1/chats/new", {"chat": chat}, **session)["id"]

    def upload(self, name: str, content: bytes, **session: str) -> str:
        """Upload a file as the browser does, without indexing it in the vector store, and return its id."""
        form = (
            f'--b\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\ncontent-type: text/plain\r\n\r\n'
        )
        body = form.encode() + content + b"\r\n--b--\r\n"
        headers = {"content_type": "multipart/form-data; boundary=b", **session}
        return self.ask("POST", "/api/v1/files/?process=false", body, **headers)["id"]

    @contextlib.contextmanager
    def listening(self) -> Generator[None]:
        """A browser's WebSocket, open until the block ends."""
        port = int(self.url.rpartition(":")[2])
        lines = [
            "GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1",
            f"host: 127.0.0.1:{port}",
            "connection: upgrade",
            "upgrade: websocket",
            "sec-websocket-version: 13",
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            received = b""
            # Engine.IO's first packet: "0" and the session as JSON.
            while b'0{"sid"' not in received:
                more = connection.recv(65536)
                assert more, received
                received += more
            assert received.startswith(b"HTTP/1.1 101 ")
            yield

    def titles(self, **session: str) -> list[str]:
        """The titles of all chats."""
        return sorted(chat["title"] for chat in self.ask("GET", "/api/v1/chats/?page=1", **session))

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the application answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError, AssertionError):
                self.ask("GET", "/health")
                return
            time.sleep(1)
        raise AssertionError(f"Open WebUI did not start ({process.poll()}):\n{self.tail()}")

    def tail(self) -> str:
        """The end of the application's log."""
        return self.log.read_text(errors="replace")[-6000:]


def reachable_folder() -> Path:
    """A folder that the application's user can read, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="task-"))
    folder.chmod(0o755)
    return folder


def remove(folder: Path) -> None:
    """Delete a task's folder with everything that the application wrote."""
    shutil.rmtree(folder)
