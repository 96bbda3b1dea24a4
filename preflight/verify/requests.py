"""The requests that are sent to the live host. ``trace`` predicts the outcome of each from the recorded graph.

No request changes anything: one with a method other than GET, HEAD, OPTIONS or TRACE is sent without a session, and only
if the edge is certain to refuse it. Left out are requests whose outcome the load balancer decides and AWS does not
document: CONNECT, a method in lower case, an unsolicited login callback.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from policies.guardrails.topology.http.requests import Identity, Outcome, Request, Result
from policies.guardrails.topology.trace.listener_rules import CALLBACK
from preflight.verify.comparison import BY_PROXY
from preflight.verify.limits import Sized, boundary
from preflight.verify.reading import at, listed, mapped
from preflight.verify.stack import StackInCheckout

READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
MARK = "preflight-verify"
"""The replacement for ``*`` in a path, and the user agent."""
NO_HOSTS = ("preflight-verify.invalid", "203.0.113.9")
"""Hosts that belong to no stack: a name that never resolves (RFC 2606) and an address for documentation (RFC 5737)."""
HIDDEN_PORTS = (8080, 8443)
EDGE_HEADERS = ("x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-amzn-oidc-identity", "x-amzn-oidc-new")
"""The load balancer's header about a login, and one with the same prefix."""
PROXY_HEADERS = ("x-envoy-original-path", "x-forwarded-host", "x-forwarded-user")
BASE = (("user-agent", MARK), ("accept", "*/*"), ("connection", "close"))
TOO_LARGE_HEADER, TOO_LONG_TARGET = 17_000, 17_000
"""The size in bytes, above the load balancer's limit of 16 KB."""
MOST_BODY, MOST_TEXT = 2**33, 15_000
"""The largest sizes to search for a limit: 8 GiB for a body, less than the load balancer's limit for the others."""
MOST_REQUESTS = 200


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials from the environment; neither is ever printed."""

    cookie: str = ""
    """A ``Cookie`` header with the load balancer's session."""
    token: str = ""
    """A machine client's token."""

    def __repr__(self) -> str:
        return f"Credentials(cookie={bool(self.cookie)}, token={bool(self.token)})"


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request and its predicted outcome."""

    name: str
    request: Request
    outcome: Outcome
    admitted_only: bool = False
    """The application decides the status; the check is only whether the edge and the proxy forward the request."""


def rows(stack: StackInCheckout, credentials: Credentials | None = None) -> list[RequestRow]:
    """Every row in the order of sending, with distinct names; none can change anything in the application."""
    found: dict[str, RequestRow] = {}
    asked = [*_unauthenticated(stack), *_with_session(stack, credentials), *_with_token(stack, credentials)]
    for name, request in asked:
        outcome = stack.follow(request)
        row = RequestRow(name, request, outcome, admitted_only=bool(request.identity and request.identity.token))
        if harmless(row):
            found.setdefault(name, row)
    return list(found.values())[:MOST_REQUESTS]


def harmless(row: RequestRow) -> bool:
    """Whether the request cannot change anything: it reads, or the edge refuses it for lack of a session."""
    if row.request.method in READING:
        return True
    refused = row.outcome.result is Result.ANSWERED and not row.outcome.rule.startswith(BY_PROXY)
    return refused and row.request.identity is None


def within_rates(stack: StackInCheckout, found: list[RequestRow]) -> tuple[list[RequestRow], list[RequestRow]]:
    """The rows that use at most half of each of the WAF's rates, and those that would use more."""
    used: dict[str, int] = {}
    limits = {name: limit for name, limit in _rates(stack.web_acl) if 2 * len(found) > limit}
    kept: list[RequestRow] = []
    dropped: list[RequestRow] = []
    for row in found:
        counted = [name for name in limits if _counts(stack, row.request, name)]
        if any(2 * (used.get(name, 0) + 1) > limits[name] for name in counted):
            dropped.append(row)
            continue
        kept.append(row)
        for name in counted:
            used[name] = used.get(name, 0) + 1
    return kept, dropped


def _rates(acl: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for rule in listed(acl.get("rules")):
        if (limit := at(rule, "statement", "rateBasedStatement", "limit")) is not None:
            yield str(rule["name"]), int(limit)


def _counts(stack: StackInCheckout, request: Request, rate: str) -> bool:
    return stack.follow(replace(request, exceeds=frozenset({rate}))).rule == rate


def _request(
    stack: StackInCheckout,
    method: str,
    target: str,
    *,
    headers: tuple[tuple[str, str], ...] = (),
    **more: Any,  # noqa: ANN401 (fields by name)
) -> Request:
    url = target if "://" in target else f"https://{stack.host}{target}"
    return Request(method, url, headers=(*BASE, *headers), client=stack.client, **more)


def _unauthenticated(stack: StackInCheckout) -> Iterator[tuple[str, Request]]:
    yield from _declared_paths(stack)
    yield from _names(stack)
    yield from _spoofed(stack)
    yield from _odd(stack)
    yield from _sizes(stack)


def _declared_paths(stack: StackInCheckout) -> Iterator[tuple[str, Request]]:
    """Each path of each listener rule, on each of its hosts."""
    make = partial(_request, stack)
    for name, hosts, patterns in stack.rule_paths():
        for host in hosts:
            for pattern in patterns:
                path = pattern.replace("*", MARK).replace("?", "x")
                if path != CALLBACK:
                    yield f"{name}: GET {host}{path}", make("GET", f"https://{host}{path}")
    yield "HEAD of the first page", make("HEAD", "/")
    for path in _marked(stack, "model-call"):
        yield f"a model call without a session: POST {path}", make("POST", path, body_bytes=16)
        yield f"a browser's preflight without a session: OPTIONS {path}", make("OPTIONS", path)


def _marked(stack: StackInCheckout, label: str) -> list[str]:
    """The first of the paths that the WAF labels."""
    for rule in listed(stack.web_acl.get("rules")):
        if rule["name"] == f"mark-{label}":
            return sorted(
                str(match["searchString"])
                for match in _matches(rule["statement"])
                if "uriPath" in mapped(match.get("fieldToMatch"))
            )[:1]
    return []


def _matches(statement: object) -> Iterator[Mapping[str, Any]]:
    """Every byte match of a statement, at any depth."""
    for item in listed(statement):
        yield from _matches(item)
    for key, value in sorted(mapped(statement).items()):
        if key == "byteMatchStatement":
            yield mapped(value)
        else:
            yield from _matches(value)


def _names(stack: StackInCheckout) -> Iterator[tuple[str, Request]]:
    make = partial(_request, stack)
    yield "an undeclared path", make("GET", f"/{MARK}-nothing")
    for host in NO_HOSTS:
        yield f"another host: https://{host}/", make("GET", f"https://{host}/")
        yield f"another host: http://{host}/", make("GET", f"http://{host}/")
    for host in stack.hosts:
        yield f"plain HTTP: http://{host}/", make("GET", f"http://{host}/")
        yield f"plain HTTP with a path and a query: http://{host}/c/1?x=1", make("GET", f"http://{host}/c/1?x=1")
    for port in HIDDEN_PORTS:
        yield f"port {port}", make("GET", f"https://{stack.host}:{port}/")


def trusted_headers(stack: StackInCheckout) -> list[str]:
    """The headers that identify the user to the application, from the WAF's rule against forged ones."""
    found: set[str] = set()
    for rule in listed(stack.web_acl.get("rules")):
        for part in listed(at(rule, "statement", "orStatement", "statements")):
            name = at(part, "sizeConstraintStatement", "fieldToMatch", "singleHeader", "name")
            if name and rule["name"] == "forged-identity":
                found.add(str(name))
    return sorted(found)


def _spoofed(stack: StackInCheckout) -> Iterator[tuple[str, Request]]:
    make = partial(_request, stack)
    for name in sorted({*EDGE_HEADERS, *PROXY_HEADERS, *trusted_headers(stack)}):
        yield f"spoofed header {name}", make("GET", "/", headers=((name, "x"),))
    first = EDGE_HEADERS[1]
    yield f"spoofed header {first} over plain HTTP", make("GET", f"http://{stack.host}/", headers=((first, "x"),))
    yield f"spoofed header {first} on an undeclared path", make("GET", f"/{MARK}-nothing", headers=((first, "x"),))
    yield "a client address set by the client", make("GET", "/", headers=(("x-forwarded-for", "10.20.0.9"),))
    yield "an empty header", make("GET", "/", headers=(("x-user-email", ""),))


def _odd(stack: StackInCheckout) -> Iterator[tuple[str, Request]]:
    make = partial(_request, stack)
    for method in ("TRACE", "PROPFIND"):
        yield f"method {method}", make(method, "/")
    for path in ("//api/v1/chats/", "/api/%2e%2e/metrics", "/static/../metrics", "/c/%00", "/c\\..\\metrics"):
        yield f"ambiguous path {path}", make("GET", path)
    yield "a space in a path", make("GET", "/c/a%20b")
    yield "gRPC", make("POST", "/", headers=(("content-type", "application/grpc+proto"),))
    for path in _canaries(stack):
        yield f"the firewall's canary {path}", make("GET", path)
        yield f"the firewall's canary {path} over plain HTTP", make("GET", f"http://{stack.host}{path}")
    yield "a body with GET", make("GET", "/", body_bytes=10)
    for path in _marked(stack, "model-call"):
        length = "content-length"
        yield "a body without a length", make("POST", path, body_bytes=10, declares_length=False)
        yield "a length that is not a number", make("POST", path, headers=((length, "1e3"),))
        yield "a length that no body can have", make("POST", path, headers=((length, "9" * 13),))
        both = (("transfer-encoding", "chunked"),)
        yield "two different content lengths", make("POST", path, body_bytes=10, headers=both)


def _canaries(stack: StackInCheckout) -> list[str]:
    """The paths that the WAF blocks in every request."""
    found = [
        mapped(at(rule, "statement", "byteMatchStatement"))
        for rule in listed(stack.web_acl.get("rules"))
        if at(rule, "action", "block") is not None
    ]
    return sorted(
        str(match["searchString"])
        for match in found
        if match.get("positionalConstraint") == "EXACTLY" and "uriPath" in mapped(match.get("fieldToMatch"))
    )


def _sizes(stack: StackInCheckout) -> Iterator[tuple[str, Request]]:
    """Both sides of each limit. A body is declared in full and never sent in full beyond the first 128 KiB."""
    make = partial(_request, stack)

    def text(target: str) -> Sized:
        return lambda size: make("GET", target + "x" * size)

    def body(path: str) -> Sized:
        return lambda size: make("POST", path, body_bytes=size)

    sized: list[tuple[str, Sized, int]] = [
        *((f"body of POST {path}", body(path), MOST_BODY) for path in _marked(stack, "model-call")),
        *((f"upload by POST {path}", body(path), MOST_BODY) for path in stack.proxy.upload_path_prefixes),
        ("path", text("/c/"), MOST_TEXT),
        ("query", text("/?q="), MOST_TEXT),
        ("header", lambda size: make("GET", "/", headers=(("x-large", "x" * size),)), MOST_TEXT),
    ]
    for what, sizes, most in sized:
        if (largest := boundary(stack, sizes, most)) is not None:
            yield f"{what} of the largest allowed size", sizes(largest)
            yield f"{what} one byte too large", sizes(largest + 1)
    if (largest := boundary(stack, text(f"{CALLBACK}?code="), MOST_TEXT)) is not None:
        yield "query of the login callback, one byte too long", text(f"{CALLBACK}?code=")(largest + 1)
    yield "a header beyond the load balancer's limit", make("GET", "/", headers=(("x-large", "x" * TOO_LARGE_HEADER),))
    yield "a request line beyond the load balancer's limit", make("GET", f"/{'x' * TOO_LONG_TARGET}")


def _with_session(stack: StackInCheckout, credentials: Credentials | None) -> Iterator[tuple[str, Request]]:
    if credentials is None or not credentials.cookie:
        return
    pairs = (item.partition("=") for item in credentials.cookie.split(";") if item.strip())
    cookies = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    make = partial(_request, stack, identity=stack.signed_in_user, cookies=cookies)
    yield "a signed-in user's first page", make("GET", "/")
    yield "a signed-in user's HEAD of the first page", make("HEAD", "/")
    yield "a signed-in user on an undeclared path", make("GET", f"/{MARK}-nothing")
    yield "a signed-in user with a spoofed header", make("GET", "/", headers=((EDGE_HEADERS[1], "x"),))
    for name, hosts, patterns in stack.rule_paths():
        if stack.host in hosts and any("fixedResponse" in action for action in stack.actions(name)):
            path = patterns[0].replace("*", "")
            yield f"a signed-in user on the hidden path {path}", make("GET", path)
    headers = tuple((f"x-{number}", "x" * 5000) for number in range(8))
    yield "a signed-in user with more headers than the proxy accepts", make("GET", "/", headers=headers)


def _with_token(stack: StackInCheckout, credentials: Credentials | None) -> Iterator[tuple[str, Request]]:
    if credentials is None or not credentials.token:
        return
    header = (("authorization", f"Bearer {credentials.token}"),)
    for name, hosts, patterns in stack.rule_paths():
        for action in stack.actions(name):
            if action.get("type") == "jwt-validation":
                url = f"https://{hosts[0]}{patterns[0].replace('*', MARK)}"
                request = _request(stack, "GET", url, headers=header, identity=accepted_token(action))
                yield f"a machine client on {patterns[0]}", request
                return


def accepted_token(action: Mapping[str, Any]) -> Identity:
    """Create a token that an action accepts: from the issuer, with each claim in the form that the rule expects."""
    claims: dict[str, Any] = {"iss": at(action, "jwtValidation", "issuer")}
    for claim in listed(at(action, "jwtValidation", "additionalClaims")):
        values = [str(value) for value in listed(claim["values"])]
        in_form = {"string-array": values, "space-separated-values": " ".join(values)}
        claims[str(claim["name"])] = in_form.get(str(claim.get("format")), values[0])
    return Identity(claims, token=True)
