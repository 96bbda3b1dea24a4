"""One HTTP request, its client, and its possible outcomes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from ..graph.resources import Resource
from ..graph.values import as_list

NO_CLAIMS: Mapping[str, Any] = {}
CLIENT = "198.51.100.7"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user who has logged in at the edge, or a client with a token: the claims that the provider issues."""

    claims: Mapping[str, Any] = field(default_factory=lambda: NO_CLAIMS)
    token: bool = False
    """A bearer token instead of a session."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as a client sends it. Sizes are used if contents do not matter."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    cookies: tuple[tuple[str, str], ...] = ()
    body_bytes: int = 0
    body: str = ""
    declares_length: bool = True
    """Whether it has a content-length header; without one the body comes in chunks."""
    identity: Identity | None = None
    client: str = CLIENT
    exceeds: frozenset[str] = frozenset()
    """Names of rate rules whose limit the client has used up."""
    threats: frozenset[str] = frozenset()
    """Names of managed rules that the request is assumed to match."""

    @property
    def scheme(self) -> str:
        """``https`` unless the URL has another scheme."""
        return urlsplit(self.url).scheme or "https"

    @property
    def host(self) -> str:
        """The host name, in lower case."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port that the client connects to."""
        return urlsplit(self.url).port or (80 if self.scheme == "http" else 443)

    @property
    def path(self) -> str:
        """The path, as sent."""
        return urlsplit(self.url).path or "/"

    @property
    def query(self) -> str:
        """The query string without its question mark."""
        return urlsplit(self.url).query

    @property
    def size(self) -> int:
        """The body's size in bytes."""
        return max(self.body_bytes, len(self.body.encode()))

    def sent_headers(self) -> tuple[tuple[str, str], ...]:
        """Every header as received, with names in lower case."""
        found = [("host", self.host), *((name.lower(), value) for name, value in self.headers)]
        if self.cookies:
            found.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies)))
        names = {name for name, _ in found}
        if self.declares_length and (self.size or self.method in ("POST", "PUT", "PATCH")):
            found += [("content-length", str(self.size))] * ("content-length" not in names)
        elif self.size and "transfer-encoding" not in names:
            found.append(("transfer-encoding", "chunked"))
        return tuple(found)

    def header(self, name: str) -> str | None:
        """The value of one header, or ``None``."""
        return next((value for key, value in self.sent_headers() if key == name.lower()), None)


class Result(StrEnum):
    """The result of a request."""

    SERVED = "served"
    ANSWERED = "answered"
    DROPPED = "dropped"
    NOT_PROVEN = "not proven"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the request and its result."""

    where: str
    what: str
    urn: str = ""
    property: str = ""

    def __str__(self) -> str:
        place = f"{self.where}.{self.property}" if self.property else self.where
        return f"{place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a request: the component, the status, and the rule that decided."""

    result: Result
    status: int | None
    rule: str
    """The name of the rule that decided: a web ACL rule, a listener rule, or a limit of the proxy."""
    steps: tuple[Step, ...]
    unknowns: tuple[str, ...] = ()
    location: str = ""

    def __str__(self) -> str:
        status = f" {self.status}" if self.status else ""
        return f"{self.result}{status} by {self.rule}"


@dataclass(slots=True)
class Trail:
    """The steps of a request so far."""

    request: Request
    steps: list[Step] = field(default_factory=list[Step])
    unknowns: list[str] = field(default_factory=list[str])
    labels: set[str] = field(default_factory=set[str])

    def note(self, resource: Resource, property_: str, what: str) -> None:
        """Record a step."""
        self.steps.append(Step(resource.label, what, resource.urn, property_))

    def end(self, result: Result, status: int | None, rule: str, location: str = "") -> Outcome:
        """The outcome; with an unknown value on the path it is not proven."""
        unknowns = tuple(dict.fromkeys(self.unknowns))
        return Outcome(Result.NOT_PROVEN if unknowns else result, status, rule, tuple(self.steps), unknowns, location)


@dataclass(frozen=True, slots=True)
class ProxyFacts:
    """The limits that the proxy in the task enforces, as plain data."""

    prompt_bytes: int
    upload_bytes: int
    header_bytes: int
    upload_path_prefixes: tuple[str, ...] = ()
    allowed_claim: str = ""
    allowed_values: tuple[str, ...] = ()
    allowed_email_domains: tuple[str, ...] = ()
    allowed_emails: tuple[str, ...] = ()
    allowed_everyone: bool = False
    """Whether it admits everyone with a session, because the identity provider is relied on to assign users."""
    required_claim: str = ""
    """A claim that everyone must have, whichever rule admits them."""
    required_values: tuple[str, ...] = ()
    blocked_claim: str = ""
    blocked_values: tuple[str, ...] = ()
    blocked_email_domains: tuple[str, ...] = ()
    blocked_emails: tuple[str, ...] = ()
    """People whom it refuses although a rule admits them."""
    blocked_users: tuple[str, ...] = ()
    """The same, by a keyed hash of the address. Its key is not known here, so ``admits`` does not evaluate it."""
    logout_path: str = ""
    websocket_path_prefixes: tuple[str, ...] = ()
    requires_length: bool = False
    """Whether it responds with 411 to a body without a declared length."""
    stripped_headers: tuple[str, ...] = ()
    """Names of headers that it removes before anything reads them, regardless of the sender."""
    stripped_patterns: tuple[str, ...] = ()
    """Regular expressions for whole names of further such headers."""

    def body_limit(self, path: str) -> int:
        """The largest body on a path."""
        return self.upload_bytes if path.startswith(self.upload_path_prefixes or ("\0",)) else self.prompt_bytes

    def strips(self, name: str) -> bool:
        """Whether it removes a header that a client sends."""
        return name in self.stripped_headers or any(re.fullmatch(text, name) for text in self.stripped_patterns)

    def admitted_claims(self) -> dict[str, Any]:
        """Claims of a user whom it admits; the address is invented if no rule names one."""
        claims: dict[str, Any] = {"email": "someone@example.com"}
        if self.required_claim:
            claims[self.required_claim] = self.required_values[0]
        if self.allowed_values:
            claims[self.allowed_claim] = [self.allowed_values[0]]
        elif self.allowed_email_domains:
            claims["email"] = f"someone@{self.allowed_email_domains[0]}"
        elif self.allowed_emails:
            claims["email"] = self.allowed_emails[0]
        return claims

    def admits(self, identity: Identity | None) -> bool:
        """Whether the identity may use the application, by a claim, an email address or its domain, or as everyone whom the
        identity provider assigns."""
        if identity is None or (
            self.required_claim and not _holds(identity, self.required_claim, self.required_values)
        ):
            return False
        email = str(identity.claims.get("email", "")).lower()
        domain = email.rpartition("@")[2]
        if (
            _holds(identity, self.blocked_claim, self.blocked_values)
            or domain in self.blocked_email_domains
            or email in self.blocked_emails
        ):
            return False
        return (
            self.allowed_everyone
            or _holds(identity, self.allowed_claim, self.allowed_values)
            or (bool(domain) and domain in self.allowed_email_domains)
            or (bool(email) and email in self.allowed_emails)
        )


def _holds(identity: Identity, claim: str, accepted: tuple[str, ...]) -> bool:
    """Whether a claim, a text or a list, has one of the accepted values."""
    found = identity.claims.get(claim)
    return any(value in accepted for value in as_list(found) or [found])
