"""The HTTP filters of an Envoy that refuse unauthorized clients, and the routes that disable them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .checks import listed
from .proxies import kind_of_filter, routes_of
from .topology.graph.values import Value, as_mapping

_ALWAYS = ("oauth2", "basic_auth", "api_key_auth")
_ALLOW = (None, "ALLOW", 0)
_DENY = ("DENY", 1)
"""An RBAC action by its name or its protocol number; the default is ALLOW."""
_CONDITIONS = {"checked_condition", "condition"}
"""Fields that narrow a policy further: a policy that refuses may then refuse no client."""


def access_filters(manager: dict[str, Any]) -> list[dict[str, Any]]:
    """The filters whose configuration refuses unauthorized clients, and which come before the router."""
    found: list[dict[str, Any]] = []
    for entry in listed(manager.get("http_filters")):
        item = as_mapping(entry) or {}
        kind = kind_of_filter(item)
        if kind.startswith("router"):
            break
        if item.get("disabled") is not True and _refuses(kind, as_mapping(item.get("typed_config")) or {}):
            found.append(item)
    return found


def _refuses(kind: str, config: dict[str, Any]) -> bool:
    if kind.startswith("rbac"):
        return _rbac(as_mapping(config.get("rules")) or {})
    if kind.startswith("jwt_authn"):
        rules = [as_mapping(item) or {} for item in listed(config.get("rules"))]
        return bool(rules) and all(_required(as_mapping(rule.get("requires")) or {}) for rule in rules)
    if kind.startswith("ext_authz"):
        return config.get("failure_mode_allow") is not True
    return kind.startswith(_ALWAYS)


def _rbac(rules: dict[str, Any]) -> bool:
    """Whether the rules refuse unauthorized clients: they admit some clients but not all, or refuse requests without a
    header.
    """
    everywhere = [policy for policy in _policies(rules) if _has_any(policy, "permissions")]
    if rules.get("action") in _DENY:
        return any(_headers(policy, present=False) and not _CONDITIONS & set(policy) for policy in everywhere)
    return (
        rules.get("action") in _ALLOW
        and bool(_policies(rules))
        and not any(_has_any(policy, "principals") or _headers(policy, present=False) for policy in everywhere)
    )


def _policies(rules: dict[str, Any]) -> list[dict[str, Any]]:
    return [as_mapping(policy) or {} for policy in (as_mapping(rules.get("policies")) or {}).values()]


def _items(policy: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [as_mapping(item) or {} for item in listed(policy.get(key))]


def _has_any(policy: dict[str, Any], key: str) -> bool:
    return any(item.get("any") is True for item in _items(policy, key))


def _headers(policy: dict[str, Any], *, present: bool) -> set[str]:
    """The headers whose presence, or absence, is enough for the policy."""
    found: set[str] = set()
    for item in _items(policy, "principals"):
        principal, wanted = item, present
        while (inner := as_mapping(principal.get("not_id"))) is not None:
            principal, wanted = inner, not wanted
        header = as_mapping(principal.get("header")) or {}
        matched = header.get("present_match")
        if isinstance(matched, bool) and (matched is not (header.get("invert_match") is True)) is wanted:
            found.add(str(header.get("name")).lower())
    return found


def _required(requires: dict[str, Any]) -> bool:
    if {"allow_missing", "allow_missing_or_failed"} & set(requires):
        return False
    inner = [as_mapping(requires.get(key)) for key in ("requires_any", "requires_all")]
    listed_inner = [as_mapping(item) or {} for group in inner if group for item in listed(group.get("requirements"))]
    return bool(requires) and all(_required(item) for item in listed_inner)


def trusted_headers(filters: list[dict[str, Any]]) -> set[str]:
    """The headers whose presence alone admits a client."""
    found: set[str] = set()
    for item in filters:
        if not kind_of_filter(item).startswith("rbac"):
            continue
        rules = as_mapping((as_mapping(item.get("typed_config")) or {}).get("rules")) or {}
        for policy in _policies(rules):
            found |= _headers(policy, present=rules.get("action") not in _DENY)
    return found


def removed_headers(manager: dict[str, Any], header: str) -> bool:
    """Whether a header sent by a client is removed before any filter reads it."""
    for extension in listed(manager.get("early_header_mutation_extensions")):
        config = as_mapping((as_mapping(extension) or {}).get("typed_config")) or {}
        for entry in listed(config.get("mutations")):
            mutation = as_mapping(entry) or {}
            matcher = as_mapping((as_mapping(mutation.get("remove_on_match")) or {}).get("key_matcher")) or {}
            if str(mutation.get("remove")).lower() == header or _matches(matcher, header):
                return True
    return False


def _matches(matcher: dict[str, Any], header: str) -> bool:
    regex = (as_mapping(matcher.get("safe_regex")) or {}).get("regex")
    return (
        matcher.get("exact") == header
        or (isinstance(matcher.get("prefix"), str) and header.startswith(matcher["prefix"]))
        or (isinstance(matcher.get("suffix"), str) and header.endswith(matcher["suffix"]))
        or (isinstance(matcher.get("contains"), str) and matcher["contains"] in header)
        or (isinstance(regex, str) and _fits(regex, header))
    )


def _fits(regex: str, text: str) -> bool:
    try:
        return re.fullmatch(regex, text) is not None
    except re.error:
        return False


def open_routes(manager: dict[str, Any], filters: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The routes that forward requests with every access filter turned off."""
    names = {str(item.get("name")) for item in filters}
    table = as_mapping(manager.get("route_config")) or {}
    for host, route in routes_of(manager):
        if route.get("route") is None:
            continue
        off: set[str] = set()
        for holder in (table, host, route):
            settings = as_mapping(holder.get("typed_per_filter_config")) or {}
            off -= {name for name in settings if not _is_off(settings[name])}
            off |= {name for name in settings if _is_off(settings[name])}
        if names and names <= off:
            yield route


def path_of(route: dict[str, Any]) -> str:
    """The exact path that a route matches; empty if it matches a prefix or a pattern."""
    return str((as_mapping(route.get("match")) or {}).get("path") or "")


def is_health_check(route: dict[str, Any]) -> bool:
    """Whether a route can only be a health check: one exact path, GET only, no body."""
    conditions = [as_mapping(item) or {} for item in listed((as_mapping(route.get("match")) or {}).get("headers"))]
    got = any(
        item.get("name") == ":method" and (as_mapping(item.get("string_match")) or {}).get("exact") == "GET"
        for item in conditions
    )
    bodiless = any(item.get("name") == "content-length" and item.get("present_match") is False for item in conditions)
    inverted = any(item.get("invert_match") is True for item in conditions)
    return bool(path_of(route)) and got and bodiless and not inverted


def _is_off(config: Value) -> bool:
    settings = as_mapping(config) or {}
    kind = str(settings.get("@type")).rpartition(".")[2]
    return settings.get("disabled") is True or (kind == "RBACPerRoute" and settings.get("rbac") is None)
