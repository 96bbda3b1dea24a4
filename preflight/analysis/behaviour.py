"""Compares the behavior of environments: their ingress and egress, and the outcomes of the same requests.

Environments whose resources look alike can still treat a request differently. The same table of requests is therefore
evaluated in both, for a user who is allowed, for one who is not, and without a login.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import Unknown, Value, as_list, as_mapping
from policies.guardrails.topology.http.requests import Identity, ProxyFacts, Request
from policies.guardrails.topology.trace.request_path import trace
from policies.parity.normalize import Normalizer
from policies.parity.rules import CONNECTIVITY, ORDER, PACK, PROPERTIES, REQUESTS, RESOURCES, ParityRule
from preflight.analysis.edge_proxy import configuration, facts
from preflight.errors import PreflightError
from preflight.findings import Connectivity, Finding, Verdict
from preflight.recording.recorder import Recording

_MEBIBYTE = 1024 * 1024
_LARGE = 5 * _MEBIBYTE
_STRANGER = "a user who is not allowed"
_NOT_LOGGED_IN = "a client that is not logged in"
_PROPERTY_BY_PROPERTY = {rule.name for rule in (RESOURCES, PROPERTIES, ORDER)}


def differences(
    order: Sequence[str],
    recordings: Mapping[str, Recording],
    connectivity: Sequence[Connectivity],
    graphs: Mapping[str, Graph] | None = None,
) -> list[Finding]:
    """Findings about each pair of neighboring environments in ``order``; ``graphs`` are theirs, where they exist."""
    graphs = graphs or {name: Graph.from_recorded(recordings[name].resources) for name in order}
    return [
        *_connectivity(order, graphs, {w.environment: w for w in connectivity}),
        *_requests(order, graphs, recordings),
    ]


def attributed(compared: Sequence[Finding], behaving: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """If exactly one property or resource differs, differences in behavior are its consequence: they become the witness
    of that finding. With several differences, or none, they are separate findings.
    """
    different = [finding for finding in compared if finding.rule in _PROPERTY_BY_PROPERTY]
    if len(different) != 1 or not behaving:
        return list(compared), list(behaving)
    (one,) = different
    consequences = "; ".join(f"{finding.headline} ({finding.found})" for finding in behaving)
    said = replace(one, witness="; ".join(part for part in (one.witness, consequences) if part))
    return [said if finding is one else finding for finding in compared], []


def _finding(rule: ParityRule, pair: Sequence[str], headline: str, found: str) -> Finding:
    return Finding(
        environment=" and ".join(pair),
        rule=rule.name,
        verdict=Verdict.VIOLATED,
        headline=headline,
        found=found,
        wanted="the same in every environment",
        fix=rule.remediation,
        pack=PACK,
        severity=str(rule.severity),
        description=rule.description,
    )


def _connectivity(
    order: Sequence[str], graphs: Mapping[str, Graph], connectivity: Mapping[str, Connectivity]
) -> list[Finding]:
    found: list[Finding] = []
    shown = {name: _shown(name, graphs[name], connectivity.get(name)) for name in order}
    for first, second in itertools.pairwise(order):
        only = [f"{first}: {path}" for path in sorted(shown[first] - shown[second])]
        only += [f"{second}: {path}" for path in sorted(shown[second] - shown[first])]
        if only:
            found.append(_finding(CONNECTIVITY, (first, second), "ingress and egress differ", "; ".join(only)))
    return found


def _shown(name: str, graph: Graph, connectivity: Connectivity | None) -> set[str]:
    normal = Normalizer(graph, name)
    return (
        set()
        if connectivity is None
        else {str(normal.value(str(path))) for path in (*connectivity.ingress, *connectivity.egress)}
    )


def _requests(order: Sequence[str], graphs: Mapping[str, Graph], recordings: Mapping[str, Recording]) -> list[Finding]:
    paths = sorted({path for graph in graphs.values() for path in _paths(graph)})
    ends = {name: _ends(graphs[name], recordings[name], paths) for name in order}
    found: list[Finding] = []
    for first, second in itertools.pairwise(order):
        differing = [asked for asked in ends[first] if ends[first][asked] != ends[second].get(asked)]
        for asked in differing[:3]:
            text = f"{first}: {ends[first][asked]}; {second}: {ends[second].get(asked, 'no such host')}"
            found.append(_finding(REQUESTS, (first, second), f"{asked} has a different outcome", text))
        if more := len(differing) - 3 if len(differing) > 3 else 0:  # noqa: PLR2004 - three are shown
            text = ", ".join(differing[3:])
            found.append(_finding(REQUESTS, (first, second), f"{more} more requests have a different outcome", text))
    return found


def _paths(graph: Graph) -> list[str]:
    """The first path of each listener rule, and one that no rule names."""
    found = ["/not-offered-anywhere"]
    for rule in graph.of_type("lb.ListenerRule"):
        conditions = rule.items("conditions")
        for condition in [] if isinstance(conditions, Unknown) else conditions:
            values = (as_mapping((as_mapping(condition) or {}).get("pathPattern")) or {}).get("values")
            patterns: list[Value] = as_list(values) or []
            found += [str(pattern).replace("*", "x") for pattern in patterns[:1]]
    return found


def _ends(graph: Graph, recording: Recording, paths: Sequence[str]) -> dict[str, str]:
    """The outcome of each request, by request and client."""
    host = next((c.value("domainName") for c in graph.of_type("acm.Certificate")), None)
    if not isinstance(host, str):
        return {}
    proxy: ProxyFacts | None
    try:
        proxy = facts(configuration(recording))
    except PreflightError:
        proxy = None
    people: dict[str, Identity | None] = {_NOT_LOGGED_IN: None}
    if proxy is not None:
        people["an allowed user"] = Identity(proxy.admitted_claims())
    asked = [("GET", path, who, 0) for path in paths for who in people]
    asked += [("POST", path, who, _LARGE) for path in paths[:: max(len(paths) // 4, 1)] for who in people]
    asked += [("GET", path, _STRANGER, 0) for path in paths[:: max(len(paths) // 4, 1)]]
    people[_STRANGER] = Identity({"sub": "stranger"})
    found: dict[str, str] = {}
    for method, path, who, size in asked:
        request = Request(method, f"https://{host}{path}", body_bytes=size, identity=people[who])
        body = f" with {size // _MEBIBYTE} MiB" if size else ""
        found[f"{method} {path}{body} by {who}"] = str(trace(graph, request, proxy))
    return found
