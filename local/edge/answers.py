"""The load balancer's own responses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

from local.edge.messages import Headers, written

SERVER = "awselb/2.0"
_OWN = {460: "Client Closed Request", 463: "", 464: "", 561: "Unauthorized"}


@dataclass(frozen=True)
class Answer:
    """A response of the load balancer itself; without a body, it contains the HTML page for its status."""

    status: int
    body: bytes = b""
    headers: Headers = ()
    has_page: bool = field(default=True)
    """Whether a response without a body contains the HTML page for its status."""

    def written(self, method: str, added: Iterable[tuple[str, str]], *, server: bool, keep: bool) -> bytes:
        """Return the response in its final form."""
        body = self.body or (page(self.status) if self.has_page else b"")
        headers: list[tuple[str, str]] = [("Server", SERVER)] if server else []
        headers.append(("Date", formatdate(usegmt=True)))
        if not any(name.lower() == "content-type" for name, _ in self.headers) and body:
            headers.append(("Content-Type", "text/html"))
        headers += self.headers
        headers += [("Content-Length", str(len(body))), ("Connection", "keep-alive" if keep else "close"), *added]
        return written(f"HTTP/1.1 {self.status} {reason(self.status)}", headers, b"" if method == "HEAD" else body)


def reason(status: int) -> str:
    """Return the reason phrase."""
    if status in _OWN:
        return _OWN[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def page(status: int) -> bytes:
    """Return the HTML page for a status."""
    title = f"{status} {reason(status)}".strip()
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "</body>\r\n</html>\r\n"
    ).encode()
