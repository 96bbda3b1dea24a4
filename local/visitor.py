"""A user of the interface of a running environment, on the internet: logs in, asks, uploads, listens."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.edge.browser import Browser, Response

if TYPE_CHECKING:
    from local.environment import Environment

BOUNDARY = "part"
PENDING = "pending"
"""The role that the page lets do nothing."""
SOCKET = "/ws/socket.io/?EIO=4&transport=websocket"
SOCKET_SECONDS = 20
PATIENCE_SECONDS = 60.0
"""Seconds to wait for the next byte."""


class RequestRefusedError(Exception):
    """The interface, or a component in front of it, responded with an error; the message contains status and body."""


@dataclass(repr=False)
class Visitor:
    """One person with a separate browser. ``subject`` is one of ``Environment.people``."""

    twin: Environment
    subject: str
    browser: Browser = field(init=False)
    token: str = ""

    def __post_init__(self) -> None:
        self.browser = self.twin.browser()
        self.browser.seconds = PATIENCE_SECONDS

    def __repr__(self) -> str:
        return f"Visitor({self.subject})"

    def url(self, path: str) -> str:
        """The URL of the interface."""
        return self.twin.url + path

    def log_in(self) -> Visitor:
        """Open the interface, log in at the provider, and sign in as the page does."""
        page = self.browser.login(self.subject, self.url("/"))
        if page.status >= 400:  # noqa: PLR2004 - HTTP's first error
            raise RequestRefusedError(f"/: {page.status} {page.text[:500]}")
        session = self.json("POST", "/api/v1/auths/signin", {"email": "", "password": ""})
        if session["role"] == PENDING:
            raise RequestRefusedError("/: the page shows that the account waits for its activation")
        self.token = str(session["token"])
        return self

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Response:
        """Send a request and return its response."""
        # A browser sends the length of a body that is not there, too.
        content, given = self._content(b"" if body is None and method == "POST" else body, headers)
        return self.browser.request(method, self.url(path), given, content)

    def json(self, method: str, path: str, body: object = None, **headers: str) -> Any:  # noqa: ANN401 - JSON
        """Send a request and return its body; raises an error unless it succeeds."""
        answer = self.send(method, path, body, **headers)
        if answer.status >= 400:  # noqa: PLR2004 - HTTP's first error
            raise RequestRefusedError(f"{method} {path}: {answer.status} {answer.text[:500]}")
        return json.loads(answer.body)

    def model(self) -> str:
        """Return the first model that the interface offers."""
        return str(self.json("GET", "/api/models")["data"][0]["id"])

    def question(self, text: str, **more: object) -> dict[str, Any]:
        """Return the body of a streaming chat completion."""
        return {"model": self.model(), "stream": True, "messages": [{"role": "user", "content": text}], **more}

    def ask(self, text: str, **more: object) -> Iterator[tuple[float, str]]:
        """Yield the answer word by word: seconds since the question, and the text."""
        content, given = self._content(self.question(text, **more), {})
        asked = time.monotonic()
        with self.browser.open("POST", self.url("/api/chat/completions"), given, content) as answer:
            if answer.status >= 400:  # noqa: PLR2004 - HTTP's first error
                raise RequestRefusedError(f"/api/chat/completions: {answer.status} {answer.read(500)!r}")
            for line in answer:
                if line.startswith(b"data: {"):
                    event: dict[str, Any] = json.loads(line[6:])
                    if "error" in event:
                        raise RequestRefusedError(f"/api/chat/completions: {event['error']}")
                    choices: list[dict[str, Any]] = event.get("choices") or []
                    for said in (one.get("delta", {}).get("content") for one in choices):
                        if said:
                            yield time.monotonic() - asked, str(said)

    def answer(self, text: str, **more: object) -> str:
        """Return the whole answer."""
        return "".join(said for _, said in self.ask(text, **more))

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file as the browser does; return its id."""
        head = f'content-disposition: form-data; name="file"; filename="{name}"\r\ncontent-type: text/plain'
        body = f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
        return str(self.json("POST", "/api/v1/files/", body, **kind)["id"])

    @contextmanager
    def listening(self) -> Generator[Any]:
        """Open the page's WebSocket, subscribed to the user's events."""
        from websockets.sync.client import connect  # noqa: PLC0415 - for those who listen

        connection = self.browser.connect(self.url("/"))
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items())}
        plain = self.url("").replace("https://", "ws://", 1) + SOCKET
        # The connection is encrypted already.
        with connect(plain, sock=connection, additional_headers=headers, origin=self.url("")) as socket:  # pyright: ignore[reportArgumentType]
            if not str(socket.recv(SOCKET_SECONDS)).startswith("0{"):
                raise RequestRefusedError("the WebSocket did not open a session")
            socket.send("40" + json.dumps({"token": self.token}))
            if not str(socket.recv(SOCKET_SECONDS)).startswith("40{"):
                raise RequestRefusedError("the WebSocket did not join")
            yield socket

    @staticmethod
    def event(socket: Any, kind: str, chat: str) -> dict[str, Any]:  # noqa: ANN401 - a WebSocket of ``listening``
        """Return the data of the next event of a kind about a chat."""
        while True:
            text = str(socket.recv(SOCKET_SECONDS))
            if text == "2":
                socket.send("3")
            if text.startswith("42"):
                _, event = json.loads(text[2:])
                if (event["chat_id"], event["data"]["type"]) == (chat, kind):
                    return event["data"]

    def _content(self, body: object, headers: dict[str, str]) -> tuple[bytes | None, dict[str, str]]:
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json"} if content is not None else {}
        if self.token:
            given["authorization"] = f"Bearer {self.token}"
        return content, {**given, **headers}
