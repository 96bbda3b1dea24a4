"""A client of the twin: it resolves names as the twin does, trusts the twin's authority, keeps cookies and logs users
in."""

from __future__ import annotations

import contextlib
import email.message
import html
import http.client
import re
import socket
import ssl
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import Request

from local.edge.surroundings import Names
from local.wiring import Wiring

MOST_REDIRECTS = 10
NEXT_SECONDS = 2.0
"""How long an address may take to answer before the next address of the name is tried."""
PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Response:
    """A response, read completely."""

    url: str
    status: int
    headers: email.message.Message
    body: bytes

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode("utf-8", "replace")


class _Cookies:
    """The part of a response that ``CookieJar`` reads."""

    def __init__(self, headers: email.message.Message) -> None:
        self._headers = headers

    def info(self) -> email.message.Message:
        return self._headers


@dataclass
class Browser:
    """One user's browser on a host of the wiring. ``trusted``: the trusted authorities as PEM."""

    wiring: Wiring
    host: str
    names: Names
    trusted: str
    seconds: float = 10
    """Seconds to wait for a response."""
    jar: CookieJar = field(default_factory=CookieJar)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by name."""
        return {one.name: one.value or "" for one in self.jar}

    def get(self, url: str, headers: Mapping[str, str] | None = None, *, follow: bool = True) -> Response:
        """Send a GET request and return its response."""
        return self.request("GET", url, headers, follow=follow)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        follow: bool = False,
    ) -> Response:
        """Send a request and return its response; with redirects, the last response."""
        for _ in range(MOST_REDIRECTS):
            with self.open(method, url, headers, body) as response:
                found = Response(url, response.status, response.headers, response.read())
            location = found.headers["location"]
            if not follow or found.status not in _REDIRECTS or not location:
                return found
            url = urljoin(url, location)
            if found.status not in (307, 308) and method != "HEAD":
                method, body = "GET", None
        raise RuntimeError(f"more than {MOST_REDIRECTS} redirects, the last one to {url}")

    @contextlib.contextmanager
    def open(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Generator[http.client.HTTPResponse]:
        """Send a request and return the response before its body, to be read piece by piece with ``read1``; cookies are
        kept."""
        parts = urlsplit(url)
        sent = self._cookies_for(url)
        lines = {"Host": parts.netloc, "User-Agent": "twin", "Accept": "*/*", **({"Cookie": sent} if sent else {})}
        if body is not None and "transfer-encoding" not in {name.lower() for name in headers or {}}:
            lines["Content-Length"] = str(len(body))
        lines |= dict(headers or {})
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        with contextlib.closing(self.connect(url)) as connection:
            head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
            connection.sendall(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b""))
            response = http.client.HTTPResponse(connection, method=method)
            with contextlib.closing(response):
                response.begin()
                self.jar.extract_cookies(_Cookies(response.headers), Request(url))  # type: ignore[arg-type] # noqa: S310
                yield response

    def connect(self, url: str) -> socket.socket:
        """Open a connection for a URL, over TLS for ``https``."""
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        plain = self._connected(name, port)
        try:
            if parts.scheme == "http":
                return plain
            return ssl.create_default_context(cadata=self.trusted).wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise

    def _connected(self, name: str, port: int) -> socket.socket:
        """A connection to the first address of a name that answers, as browsers do it."""
        addresses = list(self.names(name))
        for number, address in enumerate(addresses, start=1):
            plain = self.wiring.open(self.host)
            plain.settimeout(self.seconds if number == len(addresses) else min(self.seconds, NEXT_SECONDS))
            try:
                plain.connect(self.wiring.target(self.host, address, port))
                plain.settimeout(self.seconds)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except BaseException as error:
                plain.close()
                if number == len(addresses) or not isinstance(error, OSError):
                    raise
            else:
                return plain
        raise LookupError(f"{name} has no address")

    def login(self, subject: str, url: str) -> Response:
        """Open a page, log in at the provider as a user, and return the page that follows."""
        form = self.get(url)
        if f'value="{subject}"' not in form.text and 'name="sub"' not in form.text:
            raise RuntimeError(f"{url} led to {form.url} ({form.status}), which is not a login form")
        return self.submit(form, {"sub": subject})

    def submit(self, page: Response, fields: Mapping[str, str]) -> Response:
        """Submit the first form of a page with these fields, and follow the redirects."""
        action = re.search(r"<form[^>]*\baction=\"([^\"]*)\"", page.text)
        url = urljoin(page.url, html.unescape(action[1])) if action else page.url
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", url, headers, urlencode(fields).encode(), follow=True)

    def _cookies_for(self, url: str) -> str:
        request: Any = Request(url)  # noqa: S310 - made for its cookies alone
        self.jar.add_cookie_header(request)
        return str(request.get_header("Cookie") or "")
