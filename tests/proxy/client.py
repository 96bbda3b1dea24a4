"""What the load balancer sends, byte by byte where a test needs that."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

HOST = "chat.example.com"


@dataclass(frozen=True)
class Answer:
    """A complete response."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key.lower() == name]

    def value(self, name: str) -> str:
        """Return the only value of a header."""
        (value,) = self.values(name)
        return value


def unverified() -> ssl.SSLContext:
    """Return a context that, like a load balancer, checks no certificate of a target."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


CONTEXT = unverified()


def send(
    port: int,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    host: str = HOST,
    tls: bool = True,
) -> Answer:
    """Send one request on a connection of its own, headers exactly as given, and read the whole answer."""
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers)]
    names = {name.lower() for name, _ in headers}
    if body and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"content-length: {len(body)}")
    with opened(port, tls=tls) as connection:
        # A refusal may come, and the connection close, before the whole body is written.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return read_answer(connection, method)


def read_answer(connection: socket.socket, method: str = "GET") -> Answer:
    """Read one whole answer."""
    with contextlib.closing(http.client.HTTPResponse(connection, method=method)) as response:
        response.begin()
        return Answer(response.status, tuple(response.getheaders()), response.read())


@contextlib.contextmanager
def opened(port: int, *, tls: bool = True, timeout: float = 10) -> Generator[socket.socket]:
    """Open a connection to a port on loopback."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not tls:
            yield plain
            return
        with CONTEXT.wrap_socket(plain, server_hostname=HOST) as connection:
            yield connection


def head(method: str, target: str, headers: Mapping[str, str], *, host: str = HOST) -> bytes:
    """Return a request's head."""
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()
