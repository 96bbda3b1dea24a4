"""Queries outside AWS: public DNS and one document over HTTPS. Both are limited in time and size, and the caller can
point both at other servers, as the tests do with servers on loopback."""

from __future__ import annotations

import http.client
import importlib
import ipaddress
import socket
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from preflight.account.lines import CannotTellError
from preflight.account.session import AccountError

SECONDS = 8.0
LARGEST_DOCUMENT = 1_000_000
"""The maximum size in bytes. A discovery document is typically a few thousand bytes."""
OK = 200


class Dns:
    """A resolver of public names. Answers are sorted and without trailing dots."""

    def __init__(self, nameservers: tuple[str, ...] = (), port: int = 53) -> None:
        try:
            self._dns: Any = importlib.import_module("dns.resolver")
        except ImportError:
            raise AccountError(
                "dnspython is not installed; this command requires it to query public DNS.\n"
                "fix: run make setup, or install both optional dependencies: pip install boto3 dnspython"
            ) from None
        try:
            self._resolver = self._dns.Resolver(configure=not nameservers)
        except self._dns.NoResolverConfiguration:
            raise AccountError(
                "this machine has no DNS resolver.\nfix: run the command on a machine with a DNS resolver"
            ) from None
        if nameservers:
            self._resolver.nameservers = list(nameservers)
            self._resolver.port = port
        self._resolver.lifetime = SECONDS

    def ask(self, name: str, kind: str) -> list[str]:
        """The records of one type, such as ``NS``; empty if the name or the record does not exist."""
        try:
            answer = self._resolver.resolve(name + ".", kind, search=False)
        except (self._dns.NXDOMAIN, self._dns.NoAnswer):
            return []
        except (self._dns.NoNameservers, self._dns.LifetimeTimeout) as error:
            raise CannotTellError(
                f"DNS did not answer for {name} ({type(error).__name__})",
                "run the command on a machine that resolves public names",
            ) from None
        return sorted(record.to_text().lower().removesuffix(".") for record in answer)

    def private(self, name: str) -> tuple[list[str], list[str]]:
        """The IPv4 addresses of a name, and those of them that the internet does not route."""
        found = self.ask(name, "A")
        return found, [address for address in found if not ipaddress.IPv4Address(address).is_global]


Route = Callable[[str, int], tuple[str, int]]
"""Host name and port → the address and port to connect to."""


class Https:
    """Fetches a document over verified TLS. Redirects are not followed."""

    def __init__(self, context: ssl.SSLContext | None = None, route: Route | None = None) -> None:
        self._context = context or ssl.create_default_context()
        self._route = route

    def get(self, url: str) -> tuple[int, bytes]:
        """Status and body. Raises ``CannotTellError`` if there is no response, TLS fails or the body is too large."""
        parts = urlsplit(url)
        host, port = str(parts.hostname), parts.port or 443
        try:
            connection = _Connection(host, port, self._context, self._route)
            try:
                connection.request("GET", parts.path or "/", headers={"Accept": "application/json"})
                answer = connection.getresponse()
                body = answer.read(LARGEST_DOCUMENT + 1)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            raise CannotTellError(
                f"{url} did not answer: {error}", "run the command from a network that can reach the identity provider"
            ) from None
        if len(body) > LARGEST_DOCUMENT:
            raise CannotTellError(
                f"{url} returns more than {LARGEST_DOCUMENT} bytes", "check that it is the issuer's document"
            )
        return answer.status, body


class _Connection(http.client.HTTPSConnection):
    def __init__(self, host: str, port: int, context: ssl.SSLContext, route: Route | None) -> None:
        super().__init__(host, port, timeout=SECONDS, context=context)
        self._tls = context
        self._to = route(host, port) if route else (host, port)

    def connect(self) -> None:
        """To the routed address, with the certificate checked against the name in the URL."""
        plain = socket.create_connection(self._to, SECONDS)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
