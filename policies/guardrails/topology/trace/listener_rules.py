"""The listener rule that a request matches, and the effect of the rule's actions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from ..entry.load_balancing import actions_of
from ..graph.resources import Resource
from ..graph.values import Unknown, as_list, as_mapping, contains_unknown
from ..http.requests import Outcome, Request, Result, Trail
from ..waf.web_acl import Match, either, every, holds_client

CALLBACK = "/oauth2/idpresponse"
"""The path on which the load balancer itself receives the identity provider's response."""


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in text), re.DOTALL)


def fits(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern with ``*`` and ``?``."""
    return _pattern(pattern).fullmatch(text) is not None


def _one_of(values: object, text: str, *, lower: bool = False) -> Match:
    items = as_list(values)
    if items is None:
        return None
    return either(
        fits(item.lower() if lower else item, text.lower() if lower else text) if isinstance(item, str) else None
        for item in items
    )


def _headers_match(request: Request, condition: dict[str, Any]) -> Match:
    name = condition.get("httpHeaderName")
    if not isinstance(name, str):
        return None
    sent = [value for key, value in request.sent_headers() if key == name.lower()]
    return either([_one_of(condition.get("values"), value, lower=True) for value in sent])


def _query_match(request: Request, wanted: list[Any]) -> Match:
    sent = parse_qsl(request.query, keep_blank_values=True)
    found: list[Match] = []
    for item in wanted:
        pair = as_mapping(item)
        key, value = (pair or {}).get("key"), (pair or {}).get("value")
        if pair is None or isinstance(key, Unknown) or not isinstance(value, str):
            found.append(None)
            continue
        found.append(
            any(
                (key is None or fits(str(key).lower(), name.lower())) and fits(value.lower(), text.lower())
                for name, text in sent
            )
        )
    return either(found)


def _source_match(request: Request, values: list[Any]) -> Match:
    return None if any(not isinstance(value, str) for value in values) else holds_client(request, values)


def condition_matches(request: Request, condition: dict[str, Any]) -> Match:
    """Whether one condition of a rule holds."""
    found: list[Match] = []
    for kind, details in sorted(condition.items()):
        options = as_mapping(details)
        if details is None:
            continue
        if kind == "queryStrings":
            found.append(_query_match(request, as_list(details) or []))
        elif options is None or options.get("regexValues"):
            found.append(None)
        elif kind == "hostHeader":
            found.append(_one_of(options.get("values"), request.host, lower=True))
        elif kind == "pathPattern":
            found.append(_one_of(options.get("values"), request.path))
        elif kind == "httpRequestMethod":
            items = as_list(options.get("values"))
            found.append(None if items is None else request.method in items)
        elif kind == "httpHeader":
            found.append(_headers_match(request, options))
        elif kind == "sourceIp":
            found.append(_source_match(request, as_list(options.get("values")) or []))
        else:
            found.append(None)
    return every(found)


def rule_matches(request: Request, rule: Resource) -> Match:
    """Whether every condition of a listener rule holds."""
    conditions = rule.items("conditions")
    if isinstance(conditions, Unknown):
        return None
    return every(
        condition_matches(request, mapping) if (mapping := as_mapping(item)) is not None else None
        for item in conditions
    )


def by_priority(rules: list[Resource]) -> list[Resource]:
    """Listener rules in the order of evaluation; one without a known priority comes last."""

    def number(rule: Resource) -> float:
        value = rule.value("priority")
        return float(value) if isinstance(value, int | float) else float("inf")

    return sorted(rules, key=lambda rule: (number(rule), rule.urn))


def choose(trail: Trail, listener: Resource, rules: list[Resource]) -> Resource:
    """The rule that the request matches, or the listener for its default actions."""
    for rule in by_priority(rules):
        matched = rule_matches(trail.request, rule)
        if matched is None:
            trail.unknowns.append(f"{rule.label}.conditions")
        if matched is True:
            trail.note(rule, "conditions", f"matches {trail.request.host}{trail.request.path}")
            return rule
    trail.note(listener, "defaultActions", "matches no rule")
    return listener


def run_actions(trail: Trail, entry: Resource) -> Outcome | Resource | None:
    """The outcome if the load balancer responds itself; otherwise the entry that forwards, or ``None`` if that is not
    known."""
    actions = actions_of(entry)
    if isinstance(actions, Unknown):
        trail.unknowns.append(f"{entry.label}.{actions.path}")
        return None
    for path, action in actions:
        type_ = action.get("type")
        if type_ == "forward":
            trail.note(entry, path, "forwards")
            return entry
        ended = _act(trail, entry, path, action)
        if ended is not None:
            return ended
        if isinstance(type_, Unknown):
            trail.unknowns.append(f"{entry.label}.{path}.type")
    return None


def _act(trail: Trail, entry: Resource, path: str, action: dict[str, Any]) -> Outcome | None:
    type_ = action.get("type")
    if type_ == "fixed-response":
        status = (as_mapping(action.get("fixedResponse")) or {}).get("statusCode")
        trail.note(entry, path, f"responds with {status}")
        return trail.end(Result.ANSWERED, _code(status), entry.name)
    if type_ == "redirect":
        location = redirect_location(trail.request, as_mapping(action.get("redirect")) or {})
        trail.note(entry, path, f"redirects to {location}")
        code = _code((as_mapping(action.get("redirect")) or {}).get("statusCode"))
        return trail.end(Result.ANSWERED, code, entry.name, location)
    if type_ in ("authenticate-oidc", "authenticate-cognito"):
        key = "authenticateOidc" if type_ == "authenticate-oidc" else "authenticateCognito"
        return _login(trail, entry, path, as_mapping(action.get(key)) or {})
    if type_ == "jwt-validation":
        return _token(trail, entry, path)
    return None


def _code(value: object) -> int | None:
    """A status as AWS writes it: ``404`` or ``HTTP_301``."""
    text = str(value).removeprefix("HTTP_")
    return int(text) if text.isdigit() else None


def _login(trail: Trail, entry: Resource, path: str, options: dict[str, Any]) -> Outcome | None:
    request = trail.request
    if request.path == CALLBACK:
        trail.note(entry, path, "the load balancer completes the login itself")
        return trail.end(Result.ANSWERED, 302, entry.name)
    if request.identity is not None and not request.identity.token:
        trail.note(entry, path, "has a session")
        return None
    otherwise = options.get("onUnauthenticatedRequest")
    if isinstance(otherwise, Unknown):
        trail.unknowns.append(f"{entry.label}.{path}.onUnauthenticatedRequest")
        return None
    if otherwise == "allow":
        trail.note(entry, path, "has no session and is allowed without one")
        return None
    if otherwise == "deny":
        trail.note(entry, path, "has no session: 401")
        return trail.end(Result.ANSWERED, 401, entry.name)
    location = options.get("authorizationEndpoint")
    shown = location if isinstance(location, str) else "the identity provider"
    trail.note(entry, path, f"has no session: redirected to {shown}")
    return trail.end(Result.ANSWERED, 302, entry.name, shown)


def _token(trail: Trail, entry: Resource, path: str) -> Outcome | None:
    identity = trail.request.identity
    options = as_mapping(entry.value(f"{path}.jwtValidation")) or {}
    if identity is not None and identity.token and (valid := token_matches(identity.claims, options)) is not False:
        if valid is None:
            trail.unknowns.append(f"{entry.label}.{path}.jwtValidation.issuer")
        trail.note(entry, path, "has a matching token")
        return None
    trail.note(entry, path, "has no matching token: 401")
    return trail.end(Result.ANSWERED, 401, entry.name)


def token_matches(claims: Mapping[str, Any], options: dict[str, Any]) -> Match:
    """Whether a verified token has the claims that a ``jwtValidation`` requires: issuer and additional claims."""
    issuer = options.get("issuer")
    checks: list[Match] = [None if isinstance(issuer, Unknown) else claims.get("iss") == issuer]
    for item in as_list(options.get("additionalClaims")) or []:
        claim = as_mapping(item) or {}
        held = _written(claims.get(str(claim.get("name"))), claim.get("format"))
        wanted = as_list(claim.get("values")) or []
        fitting = any(value in wanted for value in held)
        checks.append(None if not fitting and contains_unknown(wanted) else fitting)
    return every(checks)


def _written(held: object, form: object) -> list[object]:
    """The values of a token's claim, where the token has it in the form that the rule expects."""
    if isinstance(form, Unknown):
        return list(as_list(held) or [held])
    if form == "space-separated-values":
        return list(held.split(" ")) if isinstance(held, str) else []
    if form == "string-array":
        return list(as_list(held) or [])
    return [held] if isinstance(held, str) else []


_REDIRECT = {"protocol": "#{protocol}", "host": "#{host}", "port": "#{port}", "path": "/#{path}", "query": "#{query}"}


def redirect_location(request: Request, options: dict[str, Any]) -> str:
    """The URL of a redirect action, with its placeholders replaced by the request's own parts."""
    sent = {
        "#{protocol}": request.scheme, "#{host}": request.host, "#{port}": str(request.port),
        "#{path}": request.path.removeprefix("/"), "#{query}": request.query,
    }  # fmt: skip
    values: dict[str, str] = {}
    for key, default in _REDIRECT.items():
        given = options.get(key)
        text = given if isinstance(given, str) else default
        for name, part in sent.items():
            text = text.replace(name, part)
        values[key] = text
    scheme = values["protocol"].lower()
    port = "" if values["port"] == {"https": "443", "http": "80"}.get(scheme) else f":{values['port']}"
    query = f"?{values['query']}" if values["query"] else ""
    return f"{scheme}://{values['host']}{port}{values['path']}{query}"
