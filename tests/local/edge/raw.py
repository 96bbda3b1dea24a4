"""Requests byte by byte, where a browser would not send them."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterable

from local.edge.browser import Browser
from tests.local.edge.world import World


def head(made: World, method: str, target: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """A request's head for the interface."""
    lines = [f"{method} {target} HTTP/1.1", f"host: {made.host}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def cookies(browser: Browser) -> tuple[str, str]:
    """The header with a browser's session."""
    return "cookie", "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def exchange(made: World, data: bytes, scheme: str = "https") -> http.client.HTTPResponse:
    """The response to bytes on a connection of their own; its body is read."""
    with contextlib.closing(made.browser().connect(made.url("/", scheme))) as connection:
        connection.sendall(data)
        return answer(connection)


def answer(connection: socket.socket, method: str = "GET") -> http.client.HTTPResponse:
    """The next response on a connection; its body is read, and in ``content``."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    response.content = response.read()  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
    return response
