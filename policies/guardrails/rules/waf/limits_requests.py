"""A web ACL limits the request rate of each client, and the size of path, query string, cookies and declared body.

Otherwise the weakest component behind it sets the limit. On a load balancer, a web ACL sees only the first 8 KB of a
body, so it limits the declared size, and the proxy behind it enforces the actual one.

The policy evaluates the rules with sample requests far beyond each limit. It cannot tell whether a limit is right, or
whether it applies on every path; a rule that it cannot evaluate counts if it inspects the right part of the request.
Cookies are such a part: a load balancer passes only the first 8 KB of all headers to the web ACL, a login session alone
may exceed that, and AWS does not document whether the full size of a longer cookie is compared.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...probes import stopped
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...web_acls import ACL, COMMON_RULES, Firewall, counted, fields, firewalls, managed

_LIMITS = {
    "rate": "a blocking rate-based rule",
    "cookies": "a blocking limit on the size of the cookies",
    "query": "a blocking limit on the length of the query string",
    "path": "a blocking limit on the length of the path",
    "body": "a blocking limit on the declared body size (the content-length header)",
}
_NOT_ON_PAPER = ("cookies",)
_FIELDS = {"cookies": "cookies", "header:cookie": "cookies", "queryString": "query", "uriPath": "path", "body": "body"}
COMMON_LIMITS = {
    "SizeRestrictions_Cookie_HEADER": "cookies",
    "SizeRestrictions_QUERYSTRING": "query",
    "SizeRestrictions_URIPATH": "path",
    "SizeRestrictions_BODY": "body",
}


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each web ACL."""
    for firewall in firewalls(graph):
        missing = sorted(set(_LIMITS) - limited(graph, firewall))
        for limit in missing:
            fix = f"add {_LIMITS[limit]} to the web ACL"
            if firewall.complete:
                yield violated(
                    firewall.acl, "rules", "no such rule", _LIMITS[limit], fix, what=f"does not limit {limit}"
                )
            else:
                yield not_proven(firewall.acl, "rules", ["rules"], _LIMITS[limit], fix)


def limited(graph: Graph, firewall: Firewall) -> set[str]:
    """What the web ACL limits."""
    named = _named(firewall)
    told = stopped(graph, firewall)
    return _common(firewall) | {
        limit
        for limit in _LIMITS
        if told[limit] or (limit in named and (told[limit] is None or limit in _NOT_ON_PAPER))
    }


def _common(firewall: Firewall) -> set[str]:
    """The limits of AWS's common rules, where they apply to every request."""
    found: set[str] = set()
    for rule in firewall.rules:
        for group in managed(rule):
            whole = group.get("scopeDownStatement") is None and not rule.overridden
            if group.get("name") == COMMON_RULES and whole:
                relaxed = counted(group)
                found |= {limit for name, limit in COMMON_LIMITS.items() if name not in relaxed}
    return found


def _named(firewall: Firewall) -> set[str]:
    """The parts of a request that blocking rules inspect, whatever they compare them with."""
    found: set[str] = set()
    for rule in firewall.rules:
        if not rule.blocks:
            continue
        if rule.of_kind("rateBasedStatement"):
            found.add("rate")
        for body in rule.of_kind("sizeConstraintStatement"):
            found |= {_FIELDS[field] for field in fields(body) if field in _FIELDS}
        if any("header:content-length" in fields(body) for _, body in rule.statements):
            found.add("body")
    return found


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation="give the web ACL rate-based and size-constraint rules that block",
    types=(ACL,),
    controls=("WAF.10",),
)
