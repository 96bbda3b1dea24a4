"""The web ACL in front of the load balancer: the topology's evaluator, with rate rules that count real requests.

Managed rule groups are not implemented, because AWS does not publish what their rules match. ``not_emulated`` lists
them.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from local.edge.firewall_log import Log, Terminated
from local.edge.messages import Headers
from local.edge.received import ReceivedRequest
from local.edge.surroundings import EdgeSurroundings
from local.stack import Resource
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import as_list, as_mapping
from policies.guardrails.topology.http.requests import Trail
from policies.guardrails.topology.waf.match_fields import BODY_WINDOW, transformed
from policies.guardrails.topology.waf.web_acl import Match, WebAcl

DEFAULT_WINDOW = 300
"""The default window of a rate rule, in seconds."""
CONTENT_TYPES = {"TEXT_PLAIN": "text/plain", "TEXT_HTML": "text/html", "APPLICATION_JSON": "application/json"}
INSPECTED = BODY_WINDOW + 1
"""The number of body bytes that must have arrived before a request is evaluated; one byte more shows that the body is
longer."""
ALL = "ALL"
DEFAULT = "Default_Action"


@dataclass(frozen=True)
class Blocked:
    """The web ACL's response."""

    status: int
    headers: Headers
    body: bytes
    rule: str


@dataclass
class Evaluation:
    """The findings of one evaluation, in addition to its result."""

    matched: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    """The rules that matched, in order."""
    over: list[str] = field(default_factory=list[str])
    """The rate rules whose limit the request exceeded."""


class CountingAcl(WebAcl):
    """A web ACL whose rate rules count requests by their keys and windows.

    AWS applies a rate limit approximately and with a delay (AWS WAF developer guide, rate-based rules); here it is
    exact and immediate.
    """

    def __init__(self, graph: Graph, acl: Any, clock: Callable[[], float]) -> None:  # noqa: ANN401 - the topology's
        super().__init__(graph, acl)
        self._clock = clock
        self._seen: defaultdict[tuple[str, tuple[str, ...]], deque[float]] = defaultdict(deque[float])
        self.current = Evaluation()

    def forget(self) -> None:
        """Reset all rate counters."""
        self._seen.clear()

    def _apply(self, trail: Trail, name: str, rule: dict[str, Any]) -> tuple[Match, tuple[int, str] | None]:
        matched, ended = super()._apply(trail, name, rule)
        if matched is True:
            self.current.matched.append((name, rule))
        return matched, ended

    def _rate(self, trail: Trail, name: str, body: dict[str, Any]) -> Match:
        key = aggregation(trail.request, body)
        if key is None:
            return False
        scope = as_mapping(body.get("scopeDownStatement"))
        inside = True if scope is None else self.matches(trail, name, scope)
        if inside is not True:
            return inside
        now, seen = self._clock(), self._seen[name, key]
        window = float(body.get("evaluationWindowSec") or DEFAULT_WINDOW)
        while seen and seen[0] <= now - window:
            seen.popleft()
        seen.append(now)
        over = len(seen) > int(body["limit"])
        if over:
            self.current.over.append(name)
        return over


def aggregation(request: Any, body: dict[str, Any]) -> tuple[str, ...] | None:  # noqa: ANN401 - a Request or ReceivedRequest
    """Return the aggregation instance in which a rate rule counts a request; ``None`` for a request that lacks a key
    and is not counted."""
    kind = body.get("aggregateKeyType")
    if kind in (None, "IP"):
        return (request.client,)
    if kind == "CONSTANT":
        return ()
    if kind != "CUSTOM_KEYS":
        raise NotImplementedError(f"a rate rule with the aggregate key {kind}")
    found: list[str] = []
    for item in as_list(body.get("customKeys")) or []:
        for name, options in (as_mapping(item) or {}).items():
            value = _key(request, name, as_mapping(options) or {})
            if value is None:
                return None
            found.append(value)
    return tuple(found)


def _key(request: Any, kind: str, options: dict[str, Any]) -> str | None:  # noqa: ANN401 - a Request or ReceivedRequest
    name = str(options.get("name", "")).lower()
    if kind == "ip":
        return request.client
    if kind == "cookie":
        value = next((text for key, text in request.cookies if key.lower() == name), None)
    elif kind == "header":
        value = request.header(name)
    elif kind in ("queryString", "uriPath", "httpMethod"):
        value = {"queryString": request.query, "uriPath": request.path, "httpMethod": request.method}[kind]
    else:
        raise NotImplementedError(f"a rate rule with the aggregate key {kind}")
    return None if value is None else transformed(value, options)


class EdgeFirewall:
    """The web ACL that is associated with a load balancer."""

    def __init__(self, resource: Resource, graph: Graph, around: EdgeSurroundings) -> None:
        self.resource = resource
        self.around = around
        (acl,) = graph.identified(resource["arn"], ("wafv2.WebAcl",))
        self.acl = CountingAcl(graph, acl, around.clock)
        self.rules: list[dict[str, Any]] = resource["rules"]
        self.bodies = {str(one["key"]): one for one in resource.get("customResponseBodies", [])}
        self.default: dict[str, Any] = resource["defaultAction"]
        self.metric: str = resource["visibilityConfig"]["metricName"]
        self.region = around.stack.region
        self.not_emulated = sorted(_not_emulated(self.rules))
        self.log = Log.of(around, resource)

    def evaluate(self, request: ReceivedRequest) -> Blocked | None:
        """Return the response to a blocked request; ``None`` if the request passes."""
        trail = Trail(request)
        self.acl.current = Evaluation()
        outcome = self.acl.evaluate(trail)
        found = self.acl.current
        for unknown in trail.unknowns:
            self.around.refuse(f"{unknown}: the statement cannot be evaluated for a request and did not match")
        counting = [(name, rule) for name, rule in found.matched if "count" in (rule.get("action") or {})]
        for name in [*(_metric(rule) for _, rule in counting), *[ALL] * bool(counting)]:
            self._put("CountedRequests", name)
        blocked = None
        if outcome is None:
            self._put("AllowedRequests", DEFAULT)
        else:
            none: dict[str, Any] = {}
            rule = next((one for one in self.rules if one["name"] == outcome.rule), none)
            action: dict[str, Any] = (rule.get("action") or self.default).get("block") or {}
            blocked = self._response(outcome.rule, outcome.status or 403, action.get("customResponse") or {})
            self._put("BlockedRequests", _metric(rule) if rule else DEFAULT)
        self._put("BlockedRequests" if blocked else "AllowedRequests", ALL)
        counted = [name for name, _ in counting]
        ended = (blocked.rule, blocked.status) if blocked else (DEFAULT, None)
        self.log.add(request, Terminated(*ended, counted, found.over, sorted(trail.labels)))
        return blocked

    def _response(self, rule: str, status: int, custom: dict[str, Any]) -> Blocked:
        added: list[dict[str, Any]] = custom.get("responseHeaders") or []
        headers = [(str(one["name"]), str(one["value"])) for one in added]
        body = self.bodies.get(str(custom.get("customResponseBodyKey")))
        if body is None:
            return Blocked(status, tuple(headers), b"", rule)
        kind = CONTENT_TYPES[str(body["contentType"])]
        return Blocked(status, (("Content-Type", kind), *headers), str(body["content"]).encode(), rule)

    def forget(self) -> None:
        """Reset all rate counters."""
        self.acl.forget()

    def _put(self, name: str, rule: str) -> None:
        """Emit a metric, of a rule whose metrics are enabled, or of all rules together."""
        if not rule:
            return
        dimensions = {"WebACL": self.metric, "Region": self.region, "Rule": rule}
        self.around.signals.metrics.put("AWS/WAFV2", name, 1, self.around.clock(), dimensions)


def _metric(rule: dict[str, Any]) -> str:
    """The name of a rule's metric; empty if it has none."""
    shown: dict[str, Any] = rule["visibilityConfig"]
    return str(shown["metricName"]) if shown["cloudwatchMetricsEnabled"] else ""


def _not_emulated(rules: list[dict[str, Any]]) -> Iterator[str]:
    """Parts of the rules that this web ACL does not emulate."""
    for rule in rules:
        if group := rule["statement"].get("managedRuleGroupStatement"):
            yield f"{rule['name']}: the rules of {group['name']}, which AWS does not publish"
        action: dict[str, dict[str, Any]] = rule.get("action") or {}
        for kind, options in action.items():
            if kind in ("captcha", "challenge"):
                yield f"{rule['name']}: {kind}, which ends a request and never accepts a token"
            if options.get("customRequestHandling"):
                yield f"{rule['name']}: the headers that {kind} inserts"
