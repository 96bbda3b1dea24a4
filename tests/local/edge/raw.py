"""Requests byte by byte, where a browser would not send them."""

from __future__ import annotations

import contextlib
import email.message
import http.client
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from local.edge.browser import Browser
from tests.local.edge.world import World


def head(made: World, method: str, target: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """A request's head for the interface."""
    lines = [f"{method} {target} HTTP/1.1", f"host: {made.host}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def cookies(browser: Browser) -> tuple[str, str]:
    """The header with a browser's session."""
    return "cookie", "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


@dataclass(frozen=True)
class Answer:
    """A response that was read to its end."""

    status: int
    headers: email.message.Message
    text: str


def exchange(made: World, data: bytes, scheme: str = "https") -> Answer:
    """The response to bytes on a new connection."""
    with contextlib.closing(made.browser().connect(made.url("/", scheme))) as connection:
        connection.sendall(data)
        return answer(connection)


def answer(connection: socket.socket, method: str = "GET") -> Answer:
    """The next response on a connection."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    return Answer(response.status, response.headers, response.read().decode())
