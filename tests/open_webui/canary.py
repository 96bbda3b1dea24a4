"""A word that is in everything a person gives the application, and requests that fail with it.

``provoke`` sends it where a failure is near: files that cannot be read, a model's server that refuses and repeats what it got, and a
database whose tables refuse every row.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Generator, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from tests.database.stack_database import StackDatabase
from tests.database.task_dependencies import MODEL
from tests.proxy.gateway import Gateway

CANARY = "canary7f3a9c"
BROKEN = ("pdf", "docx", "xlsx", "xls", "pptx", "msg", "eml", "xml", "csv")
"""Formats with a separate loader, and ``csv``."""
PERSON = {"sub": "1", "email": f"{CANARY}@example.com", "name": CANARY}
"""The claims of the person who signs in."""
READ_SECONDS = 120
"""How long the application may take to read a file."""


class _Refusing(BaseHTTPRequestHandler):
    """A model's server that lists its model and answers everything else with what it was asked."""

    def do_GET(self) -> None:
        self._answer(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        if '"stream":true' in asked.replace(" ", ""):
            part = {"choices": [{"index": 0, "delta": {"content": CANARY}}]}
            lines = [
                json.dumps(part),
                json.dumps({"error": {"message": f"refused: {asked}", "code": 400}}),
                f"{{{asked}",
            ]
            body = "".join(f"data: {line}\n\n" for line in lines).encode()
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            # More than is sent, so that the answer also ends too early.
            self.send_header("content-length", str(len(body) + 10))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True
        else:
            self._answer(500, {"error": {"message": f"refused: {asked}"}})

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@contextlib.contextmanager
def refusing_models() -> Generator[str]:
    """The URL of such a server, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Browser(Protocol):
    """Sends a request of the signed-in person and returns status and content of the answer; 0 if it ended too early."""

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes = ..., /) -> tuple[int, bytes]:
        """Send it."""
        ...


def browser(proxy: Gateway, claims: Mapping[str, str]) -> Browser:
    """A browser in front of a proxy, signed in with these claims."""

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, bytes]:
        try:
            answer = proxy.send(method, path, list(headers.items()), body, claims=claims)
        except (OSError, ValueError):
            return 0, b""
        return answer.status, answer.body

    return send


def sign_in(send: Browser) -> tuple[int, dict[str, str]]:
    """The status of the application's answer to the proxy's headers, and the headers of later requests."""
    body = json.dumps({"email": "", "password": ""}).encode()
    status, answer = send("POST", "/api/v1/auths/signin", JSON, body)
    return status, {"cookie": f"token={json.loads(answer)['token']}"} if status == 200 else {}


def _chat(title: str) -> dict[str, Any]:
    message: dict[str, Any] = {"id": "1", "role": "user", "content": CANARY, "childrenIds": [], "parentId": None}
    return {
        "chat": {
            "title": title,
            "models": [MODEL],
            "history": {"currentId": "1", "messages": {"1": message}},
            "messages": [message],
        }
    }


def _completion(*, stream: bool) -> dict[str, Any]:
    return {"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": CANARY}]}


POSTS: dict[str, dict[str, Any]] = {
    "/api/v1/chats/new": _chat(CANARY),
    "/api/v1/chats/import": {"chats": [_chat(CANARY)]},
    "/api/v1/folders/": {"name": CANARY},
    "/api/v1/notes/create": {"title": CANARY, "data": {"content": {"md": CANARY}}},
    "/api/v1/memories/add": {"content": CANARY},
    "/api/v1/prompts/create": {"command": CANARY, "name": CANARY, "title": CANARY, "content": CANARY},
    "/api/v1/knowledge/create": {"name": CANARY, "description": CANARY},
    "/api/v1/evaluations/feedback": {"type": "rating", "data": {"comment": CANARY, "model_id": MODEL}, "meta": {}},
    "/api/v1/users/user/settings/update": {"ui": {"system": CANARY}},
    "/api/v1/auths/update/profile": {"name": CANARY, "profile_image_url": "", "bio": CANARY},
    "/api/v1/tasks/title/completions": {"model": MODEL, "messages": [{"role": "user", "content": CANARY}]},
    "/api/v1/tasks/tags/completions": {"model": MODEL, "messages": [{"role": "user", "content": CANARY}]},
    "/api/v1/retrieval/process/text": {"name": CANARY, "content": CANARY},
    "/api/v1/audio/speech": {"input": CANARY, "voice": CANARY},
    "/api/v1/images/generations": {"prompt": CANARY},
    "/api/embeddings": {"model": MODEL, "input": CANARY},
    "/api/chat/completions": _completion(stream=False),
    "/api/v1/chat/completions": _completion(stream=True),
    "/api/v1/messages": {"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": CANARY}]},
}
"""What a person writes, by path."""
JSON = {"content-type": "application/json"}
GETS = (
    f"/api/v1/chats/search?text={CANARY}",
    f"/api/v1/files/search?filename={CANARY}",
    f"/api/v1/users/search?query={CANARY}",
    f"/api/v1/prompts/command/{CANARY}",
    f"/api/v1/notes/search?query={CANARY}",
    f"/cache/{CANARY}",
)


def provoke(send: Browser, session: Mapping[str, str], files: Iterable[Path]) -> dict[str, int]:
    """Send everything; request → status of the answer."""
    in_a_chat = {
        **_completion(stream=True),
        "chat_id": str(uuid.uuid4()),
        "id": str(uuid.uuid4()),
        "session_id": CANARY,
    }
    posts = [*POSTS.items(), ("/api/chat/completions", in_a_chat)]
    found = {
        f"{number} {path}": send("POST", path, {**session, **JSON}, json.dumps(body).encode())[0]
        for number, (path, body) in enumerate(posts)
    }
    found |= {path: send("GET", path, session)[0] for path in GETS}
    return found | {file.name: _upload(send, session, file) for file in files}


def _upload(send: Browser, session: Mapping[str, str], file: Path) -> int:
    """The status of an upload, and 500 if the file could not be read."""
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
    body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    form = {**session, "content-type": f"multipart/form-data; boundary={boundary}"}
    status, made = send("POST", "/api/v1/files/", form, body)
    deadline = time.monotonic() + READ_SECONDS
    while status == 200 and time.monotonic() < deadline:
        _, answer = send("GET", f"/api/v1/files/{json.loads(made)['id']}", session)
        state = json.loads(answer)["data"].get("status")
        if state in {"completed", "failed"}:
            return 200 if state == "completed" else 500
        time.sleep(0.2)
    return status


def broken_files(folder: Path) -> list[Path]:
    """Files with the canary as name and as content, in no format."""
    made: list[Path] = []
    for extension in BROKEN:
        path = folder / f"{CANARY} {extension}.{extension}"
        start = {"pdf": b"%PDF-1.4\n1 0 obj\n<< /Title (", "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}.get(
            extension, b"PK\x03\x04"
        )
        path.write_bytes(start + CANARY.encode() * 40 + b"\xff\xfe\x00)")
        made.append(path)
    return made


def break_database(file: Path) -> list[str]:
    """Every table refuses each new and each changed row, and chats cannot be found at all. Returns the tables."""
    with contextlib.closing(sqlite3.connect(file, timeout=30)) as database:
        tables = [str(name) for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in sorted(set(tables) - {"sqlite_sequence"}):
            for event in ("INSERT", "UPDATE"):
                database.execute(
                    f'CREATE TRIGGER "broken_{event}_{table}" BEFORE {event} ON "{table}" '
                    "BEGIN SELECT RAISE(ABORT, 'constraint failed'); END"
                )
        database.execute("ALTER TABLE folder RENAME TO folder_gone")
        database.commit()
    return sorted(tables)


def break_postgresql(database: StackDatabase) -> list[str]:
    """The same in PostgreSQL, whose error about a refused row contains the row. Returns the tables."""
    found = database.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    tables = [str(name) for (name,) in found]
    database.server.run(
        database.name,
        *(f'ALTER TABLE "{table}" ADD CONSTRAINT broken CHECK (false) NOT VALID' for table in tables),
        "ALTER TABLE folder RENAME TO folder_gone",
    )
    return tables
