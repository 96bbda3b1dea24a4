"""AWS's managed WAF rules as far as AWS publishes their conditions: names, sizes and example patterns.

AWS does not publish the patterns themselves, so a request that matches no example may still be blocked, and a trace lists what it
did not evaluate. Source:
https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html and
https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-ip-rep.html
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import parse_qsl, unquote

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import as_mapping
from policies.guardrails.topology.http.requests import Request
from preflight.errors import PreflightError

_CORE, _KNOWN = "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"
_ADDRESSES = "AWSManagedRulesAmazonIpReputationList"
_METADATA = "169.254.169.254"
_EXTENSIONS = (".ini", ".log")
_REMOTE = re.compile(r"(https?|ftps?|file)://\d{1,3}(\.\d{1,3}){3}", re.IGNORECASE)
_BOTS = re.compile("nessus|nmap", re.IGNORECASE)
Condition = Callable[[Request], bool]


def _arguments(request: Request) -> list[str]:
    return [value for pair in parse_qsl(request.query, keep_blank_values=True) for value in pair]


def _in_arguments(found: Callable[[str], bool]) -> Condition:
    return lambda request: any(found(value) for value in _arguments(request))


def _in_path(found: Callable[[str], bool]) -> Condition:
    return lambda request: found(unquote(request.path))


def _in_cookies(found: Callable[[str], bool]) -> Condition:
    return lambda request: any(found(value) for _, value in request.cookies)


def _in_headers(found: Callable[[str], bool]) -> Condition:
    return lambda request: any(found(value) for name, value in request.sent_headers() if name != "cookie")


def _header(name: str, found: Callable[[str], bool]) -> Condition:
    return lambda request: any(found(value) for key, value in request.sent_headers() if key == name)


def _cookie_bytes(request: Request) -> int:
    return len("; ".join(f"{name}={value}" for name, value in request.cookies).encode())


def _longer(measured: Callable[[Request], int], limit: int) -> Condition:
    return lambda request: measured(request) > limit


def _metadata(text: str) -> bool:
    return _METADATA in text


def _inclusion(text: str) -> bool:
    return "../../" in text


def _extension(text: str) -> bool:
    return text.lower().endswith(_EXTENSIONS)


def _remote(text: str) -> bool:
    return _REMOTE.search(text) is not None


def _script(text: str) -> bool:
    return "<script" in text.lower()


def _lookup(text: str) -> bool:
    return "${jndi:" in text.lower()


def _runtime(text: str) -> bool:
    return "java.lang.runtime" in text.lower()


PUBLISHED: Mapping[str, Mapping[str, Condition | None]] = {
    _CORE: {
        # A browser always sends one, so only a header that is given empty counts as none.
        "NoUserAgent_HEADER": _header("user-agent", lambda text: not text),
        "UserAgent_BadBots_HEADER": _header("user-agent", lambda text: _BOTS.search(text) is not None),
        "SizeRestrictions_QUERYSTRING": _longer(lambda request: len(request.query.encode()), 2048),
        "SizeRestrictions_Cookie_HEADER": _longer(_cookie_bytes, 10_240),
        "SizeRestrictions_BODY": _longer(lambda request: request.size, 8192),
        "SizeRestrictions_URIPATH": _longer(lambda request: len(request.path.encode()), 1024),
        "EC2MetaDataSSRF_BODY": None,
        "EC2MetaDataSSRF_COOKIE": _in_cookies(_metadata),
        "EC2MetaDataSSRF_URIPATH": _in_path(_metadata),
        "EC2MetaDataSSRF_QUERYARGUMENTS": _in_arguments(_metadata),
        "GenericLFI_QUERYARGUMENTS": _in_arguments(_inclusion),
        "GenericLFI_URIPATH": _in_path(_inclusion),
        "GenericLFI_BODY": None,
        "RestrictedExtensions_URIPATH": _in_path(_extension),
        "RestrictedExtensions_QUERYARGUMENTS": _in_arguments(_extension),
        "GenericRFI_QUERYARGUMENTS": _in_arguments(_remote),
        "GenericRFI_BODY": None,
        "GenericRFI_URIPATH": _in_path(_remote),
        "CrossSiteScripting_COOKIE": _in_cookies(_script),
        "CrossSiteScripting_QUERYARGUMENTS": _in_arguments(_script),
        "CrossSiteScripting_BODY": None,
        "CrossSiteScripting_URIPATH": _in_path(_script),
    },
    _KNOWN: {
        "JavaDeserializationRCE_HEADER": _in_headers(_runtime),
        "JavaDeserializationRCE_BODY": None,
        "JavaDeserializationRCE_URIPATH": _in_path(_runtime),
        "JavaDeserializationRCE_QUERYSTRING": _in_arguments(_runtime),
        "Host_localhost_HEADER": _header("host", lambda text: "localhost" in text.lower()),
        "PROPFIND_METHOD": lambda request: request.method == "PROPFIND",
        "ExploitablePaths_URIPATH": _in_path(lambda text: "web-inf" in text.lower()),
        "Log4JRCE_HEADER": _in_headers(_lookup),
        "Log4JRCE_QUERYSTRING": _in_arguments(_lookup),
        "Log4JRCE_BODY": None,
        "Log4JRCE_URIPATH": _in_path(_lookup),
        "ReactJSRCE_BODY": None,
    },
    _ADDRESSES: {
        "AWSManagedIPReputationList": None,
        "AWSManagedReconnaissanceList": None,
        "AWSManagedIPDDoSList": None,
    },
}
"""Group → rule → its published condition; ``None`` if the condition is about a body's content or about AWS's own lists."""


def matched(request: Request) -> frozenset[str]:
    """``group:rule`` of every managed rule whose published examples the request matches."""
    return frozenset(
        f"{group}:{rule}"
        for group, rules in PUBLISHED.items()
        for rule, condition in rules.items()
        if condition is not None and condition(request)
    )


def named(rule: str) -> str:
    """``group:rule`` for a rule's name. Raises ``PreflightError`` for a name that no known group has."""
    for group, rules in PUBLISHED.items():
        if rule in rules or rule in {f"{group}:{name}" for name in rules}:
            return rule if ":" in rule else f"{group}:{rule}"
    every = [name for rules in PUBLISHED.values() for name in rules]
    close = difflib.get_close_matches(rule.rpartition(":")[2], every, n=1, cutoff=0)
    raise PreflightError(f"--threat {rule}: no managed rule has this name; the nearest is {close[0]}")


def not_evaluated(graph: Graph) -> list[str]:
    """One line for each managed group of the stack's web ACLs: the part of it that is not public."""
    names = sorted({name for acl in graph.of_type("wafv2.WebAcl") for name in _groups(acl.items("rules"))})
    return [_line(name) for name in names]


def _groups(rules: object) -> list[str]:
    found: list[str] = []
    for item in cast("list[object]", rules) if isinstance(rules, list) else []:
        statement = as_mapping((as_mapping(item) or {}).get("statement")) or {}
        group = as_mapping(statement.get("managedRuleGroupStatement"))
        if group is not None:
            found.append(str(group.get("name")))
    return found


def _line(group: str) -> str:
    if group == _ADDRESSES:
        return f"{group}: AWS's lists of addresses are not public"
    if group in PUBLISHED:
        return f"{group}: only the examples that AWS publishes; the body's content is not evaluated"
    return f"{group}: AWS's rules, which are not public"
