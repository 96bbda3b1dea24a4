"""A received request in the form that the topology's evaluators read, so that the twin and the stack's checks share
them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.guardrails.topology.http.requests import Request

if TYPE_CHECKING:
    from local.edge.messages import Head


@dataclass(frozen=True, slots=True)
class ReceivedRequest(Request):
    """A request with its headers and target as sent."""

    raw_headers: tuple[tuple[str, str], ...] = ()
    raw_target: str = "/"
    raw_host: str = ""

    @property
    def host(self) -> str:
        """The host name without a port, in lower case."""
        return self.raw_host.rpartition(":")[0].lower() if _has_port(self.raw_host) else self.raw_host.lower()

    @property
    def path(self) -> str:
        """The path, as sent."""
        return _origin(self.raw_target).partition("?")[0] or "/"

    @property
    def query(self) -> str:
        """The query string as sent, without its question mark."""
        return _origin(self.raw_target).partition("?")[2]

    def sent_headers(self) -> tuple[tuple[str, str], ...]:
        """Every header as received, with names in lower case."""
        return self.raw_headers


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdigit() and not host.endswith("]")


def _origin(target: str) -> str:
    """The path and query of a target, which may be in absolute form."""
    if target.startswith("/"):
        return target
    scheme, separator, rest = target.partition("://")
    return "/" + rest.partition("/")[2] if separator and scheme in ("http", "https") else target


def received(head: Head, scheme: str, port: int, client: str, *, body: bytes, length: int | None) -> ReceivedRequest:
    """Create the request from a head; ``body`` is the start of the body, ``length`` its declared length in bytes."""
    cookies = [part.strip().partition("=") for value in head.values("cookie") for part in value.split(";")]
    return ReceivedRequest(
        head.method,
        f"{scheme}://edge:{port}/",
        cookies=tuple((name, value) for name, _, value in cookies if name),
        body_bytes=max(length or 0, len(body)),
        body=body.decode("latin-1"),
        client=client,
        raw_headers=tuple((name.lower(), value) for name, value in head.headers),
        raw_target=head.target,
        raw_host=head.value("host"),
    )
