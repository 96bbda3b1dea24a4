"""Sends one HTTP/1.1 request over a new connection, byte for byte as given.

``http.client`` would correct malformed requests, which this command sends on purpose. A body that declares more bytes
than are sent stays unfinished: such a request cannot reach the application, regardless of the edge's response.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from policies.guardrails.topology.http.requests import Request

SECONDS = 10.0
"""Timeout in seconds for connecting, and for each read."""
DROP_SECONDS = 4.0
"""Timeout in seconds for a connection that is expected to fail."""
SENT_BYTES = 128 * 1024
"""The maximum size of a body: twice the largest part of a body that AWS WAF inspects behind a load balancer (64 KB,
https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html)."""
READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class LiveResponse:
    """The response. Values of cookies never leave this object."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        """All values of one header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def value(self, name: str) -> str:
        """The first value of one header, or ``None``."""
        return next(iter(self.values(name)), "")


class SilentError(Exception):
    """The connection failed, or ended without a response."""

    def __init__(self, reason: str, *, connected: bool) -> None:
        super().__init__(reason)
        self.connected = connected


@dataclass(frozen=True)
class Live:
    """The live host: the address to connect to, and the name that its certificate must have."""

    context: ssl.SSLContext
    server_name: str
    """The server name in every TLS handshake, regardless of the request's ``Host``: the certificate has only this
    name."""
    places: Mapping[int, tuple[str, int]]
    """Port in a URL → address and port to connect to. For other ports, the name is resolved."""

    def place(self, port: int) -> tuple[str, int]:
        """The address to connect to for a port."""
        return self.places.get(port, (self.server_name, port))

    def send(self, request: Request, seconds: float = SECONDS) -> LiveResponse:
        """Send a request and read the response; redirects are not followed. Raises ``SilentError``."""
        try:
            plain = socket.create_connection(self.place(request.port), min(seconds, SECONDS))
        except OSError as error:
            raise SilentError(f"no connection ({_reason(error)})", connected=False) from None
        try:
            plain.settimeout(seconds)
            with self._secured(plain, request) as connection:
                # The response may arrive, and the connection close, before the body is written.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(written(request))
                return _read(connection, request.method)
        except (OSError, http.client.HTTPException) as error:
            raise SilentError(f"connected, but got no response ({_reason(error)})", connected=True) from None
        finally:
            plain.close()

    def _secured(self, plain: socket.socket, request: Request) -> socket.socket:
        if request.scheme != "https":
            return plain
        return self.context.wrap_socket(plain, server_hostname=self.server_name)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    return str(getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__)


def written(request: Request) -> bytes:
    """The request as bytes, with at most ``SENT_BYTES`` of the body."""
    parts = urlsplit(request.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = request.sent_headers()
    head = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    declared = request.header("content-length") or ""
    size = int(declared) if declared.isdigit() else request.size
    body = b"x" * min(size, SENT_BYTES)
    if request.size and any(name == "transfer-encoding" for name, _ in headers):
        body = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    return "\r\n".join(head).encode("latin-1") + body


def _read(connection: socket.socket, method: str) -> LiveResponse:
    with contextlib.closing(http.client.HTTPResponse(connection, method=method)) as response:
        response.begin()
        headers = tuple(response.getheaders())
        body = b""
        with contextlib.suppress(
            OSError, http.client.HTTPException
        ):  # the status line has arrived, so this is a response
            body = response.read(READ_BYTES)
        return LiveResponse(response.status, headers, body)
