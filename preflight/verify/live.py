"""Sends the request table to the live host, and checks the status, headers and cookies of every response."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from policies.guardrails.topology.http.requests import Request, Result
from preflight.account.lines import Group, Line, joined
from preflight.verify import tls
from preflight.verify.client import DROP_SECONDS, SECONDS, Live, LiveResponse, SilentError
from preflight.verify.comparison import difference, logins
from preflight.verify.requests import BASE, Credentials, RequestRow, rows, within_rates
from preflight.verify.stack import LISTENER, RULE, StackInCheckout

REQUESTS, HEADERS = Group("requests"), Group("headers")
PAUSE = 0.1
"""Seconds between requests."""
COOKIE, TOKEN = "PREFLIGHT_VERIFY_COOKIE", "PREFLIGHT_VERIFY_TOKEN"
_INSERTED = re.compile(r"routingHttpResponse(\w+)HeaderValue")
REFUSED = (401, 403)
AGAIN = (
    "run pulumi preview to see the differences from the recorded graph, then pulumi up; preflight trace shows each step"
)


@dataclass(frozen=True)
class Sending:
    """The input of the request check."""

    stack: StackInCheckout
    live: Live
    credentials: Credentials = field(default_factory=Credentials)
    pause: float | None = None
    """Seconds between requests; ``None``: ``PAUSE``."""


@dataclass(frozen=True)
class RequestTable:
    """The rows that are sent, and those that would use more than half of a rate limit."""

    kept: list[RequestRow]
    rest: list[RequestRow]

    @classmethod
    def of(cls, stack: StackInCheckout, credentials: Credentials) -> RequestTable:
        """Every row of the request table for a stack."""
        return cls(*within_rates(stack, rows(stack, credentials)))


def lines(
    sending: Sending, progress: Callable[[str], None] = lambda _: None, table: RequestTable | None = None
) -> Iterator[Line]:
    """TLS, then one line for each request, then headers and cookies. Pass ``table`` to avoid tracing it again."""
    stack, live = sending.stack, sending.live
    if problem := _unreachable(stack, live):
        yield problem
        return
    yield from tls.lines(stack, live)
    secure = tls.trusted(live)
    if not secure:
        live = replace(live, context=_unverified())
    table = table or RequestTable.of(stack, sending.credentials)
    found = [row for row in table.kept if secure or row.request.identity is None]
    answers: list[tuple[RequestRow, LiveResponse]] = []
    for number, row in enumerate(found):
        progress(f"sending request {number + 1} of {len(found)}")
        line, answer = _asked(stack, live, row)
        yield line
        if answer is not None:
            answers.append((row, answer))
        time.sleep(PAUSE if sending.pause is None else sending.pause)
    if table.rest:
        names = joined(row.name for row in table.rest)
        fix = "wait five minutes between runs, or raise the WAF's rates in the stack file"
        yield REQUESTS.cannot_tell("the rest", f"not sent, because half of a rate limit is used: {names}", fix)
    yield from _authenticated(stack, sending.credentials, secure=secure)
    yield from _headers(stack, answers)
    yield from _cookies(stack, answers)


def _unreachable(stack: StackInCheckout, live: Live) -> Line | None:
    host, port = live.place(443)
    try:
        replace(live, context=_unverified()).send(Request("HEAD", f"https://{stack.host}/", headers=BASE))
    except SilentError as error:
        if error.connected:
            return None  # the rows report what is wrong
        found = f"{host}:{port} cannot be reached: {error}"
        if stack.open_to_the_internet:
            fix = "check that the name resolves to the load balancer, and that its security group is as recorded"
            return REQUESTS.missing("the live host", found, fix)
        fix = "run the command from a network in edge.clientCidrBlocks of the stack file"
        return REQUESTS.cannot_tell("the live host", found, fix)
    return None


def _unverified() -> ssl.SSLContext:
    """A context that accepts any certificate, for requests without secrets. Another line reports the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _asked(stack: StackInCheckout, live: Live, row: RequestRow) -> tuple[Line, LiveResponse | None]:
    outcome = row.outcome
    if outcome.result is Result.NOT_PROVEN:
        fix = "the recorded graph does not decide it: preflight trace shows where"
        return REQUESTS.cannot_tell(row.name, f"not sent; unknown: {joined(outcome.unknowns)}", fix), None
    dropped = outcome.result is Result.DROPPED
    try:
        answer = live.send(row.request, DROP_SECONDS if dropped else SECONDS)
    except SilentError as error:
        if dropped:
            found = f"{error}, as recorded"
            return REQUESTS.holds(row.name, not error.connected, str(error) if error.connected else found, AGAIN), None
        return REQUESTS.missing(row.name, f"{error}, expected {outcome}", AGAIN), None
    if row.admitted_only and outcome.result is Result.SERVED:
        refused = answer.status in REFUSED
        wrong = f"returned {answer.status}, expected the token to be accepted" if refused else ""
    else:
        wrong = difference(stack, outcome, answer)
    if wrong:
        return REQUESTS.missing(row.name, wrong, AGAIN), answer
    return REQUESTS.ok(row.name, f"answers {answer.status}, as {outcome.rule} predicts"), answer


def _authenticated(stack: StackInCheckout, credentials: Credentials, *, secure: bool) -> Iterator[Line]:
    """The requests that were not sent because a session, a token or a valid certificate was missing."""
    wanted = [("requests of a signed-in user", credentials.cookie, COOKIE, "the Cookie header of a signed-in browser")]
    if len(stack.hosts) > 1:
        wanted.append(("requests of a machine client", credentials.token, TOKEN, "a token of the issuer"))
    for subject, given, variable, what in wanted:
        if not given:
            yield REQUESTS.cannot_tell(subject, f"not sent: {variable} is not set", f"set it to {what}")
        elif not secure:
            fix = "repair the certificate first"
            yield REQUESTS.cannot_tell(subject, "not sent: the certificate is not valid", fix)


def _of_the_edge(stack: StackInCheckout, row: RequestRow) -> bool:
    """Whether a listener or one of its rules answered."""
    names = {resource.name for kind in (LISTENER, RULE) for resource in stack.resources(kind)}
    return row.outcome.rule in names and row.outcome.result in (Result.ANSWERED, Result.SERVED)


def declared_headers(listener: Mapping[str, Any]) -> dict[str, str]:
    """The headers that a listener adds to its responses, in lower case."""
    found: dict[str, str] = {}
    for key, value in sorted(listener.items()):
        if (inserted := _INSERTED.fullmatch(key)) and value:
            found[re.sub(r"(?<!^)(?=[A-Z])", "-", inserted[1]).lower()] = str(value)
    return found


def _headers(stack: StackInCheckout, answers: list[tuple[RequestRow, LiveResponse]]) -> Iterator[Line]:
    for listener in stack.inputs(LISTENER):
        scheme = str(listener["protocol"]).lower()
        seen = [(r, a) for r, a in answers if _of_the_edge(stack, r) and r.request.scheme == scheme]
        if not seen:
            continue
        for name, value in declared_headers(listener).items():
            without = [row.name for row, answer in seen if answer.values(name) != [value]]
            found = f"{value!r} on {len(seen) - len(without)} of {len(seen)} answers"
            more = f"; not on {joined(without[:3])}" if without else ""
            fix = "compare the listener's header attributes with the recorded ones: preflight graph STACK"
            yield HEADERS.holds(f"{name} over {scheme}", not without, found + more, fix)
        if listener.get("routingHttpResponseServerEnabled") is False:
            shown = sorted({answer.value("server") for _, answer in seen} - {""})
            found = f"shown: {joined(shown)}" if shown else f"on none of {len(seen)} responses"
            fix = "set routing.http.response.server.enabled of the listener to false: pulumi up"
            yield HEADERS.holds(f"server over {scheme}", not shown, found, fix)


def _cookies(stack: StackInCheckout, answers: list[tuple[RequestRow, LiveResponse]]) -> Iterator[Line]:
    sessions = tuple(sorted({str(login.get("sessionCookieName")) for login in logins(stack)}))
    bare: set[str] = set()
    seen: set[str] = set()
    for row, answer in answers:
        for cookie in answer.values("set-cookie") if row.request.scheme == "https" else ():
            pair, *attributes = cookie.split(";")
            name = pair.partition("=")[0].strip()
            flags = {attribute.strip().lower() for attribute in attributes}
            wanted = {"secure", "httponly"} if name.startswith(sessions) else {"secure"}
            seen.add(name)
            bare |= {f"{name} without {flag}" for flag in wanted - flags}
    found = joined(sorted(bare)) if bare else f"each with its flags: {joined(sorted(seen))}"
    fix = "a cookie that is sent over plain HTTP, or that scripts can read, can be stolen: find the component that sets it"
    if seen:
        yield HEADERS.holds("cookies", not bare, found, fix)
    if not any(name.startswith(sessions) for name in seen):
        fix = f"set {COOKIE}, and run the command when a response renews the session"
        yield HEADERS.cannot_tell("cookies of the session", "no response set one", fix)
