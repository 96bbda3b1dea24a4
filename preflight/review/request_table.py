"""The outcome of typical requests in each environment: for each declared path with and without a log-in, at both sides of each size
limit, and for the requests that an attacker tries first.

The requests follow from the recorded listener rules, firewall and proxy, so that a path that is added appears without a change here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import Unknown, as_list, as_mapping
from policies.guardrails.topology.http.requests import Identity, Outcome, ProxyFacts, Request, Result
from preflight.analysis.edge_proxy import configuration, facts
from preflight.analysis.tracing import traced
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording
from preflight.review.path_limits import size

ANYBODY, MEMBER, STRANGER = "without a log-in", "logged in, allowed", "logged in, not allowed"
CALLBACK = "/oauth2/idpresponse"
_SPOOFED = "x-amzn-oidc-data"
_ELSEWHERE = "other.example.net"
_MOST_PATHS = 60


@dataclass(frozen=True, slots=True)
class Cell:
    """The outcome in one environment."""

    verdict: str
    """``served``, ``refused``, ``redirected`` or ``not proven``."""
    text: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcome of a request of one kind of client, in each environment that has the path."""

    who: str
    cells: Mapping[str, Cell]

    @property
    def differs(self) -> bool:
        """Whether the environments decide it differently."""
        return len({cell.text for cell in self.cells.values()}) > 1

    @property
    def shown(self) -> list[tuple[str, Cell]]:
        """The outcome once, without an environment's name, if it is the same in all; otherwise each."""
        cells = list(self.cells.items())
        return cells if self.differs else [("", cells[-1][1])]


@dataclass(frozen=True, slots=True)
class RequestLine:
    """Requests with the same outcome, for each kind of client that sends them. The steps are those of the first."""

    names: tuple[str, ...]
    outcomes: Mapping[str, Outcomes]


def lines_of(recordings: Mapping[str, Recording], graphs: Mapping[str, Graph]) -> list[RequestLine]:
    """Every request of every environment, in the order of the first one that has it."""
    found: dict[str, dict[str, dict[str, Cell]]] = {}
    for name, recording in recordings.items():
        stack = _Stack(recording, graphs[name])
        for title, who, request in stack.requests():
            outcome = traced(stack.graph, request, stack.proxy)
            found.setdefault(title, {}).setdefault(who, {})[name] = _cell(outcome, stack.host)
    lines = [
        RequestLine((title,), {who: Outcomes(who, cells) for who, cells in kinds.items()})
        for title, kinds in found.items()
    ]
    return _grouped(lines)


def _grouped(lines: list[RequestLine]) -> list[RequestLine]:
    """Requests with the same outcomes by rules of the same kind as one line, at the place of the first."""
    found: dict[tuple[object, ...], RequestLine] = {}
    for line in lines:
        key = tuple(
            (who, name, re.sub(r"-\d+$", "", cell.text))
            for who, own in line.outcomes.items()
            for name, cell in own.cells.items()
        )
        known = found.get(key)
        found[key] = line if known is None else RequestLine((*known.names, *line.names), known.outcomes)
    return list(found.values())


def _cell(outcome: Outcome, host: str) -> Cell:
    verdict = {
        Result.SERVED: "served",
        Result.DROPPED: "refused",
        Result.NOT_PROVEN: "not proven",
    }.get(outcome.result, "redirected" if outcome.location else "refused")
    status = f" {outcome.status}" if outcome.status else ""
    to = (
        f" to {'the log-in' if outcome.location and host not in outcome.location else outcome.location}"
        if outcome.location
        else ""
    )
    steps = tuple(str(step).replace(host, "HOST") if host else str(step) for step in outcome.steps)
    return Cell(verdict, f"{verdict}{status}{to.replace(host, 'HOST') if host else to}, by {outcome.rule}", steps)


class _Stack:
    def __init__(self, recording: Recording, graph: Graph) -> None:
        self.graph = graph
        self.proxy: ProxyFacts | None
        try:
            self.proxy = facts(configuration(recording))
        except PreflightError:
            self.proxy = None
        self.rules = sorted(
            graph.of_type("lb.ListenerRule"), key=lambda rule: (str(rule.value("priority")).zfill(9), rule.name)
        )
        self.host = next((host for rule in self.rules for host in condition_values(rule, "hostHeader")), "")

    def requests(self) -> Iterator[tuple[str, str, Request]]:
        """Title, kind of client, and request."""
        if not self.host:
            return
        yield from self._paths()
        yield from self._sizes()
        yield from self._attempts()

    def _request(self, method: str, path: str, who: str = ANYBODY, **more: object) -> Request:
        url = path if "://" in path else f"https://{self.host}{path}"
        return Request(method, url, identity=self._identity(who), **more)  # pyright: ignore[reportArgumentType] (fields by name)

    def _identity(self, who: str) -> Identity | None:
        if who == ANYBODY:
            return None
        if who == STRANGER or self.proxy is None:
            return Identity({"sub": "another-person", "email": "person@other.example.net", "email_verified": "true"})
        return Identity(self.proxy.admitted_claims())

    def _paths(self) -> Iterator[tuple[str, str, Request]]:
        seen: set[str] = set()
        for rule in self.rules:
            hosts = condition_values(rule, "hostHeader")
            for pattern in condition_values(rule, "pathPattern") or ["/*"]:
                path = pattern.replace("*", "x").replace("?", "x") if pattern != "/*" else "/"
                if path == CALLBACK or path in seen or self.host not in (hosts or [self.host]):
                    continue
                seen.add(path)
                for who in (ANYBODY, STRANGER, MEMBER):
                    if len(seen) <= _MOST_PATHS:
                        yield f"GET {pattern if pattern != '/*' else '/'}", who, self._request("GET", path, who)

    def _sizes(self) -> Iterator[tuple[str, str, Request]]:
        if self.proxy is None:
            return
        model = next(iter(self._labelled("mark-model-call")), "/api/chat/completions")
        limits = [(model, self.proxy.prompt_bytes, "POST")]
        limits += [(f"{prefix}", self.proxy.upload_bytes, "POST") for prefix in self.proxy.upload_path_prefixes]
        for path, most, method in limits:
            if most:
                yield f"{method} {path}, {size(most)}", MEMBER, self._request(method, path, MEMBER, body_bytes=most)
                yield (
                    f"{method} {path}, one byte more",
                    MEMBER,
                    self._request(method, path, MEMBER, body_bytes=most + 1),
                )

    def _labelled(self, name: str) -> list[str]:
        """The paths of a rule of the firewall that only marks requests."""
        found: list[str] = []
        for acl in self.graph.of_type("wafv2.WebAcl"):
            rules = acl.items("rules")
            for rule in [] if isinstance(rules, Unknown) else rules:
                if (as_mapping(rule) or {}).get("name") == name:
                    found += re.findall(r"'searchString': '(/[^']*)'", str(rule))
        return sorted(found)

    def _attempts(self) -> Iterator[tuple[str, str, Request]]:
        yield "GET / over plain HTTP", ANYBODY, self._request("GET", f"http://{self.host}/")
        yield "GET / of another host name", ANYBODY, self._request("GET", f"https://{_ELSEWHERE}/")
        yield f"GET / with a forged {_SPOOFED}", ANYBODY, self._request("GET", "/", headers=((_SPOOFED, "x"),))
        yield f"GET / with a forged {_SPOOFED}", MEMBER, self._request("GET", "/", MEMBER, headers=((_SPOOFED, "x"),))
        yield "TRACE /", ANYBODY, self._request("TRACE", "/")
        yield "GET /static/../metrics", MEMBER, self._request("GET", "/static/../metrics", MEMBER)
        yield "GET an undeclared path", MEMBER, self._request("GET", "/undeclared-path", MEMBER)


def condition_values(rule: Resource, kind: str) -> list[str]:
    """The values of a listener rule's conditions of one kind, such as ``pathPattern``."""
    conditions = rule.items("conditions")
    found: list[str] = []
    for condition in [] if isinstance(conditions, Unknown) else conditions:
        own = as_mapping((as_mapping(condition) or {}).get(kind)) or {}
        found += [str(value) for value in as_list(own.get("values")) or []]
    return found
