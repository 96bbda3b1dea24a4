"""The limits that a web ACL's rules set: the request rate of a client, and the size of each part of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .probes import stopped
from .topology.graph.resources import Graph
from .topology.graph.values import as_mapping, listed
from .web_acls import COMMON_RULES, WebAclRules, counted, fields, managed

LIMITS = {
    "rate": "a blocking rate-based rule",
    "cookies": "a blocking limit on the size of the cookies",
    "query": "a blocking limit on the length of the query string",
    "path": "a blocking limit on the length of the path",
    "body": "a blocking limit on the declared body size (the content-length header)",
}
"""The possible limits of a web ACL, and the rule that sets each."""

_NOT_ON_PAPER = ("cookies",)
_FIELDS = {"cookies": "cookies", "header:cookie": "cookies", "queryString": "query", "uriPath": "path", "body": "body"}
COMMON_LIMITS = {
    "SizeRestrictions_Cookie_HEADER": "cookies",
    "SizeRestrictions_QUERYSTRING": "query",
    "SizeRestrictions_URIPATH": "path",
    "SizeRestrictions_BODY": "body",
}
"""Rule of AWS's common rule group → the part that it limits."""


def limited(graph: Graph, web_acl: WebAclRules) -> frozenset[str]:
    """The limits that the web ACL sets, evaluated once for a graph."""
    known: dict[str, frozenset[str]] = graph.memory.setdefault(__name__, {})
    if web_acl.acl.urn not in known:
        known[web_acl.acl.urn] = frozenset(_limited(graph, web_acl))
    return known[web_acl.acl.urn]


def _limited(graph: Graph, web_acl: WebAclRules) -> set[str]:
    named = _named(web_acl)
    told = stopped(graph, web_acl)
    if _evadable(web_acl):
        told = {**told, "rate": False}
    return _common(web_acl) | {
        limit for limit in LIMITS if told[limit] or (limit in named and (told[limit] is None or limit in _NOT_ON_PAPER))
    }


_WRITTEN_BY_CLIENTS = frozenset(
    {"header", "cookie", "queryArgument", "queryString", "uriPath", "httpMethod", "ja3Fingerprint", "ja4Fingerprint"}
)
"""Parts of a request that a client writes: with another value it is counted separately."""


def _evadable(web_acl: WebAclRules) -> bool:
    """Whether every limit on the rate counts by something that the client itself chooses."""
    rates = [body for rule in web_acl.rules if rule.blocks for body in rule.of_kind("rateBasedStatement")]
    return bool(rates) and all(_by_client(body) for body in rates)


def _by_client(rate: Mapping[str, Any]) -> bool:
    type_ = rate.get("aggregateKeyType")
    if type_ == "FORWARDED_IP":
        forwarded = as_mapping(rate.get("forwardedIpConfig")) or {}
        return str(forwarded.get("headerName")).lower() == "x-forwarded-for"
    keys = [as_mapping(item) or {} for item in listed(rate.get("customKeys"))]
    return type_ == "CUSTOM_KEYS" and any(
        name in _WRITTEN_BY_CLIENTS for key in keys for name, value in key.items() if value is not None
    )


def _common(web_acl: WebAclRules) -> set[str]:
    """The limits of AWS's common rules, where they apply to every request."""
    found: set[str] = set()
    for rule in web_acl.rules:
        for group in managed(rule):
            whole = group.get("scopeDownStatement") is None and not rule.overridden
            if group.get("name") == COMMON_RULES and whole:
                relaxed = counted(group)
                found |= {limit for name, limit in COMMON_LIMITS.items() if name not in relaxed}
    return found


def _named(web_acl: WebAclRules) -> set[str]:
    """The parts that blocking rules inspect, regardless of the comparison."""
    found: set[str] = set()
    for rule in web_acl.rules:
        if not rule.blocks:
            continue
        if rule.of_kind("rateBasedStatement"):
            found.add("rate")
        for body in rule.of_kind("sizeConstraintStatement"):
            found |= {_FIELDS[field] for field in fields(body) if field in _FIELDS}
        if any("header:content-length" in fields(body) for _, body in rule.statements):
            found.add("body")
    return found
