"""The web ACL in front of the load balancer: the topology's evaluator, with rate rules that really count.

Managed rule groups are not played: AWS does not publish what their rules match. ``not_played`` lists them.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from local.edge.messages import Headers
from local.edge.received import Received
from local.edge.surroundings import Surroundings
from local.stack import Resource
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import as_list, as_mapping
from policies.guardrails.topology.http.requests import Trail
from policies.guardrails.topology.waf.match_fields import BODY_WINDOW, transformed
from policies.guardrails.topology.waf.web_acl import Match, WebAcl

DEFAULT_WINDOW = 300
"""Seconds that a rate rule looks back, where it does not say it."""
CONTENT_TYPES = {"TEXT_PLAIN": "text/plain", "TEXT_HTML": "text/html", "APPLICATION_JSON": "application/json"}
INSPECTED = BODY_WINDOW + 1
"""How much of a body has to be there before a request is evaluated: one byte more tells that there is more."""
ALL = "ALL"
DEFAULT = "Default_Action"


@dataclass(frozen=True)
class Blocked:
    """The response of a web ACL."""

    status: int
    headers: Headers
    body: bytes
    rule: str


@dataclass
class Evaluation:
    """What one evaluation found besides its end."""

    matched: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    """Rules that matched, in order."""
    over: list[str] = field(default_factory=list[str])
    """Rate rules whose limit the request exceeded."""


class CountingAcl(WebAcl):
    """A web ACL whose rate rules count requests by their keys and window."""

    def __init__(self, graph: Graph, acl: Any, clock: Callable[[], float]) -> None:  # noqa: ANN401 - the topology's
        super().__init__(graph, acl)
        self._clock = clock
        self._seen: defaultdict[tuple[str, tuple[str, ...]], deque[float]] = defaultdict(deque[float])
        self.current = Evaluation()

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


def aggregation(request: Any, body: dict[str, Any]) -> tuple[str, ...] | None:  # noqa: ANN401 - a Request or Received
    """The instance that a rate rule counts a request in; nothing for a request that lacks a key: it is not counted."""
    kind = body.get("aggregateKeyType")
    if kind in (None, "IP"):
        return (request.client,)
    if kind == "CONSTANT":
        return ()
    if kind != "CUSTOM_KEYS":
        raise NotImplementedError(f"a rate rule that counts by {kind}")
    found: list[str] = []
    for item in as_list(body.get("customKeys")) or []:
        for name, options in (as_mapping(item) or {}).items():
            value = _key(request, name, as_mapping(options) or {})
            if value is None:
                return None
            found.append(value)
    return tuple(found)


def _key(request: Any, kind: str, options: dict[str, Any]) -> str | None:  # noqa: ANN401 - a Request or Received
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
        raise NotImplementedError(f"a rate rule that counts by {kind}")
    return None if value is None else transformed(value, options)


class Firewall:
    """The web ACL that is associated with a load balancer."""

    def __init__(self, resource: Resource, graph: Graph, around: Surroundings) -> None:
        self.resource = resource
        self.around = around
        (acl,) = graph.identified(resource["arn"], ("wafv2.WebAcl",))
        self.acl = CountingAcl(graph, acl, around.clock)
        self.rules: list[dict[str, Any]] = resource["rules"]
        self.bodies = {str(one["key"]): one for one in resource.get("customResponseBodies", [])}
        self.default: dict[str, Any] = resource["defaultAction"]
        self.metric: str = resource["visibilityConfig"]["metricName"]
        self.not_played = sorted(_managed(self.rules))
        self.log = Log.of(around, resource["arn"])

    def evaluate(self, request: Received) -> Blocked | None:
        """The response to a blocked request, nothing for one that passes."""
        trail = Trail(request)
        self.acl.current = Evaluation()
        outcome = self.acl.evaluate(trail)
        found = self.acl.current
        for unknown in trail.unknowns:
            self.around.refuse(f"{unknown}: the statement cannot be evaluated for a request and did not match")
        for _, rule in found.matched:
            if "count" in (rule.get("action") or {}):
                self._put("CountedRequests", _metric(rule))
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
        self.log.add(request, blocked, found, sorted(trail.labels))
        return blocked

    def _response(self, rule: str, status: int, custom: dict[str, Any]) -> Blocked:
        added: list[dict[str, Any]] = custom.get("responseHeaders") or []
        headers = [(str(one["name"]), str(one["value"])) for one in added]
        body = self.bodies.get(str(custom.get("customResponseBodyKey")))
        if body is None:
            return Blocked(status, tuple(headers), b"", rule)
        kind = CONTENT_TYPES[str(body["contentType"])]
        return Blocked(status, (("Content-Type", kind), *headers), str(body["content"]).encode(), rule)

    def _put(self, name: str, rule: str) -> None:
        dimensions = {"WebACL": self.metric, "Region": self.around.stack.region, "Rule": rule}
        self.around.signals.metrics.put("AWS/WAFV2", name, 1, self.around.clock(), dimensions)


def _metric(rule: dict[str, Any]) -> str:
    return str(rule["visibilityConfig"]["metricName"])


def _managed(rules: list[dict[str, Any]]) -> Iterator[str]:
    for rule in rules:
        group = rule["statement"].get("managedRuleGroupStatement")
        if group:
            yield f"{rule['name']}: the rules of {group['name']}, which AWS does not publish"


@dataclass
class Log:
    """The web ACL's log by its logging configuration: filtered, redacted, as JSON lines."""

    around: Surroundings
    arn: str
    filter: dict[str, Any]
    redacted: list[dict[str, Any]]
    destinations: list[str]

    @classmethod
    def of(cls, around: Surroundings, arn: str) -> Log:
        """The log of a web ACL; without a logging configuration nothing is kept."""
        kind = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
        found = next(iter(around.stack.where(kind, resourceArn=arn)), None)
        if found is None:
            return cls(around, arn, {}, [], [])
        return cls(
            around,
            arn,
            found.get("loggingFilter", {}),
            found.get("redactedFields", []),
            found["logDestinationConfigs"],
        )

    def add(self, request: Received, blocked: Blocked | None, found: Evaluation, labels: list[str]) -> None:
        """Keep a line where the filter does not drop it."""
        action = "BLOCK" if blocked else "ALLOW"
        counted = [name for name, rule in found.matched if "count" in (rule.get("action") or {})]
        actions = {action, *("COUNT" for _ in counted)}
        if not self.destinations or not self._kept(actions, labels):
            return
        hidden = {str(one["singleHeader"]["name"]) for one in self.redacted if one.get("singleHeader") is not None}
        line = {
            "timestamp": int(self.around.clock() * 1000),
            "formatVersion": 1,
            "webaclId": self.arn,
            "terminatingRuleId": blocked.rule if blocked else DEFAULT,
            "terminatingRuleType": "RATE_BASED" if blocked and blocked.rule in found.over else "REGULAR",
            "action": action,
            "httpSourceName": "ALB",
            "rateBasedRuleList": [{"rateBasedRuleName": name} for name in found.over],
            "nonTerminatingMatchingRules": [{"ruleId": name, "action": "COUNT"} for name in counted],
            "responseCodeSent": blocked.status if blocked else None,
            "httpRequest": {
                "clientIp": request.client,
                "headers": [
                    {"name": name, "value": "REDACTED" if name in hidden else value}
                    for name, value in request.sent_headers()
                ],
                "uri": self._shown("uriPath", request.path),
                "args": self._shown("queryString", request.query),
                "httpMethod": self._shown("method", request.method),
            },
            "labels": [{"name": name} for name in labels],
        }
        self.around.journal.add("firewall", json.dumps(line))

    def _shown(self, kind: str, value: str) -> str:
        return "REDACTED" if any(one.get(kind) is not None for one in self.redacted) else value

    def _kept(self, actions: set[str], labels: list[str]) -> bool:
        for one in self.filter.get("filters", []):
            held = [_holds(condition, actions, labels) for condition in one["conditions"]]
            if any(held) if one["requirement"] == "MEETS_ANY" else all(held):
                return one["behavior"] == "KEEP"
        return self.filter.get("defaultBehavior", "KEEP") == "KEEP"


def _holds(condition: dict[str, Any], actions: set[str], labels: list[str]) -> bool:
    if condition.get("actionCondition"):
        return condition["actionCondition"]["action"] in actions
    name = str(condition["labelNameCondition"]["labelName"])
    return any(label == name or label.endswith(f":{name}") for label in labels)
