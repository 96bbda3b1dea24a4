"""A trace for a terminal and as JSON: every hop with the rule that decides, the limits on the way, and the headers that change."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.http.requests import Outcome, Request
from preflight.analysis.tracing import follow
from preflight.recording.recorder import Recording
from preflight.review.passage import Passage, passage


@dataclass(frozen=True, slots=True)
class TracedRequest:
    """One request and everything that is known about its way."""

    request: Request
    outcome: Outcome
    passage: Passage
    unevaluated: tuple[str, ...] = ()
    """Managed rules of the firewall that could not be evaluated."""


def traced_request(recording: Recording, request: Request) -> TracedRequest:
    """Follow a request through a stack."""
    outcome, unevaluated = follow(recording, request)
    graph = Graph.from_recorded(recording.resources)
    return TracedRequest(request, outcome, passage(recording, graph, request, outcome), tuple(unevaluated))


def as_text(traced: TracedRequest) -> str:
    """One line for each step, the outcome, then limits and headers."""
    request, outcome = traced.request, traced.outcome
    lines = [f"{request.method} {request.url}"]
    for number, step in enumerate(outcome.steps, start=1):
        by = f", by route {traced.passage.route}" if step.where == "proxy" and traced.passage.route else ""
        lines.append(f"  {number:>2}  {step}{by}")
    lines.append(f"  =>  {outcome}" + (f" to {outcome.location}" if outcome.location else ""))
    if outcome.unknowns:
        lines.append(f"      not known: {', '.join(outcome.unknowns)}")
    lines += [f"      not evaluated: {one}" for one in traced.unevaluated]
    if traced.passage.limits:
        lines += ["", "  limits on the way"]
        lines += [f"    {one.place:<16} {one.what}: {one.value}" for one in traced.passage.limits]
    for on in ("request", "response"):
        own = [one for one in traced.passage.headers if one.on == on]
        if own:
            lines += ["", f"  headers of the {on}"]
            lines += [f"    {one.station:<16} {one.does} {one.header}" for one in own]
    return "\n".join(lines) + "\n"


def as_json(traced: TracedRequest) -> str:
    """The trace as JSON."""
    return json.dumps(content(traced), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def content(traced: TracedRequest) -> dict[str, object]:
    """The trace as plain data."""
    return {
        "method": traced.request.method,
        "url": traced.request.url,
        **asdict(traced.outcome),
        "result": str(traced.outcome.result),
        "not_evaluated": list(traced.unevaluated),
        "route": traced.passage.route,
        "limits": [asdict(one) for one in traced.passage.limits],
        "headers": [asdict(one) for one in traced.passage.headers],
    }
