"""The outcome of one request: every step on its path, and the rule that decided."""

from __future__ import annotations

from dataclasses import dataclass, replace

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.http.requests import CLIENT, Identity, Outcome, ProxyFacts, Request, Result
from policies.guardrails.topology.trace.request_path import trace
from preflight.analysis import managed_rules
from preflight.analysis.edge_proxy import configuration, facts_for
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording

_UNITS = {"": 1, "B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as given on the command line."""

    method: str
    url: str
    headers: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    body: str = ""
    claims: tuple[str, ...] = ()
    token: bool = False
    client: str = ""
    threats: tuple[str, ...] = ()
    """Names of managed WAF rules that the request is assumed to match."""


def size(text: str) -> int:
    """Parse a size such as ``5MB`` to bytes."""
    number = text.strip().upper().rstrip("KMGB")
    unit = text.strip().upper()[len(number) :]
    if not number.isdigit() or unit not in _UNITS:
        raise PreflightError(f"{text!r} is not a size; write a number, optionally with KB, MB or GB, for example 5MB")
    return int(number) * _UNITS[unit]


def request_of(asked: Asked) -> Request:
    """The request and the identity of its sender."""
    claims = dict(_pair(claim, "claim", "=") for claim in asked.claims)
    lists = {name: value.split(",") if "," in value else value for name, value in claims.items()}
    identity = Identity(lists, token=asked.token) if asked.claims or asked.token else None
    request = Request(
        method=asked.method.upper(),
        url=asked.url,
        headers=tuple(_pair(header, "header", ":") for header in asked.headers),
        cookies=tuple(_pair(cookie, "cookie", "=") for cookie in asked.cookies),
        body_bytes=size(asked.body) if asked.body else 0,
        identity=identity,
        client=asked.client or CLIENT,
    )
    assumed = frozenset(map(managed_rules.named, asked.threats))
    return replace(request, threats=assumed | managed_rules.matched(request))


def _pair(text: str, what: str, separator: str) -> tuple[str, str]:
    name, found, value = text.partition(separator)
    if not found or not name.strip():
        raise PreflightError(f"{text!r} is not a valid {what}; write it as name{separator}value")
    return name.strip(), value.strip()


def traced(graph: Graph, request: Request, proxy: ProxyFacts | None) -> Outcome:
    """Follow the request. The proxy knows the user only if the forwarding rule requires a login or validates
    a token."""
    outcome = trace(graph, request, proxy)
    known = any("has a session" in step.what or "has a matching token" in step.what for step in outcome.steps)
    reached = any(step.what == "forwards" for step in outcome.steps)
    if request.identity is None or known or not reached or proxy is None:
        return outcome
    return trace(graph, replace(request, identity=None), proxy)


def follow(recording: Recording, request: Request) -> tuple[Outcome, list[str]]:
    """Trace the request through the edge, and through the proxy if the stack has one. Returns the outcome, and the managed WAF
    rules that could not be evaluated on the way."""
    graph = Graph.from_recorded(recording.resources)
    proxy: ProxyFacts | None
    try:
        proxy = facts_for(configuration(recording), request.host)
    except PreflightError:
        proxy = None
    outcome = traced(graph, request, proxy)
    passed = any("no rule blocks" in str(step) for step in outcome.steps)
    return outcome, managed_rules.not_evaluated(graph) if passed else []


def exit_code(outcome: Outcome) -> int:
    """The exit code: 0 if the outcome is certain, 1 if it is not proven."""
    return 1 if outcome.result is Result.NOT_PROVEN else 0
