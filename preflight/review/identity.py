"""The effect of a change on who may log in, who administers, and how long a session lasts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from policies.guardrails.topology.graph.resources import Graph, kind_of
from policies.guardrails.topology.graph.values import Unknown, as_list, as_mapping
from preflight.analysis.changed_secrets import changed_secrets
from preflight.review.path_limits import duration
from preflight.review.side import Side, added, listed

_WHO = {
    "allowed": "allowed to use the application",
    "administrators": "administrators",
    "required": "everyone must have",
    "blocked": "refused although another rule allows them",
}
_SESSION = {
    "issuer": "the identity provider",
    "clientId": "the client at the identity provider",
    "scope": "what is requested at the log-in",
    "sessionTimeout": "a session after a log-in lasts",
    "sessionCookieName": "the session's cookie",
    "onUnauthenticatedRequest": "a request without a session",
    "authorizationEndpoint": "where people log in",
    "tokenEndpoint": "where the load balancer exchanges the code of a log-in",
    "userInfoEndpoint": "where the load balancer reads who logged in",
}
_LOGGED_OUT = frozenset({"issuer", "clientId", "sessionCookieName"})


def sentences(before: Side, after: Side) -> Iterator[str]:
    """Every sentence."""
    yield from _people(before, after)
    yield from _sessions(before.graph, after.graph)
    yield from _machines(before.graph, after.graph)
    yield from _secrets(before, after)


def _people(before: Side, after: Side) -> Iterator[str]:
    for key, what in _WHO.items():
        old, new = (set(_described(side.people.get(key))) for side in (before, after))
        more, less = added(old, new), added(new, old)
        if more:
            yield f"{what}: additionally {listed(more)}"
        if less:
            yield f"{what}: no longer {listed(less)}"
    if before.people and after.people and bool(before.people.get("verified")) != bool(after.people.get("verified")):
        need = (
            "only addresses that the provider has verified count"
            if after.people.get("verified")
            else ("addresses count also if the provider has not verified them")
        )
        yield f"rules by e-mail address: {need}"
    old_out, new_out = (side.proxy.logout_path if side.proxy else "" for side in (before, after))
    if old_out != new_out:
        yield f"the path that ends a session: {old_out or 'none'} → {new_out or 'none'}"


def _described(rule: object) -> Iterator[str]:
    own = as_mapping(rule) or {}
    if own.get("everyone"):
        yield "everyone who can log in at the identity provider"
    form = f", read as {own['format']}" if own.get("format") else ""
    yield from (f"people whose claim {own.get('claim')} has {value}{form}" for value in _texts(own.get("values")))
    yield from (f"addresses at {domain}" for domain in _texts(own.get("domains")))
    yield from (f"the address {address}" for address in _texts(own.get("emails")))
    yield from (f"the user {user} (a keyed hash)" for user in _texts(own.get("users")))


def _texts(value: object) -> list[str]:
    return sorted(map(str, cast("Iterable[object]", value))) if isinstance(value, Mapping | list | tuple | set) else []


def _sessions(before: Graph, after: Graph) -> Iterator[str]:
    old, new = _options(before, "authenticateOidc"), _options(after, "authenticateOidc")
    for name, what in _SESSION.items():
        one, two = old.get(name, {}), new.get(name, {})
        if set(one) == set(two) and (len(one) == 1 or one == two):
            continue
        ends = "; everyone logs in again" if name in _LOGGED_OUT and one and two else ""
        yield f"{what}: {_values(name, one)} → {_values(name, two)}{ends}"


def _values(name: str, values: Mapping[str, list[str]]) -> str:
    """Each value, with the rules that have it where there are several."""
    shown = {
        value: duration(float(value)) if name == "sessionTimeout" and value.isdigit() else value for value in values
    }
    if len(values) == 1:
        return next(iter(shown.values()))
    return ", ".join(f"{shown[value]} ({listed(sorted(rules), 4)})" for value, rules in values.items()) or "none"


def _options(graph: Graph, action: str) -> dict[str, dict[str, list[str]]]:
    """Option → value → the listener rules that have it."""
    found: dict[str, dict[str, list[str]]] = {}
    for rule in graph.of_type("lb.ListenerRule"):
        actions = rule.items("actions")
        for one in [] if isinstance(actions, Unknown) else actions:
            options = as_mapping((as_mapping(one) or {}).get(action)) or {}
            for name, value in options.items():
                found.setdefault(name, {}).setdefault(_text(value), []).append(rule.name)
    return found


def _text(value: Any) -> str:  # noqa: ANN401 - a value of the graph
    if isinstance(value, Unknown):
        return "not known yet"
    items = as_list(value)
    if items is None:
        return str(value)
    return ", ".join(
        f"{one.get('name')} = {', '.join(map(str, as_list(one.get('values')) or []))} ({one.get('format')})"
        if (one := as_mapping(item))
        else str(item)
        for item in items
    )


def _machines(before: Graph, after: Graph) -> Iterator[str]:
    old, new = _options(before, "jwtValidation"), _options(after, "jwtValidation")
    if bool(old) != bool(new):
        yield (
            "machine clients with a token may now call models" if new else "no machine client may call models any more"
        )
    for name in sorted({*old, *new}):
        if set(old.get(name, {})) != set(new.get(name, {})):
            yield f"machine clients' tokens, {name}: {_values(name, old.get(name, {}))} → {_values(name, new.get(name, {}))}"


def _secrets(before: Side, after: Side) -> Iterator[str]:
    """Secrets whose values differ; a base that was read from git has masks in their place."""
    by_property: dict[str, list[str]] = {}
    for type_, name, path in changed_secrets(before.recording, after.recording):
        by_property.setdefault(path, []).append(f"{kind_of(type_)} {name}")
    for path, names in by_property.items():
        yield f"{path} of {listed(names)}: another secret value"
