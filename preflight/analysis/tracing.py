"""The outcome of one request: every step on its path, and the rule that decided."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.http.requests import CLIENT, Identity, Outcome, ProxyFacts, Request, Result
from policies.guardrails.topology.trace.request_path import trace
from preflight.analysis import managed_rules
from preflight.analysis.edge_proxy import configuration, facts
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


def follow(recording: Recording, request: Request) -> tuple[Outcome, list[str]]:
    """Trace the request through the edge, and through the proxy if the stack has one. Returns the outcome, and the managed WAF
    rules that could not be evaluated on the way."""
    graph = Graph.from_recorded(recording.resources)
    proxy: ProxyFacts | None
    try:
        proxy = facts(configuration(recording))
    except PreflightError:
        proxy = None
    outcome = trace(graph, request, proxy)
    passed = any("no rule blocks" in str(step) for step in outcome.steps)
    return outcome, managed_rules.not_evaluated(graph) if passed else []


def as_text(request: Request, outcome: Outcome, unevaluated: Sequence[str] = ()) -> str:
    """One line for each step, then the outcome, and what could not be evaluated."""
    lines = [f"{request.method} {request.url}"]
    lines += [f"  {number:>2}  {step}" for number, step in enumerate(outcome.steps, start=1)]
    lines.append(f"  =>  {outcome}" + (f" to {outcome.location}" if outcome.location else ""))
    if outcome.unknowns:
        lines.append(f"      not known: {', '.join(outcome.unknowns)}")
    lines += [f"      not evaluated: {one}" for one in unevaluated]
    return "\n".join(lines) + "\n"


def as_json(request: Request, outcome: Outcome, unevaluated: Sequence[str] = ()) -> str:
    """The trace as JSON."""
    content = {
        "method": request.method,
        "url": request.url,
        **asdict(outcome),
        "result": str(outcome.result),
        "not_evaluated": list(unevaluated),
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def exit_code(outcome: Outcome) -> int:
    """The exit code: 0 if the outcome is certain, 1 if it is not proven."""
    return 1 if outcome.result is Result.NOT_PROVEN else 0
