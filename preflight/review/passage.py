"""The way of one request: the route of the proxy that takes it, the limits that apply, and the headers that are added,
replaced and removed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import as_mapping
from policies.guardrails.topology.http.requests import Outcome, ProxyFacts, Request, Result
from preflight.analysis.edge_proxy import configuration, facts_for, inbound, rules_about_people
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording
from preflight.review.path_limits import PLACES, PathLimit, limits_of, size

HOP_BY_HOP = ("connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade")
"""Headers of one connection, which Envoy does not forward; an upgrade keeps ``connection`` and ``upgrade`` (mutateRequestHeaders in
Envoy's source/common/http/conn_manager_utility.cc)."""
FORWARDED = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id")
"""Headers that an application load balancer adds (docs.aws.amazon.com, "HTTP headers and Application Load Balancers")."""
LOGGED_IN = ("x-amzn-oidc-data", "x-amzn-oidc-identity", "x-amzn-oidc-accesstoken")
"""Headers that it adds after a log-in (docs.aws.amazon.com, "Authenticate users using an Application Load Balancer")."""
_NOTHING: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """One header that a station adds, replaces or removes."""

    station: str
    does: str
    """``adds``, ``replaces`` or ``removes``."""
    header: str
    on: str = "request"


@dataclass(frozen=True, slots=True)
class Passage:
    """Everything about one request beyond its outcome."""

    route: str
    """The proxy's route; empty if the request does not reach it."""
    limits: tuple[PathLimit, ...]
    headers: tuple[HeaderChange, ...]


def passage(recording: Recording, graph: Graph, request: Request, outcome: Outcome) -> Passage:
    """Route, limits and headers of the request, up to the station where it ends."""
    reached = outcome.result is Result.SERVED or outcome.rule.startswith("proxy ")
    limits = tuple(_limits(recording, graph, request, reached=reached))
    try:
        envoy = configuration(recording)
    except PreflightError:
        return Passage("", limits, tuple(_balancer(graph, outcome)) if reached else ())
    proxy = facts_for(envoy, request.host)
    manager = inbound(envoy)
    host, route = _route(manager, request, proxy) if reached else _NOTHING
    changes = (
        [
            *_balancer(graph, outcome),
            *_removed(request, proxy),
            *_configured((manager.get("route_config", {}), host, route)),
            *_identity(rules_about_people(envoy), proxy),
        ]
        if reached
        else []
    )
    changes += _responses(graph, route)
    name = str(route.get("name", ""))
    other = "whole request and answer" if name == "websocket" else "WebSocket"
    return Passage(name, tuple(one for one in limits if one.what != other), tuple(dict.fromkeys(changes)))


# -- limits ------------------------------------------------------------------------------------------------------------


def _limits(recording: Recording, graph: Graph, request: Request, *, reached: bool) -> Iterator[PathLimit]:
    """The limits of the stations that it passes, with what it has of each size."""
    places = PLACES if reached else PLACES[:2]
    for limit in limits_of(recording, graph):
        if limit.place not in places or limit.place == "task":
            continue
        if limit.what.startswith("upload (") and not _is_upload(limit.what, request.path):
            continue
        if limit.what == "body" and _uploads(recording, request.path):
            continue
        sent = _sent(limit, request)
        if limit.kind != "size" or sent is not None:
            value = limit.value if sent is None else f"{limit.value}; it has {size(sent)}"
            yield PathLimit(limit.place, limit.kind, limit.what, value, limit.seconds, limit.where)


def _is_upload(what: str, path: str) -> bool:
    return path.startswith(tuple(what.removeprefix("upload (").removesuffix(")").split(", ")))


def _uploads(recording: Recording, path: str) -> bool:
    return path.startswith(facts_for(configuration(recording), "").upload_path_prefixes or ("\0",))


def _sent(limit: PathLimit, request: Request) -> float | None:
    """How much of it the request has, in bytes."""
    if limit.kind != "size":
        return None
    what = limit.what.partition(" (")[0]
    headers = request.sent_headers()
    measured: dict[str, float] = {
        "body": request.size,
        "upload": request.size,
        "headers": sum(len(name.encode()) + len(value.encode()) + 4 for name, value in headers),
        "cookies": len((request.header("cookie") or "").encode()),
        "query": len(request.query.encode()),
        "path": len(request.path.encode()),
    }
    if what in measured:
        return measured[what]
    return len((request.header(what) or "").encode()) if re.fullmatch(r"[a-z-]+", what) else None


# -- headers -----------------------------------------------------------------------------------------------------------


def _balancer(graph: Graph, outcome: Outcome) -> Iterator[HeaderChange]:
    station = next((one.name for one in graph.of_type("lb.LoadBalancer")), "load balancer")
    logged_in = any("has a session" in step.what for step in outcome.steps)
    for name in (*FORWARDED, *(LOGGED_IN if logged_in else ())):
        yield HeaderChange(station, "adds", name)


def _removed(request: Request, proxy: ProxyFacts) -> Iterator[HeaderChange]:
    """Headers of the client that the proxy does not pass on."""
    sent = {name for name, _ in request.sent_headers()}
    upgrading = "upgrade" in sent and request.path.startswith(proxy.websocket_path_prefixes or ("\0",))
    for name in sorted(sent):
        if proxy.strips(name) or (name in HOP_BY_HOP and not (upgrading and name in ("connection", "upgrade"))):
            yield HeaderChange("proxy", "removes", name)


def _configured(levels: tuple[Mapping[str, Any], ...]) -> Iterator[HeaderChange]:
    """The headers that the route table, the virtual host and the route add and remove."""
    for level in levels:
        for name in level.get("request_headers_to_remove", []):
            yield HeaderChange("proxy", "removes", str(name))
    for level in levels:
        for option in level.get("request_headers_to_add", []):
            yield HeaderChange("proxy", _verb(option), _header(option))


def _identity(people: Mapping[str, Any], proxy: ProxyFacts) -> Iterator[HeaderChange]:
    """The headers from which the application knows who logged in."""
    everyone = bool((as_mapping(people.get("allowed")) or {}).get("everyone"))
    if proxy.allowed_everyone and not everyone:
        return  # a host name without identity, as for machine clients
    for key, what in (("email_header", "address"), ("name_header", "name"), ("role_header", "role")):
        if people.get(key):
            yield HeaderChange("proxy", "replaces", f"{people[key]}: {what} of the person, from the signed identity")


def _responses(graph: Graph, route: Mapping[str, Any]) -> Iterator[HeaderChange]:
    for option in route.get("response_headers_to_add", []):
        yield HeaderChange("proxy", _verb(option), _header(option), "response")
    for listener in graph.of_type("lb.Listener"):
        for name in sorted(listener.properties):
            value = listener.value(name)
            if name.startswith("routingHttpResponse") and isinstance(value, str) and value:
                header = re.sub(
                    r"(?<!^)(?=[A-Z])", "-", name.removeprefix("routingHttpResponse").removesuffix("HeaderValue")
                )
                yield HeaderChange(listener.name, "adds", f"{header.lower()}: {value}", "response")


def _verb(option: Mapping[str, Any]) -> str:
    return "replaces" if str(option.get("append_action", "")).startswith("OVERWRITE") else "adds"


def _header(option: Mapping[str, Any]) -> str:
    header = cast("Mapping[str, Any]", option.get("header") or {})
    return f"{header.get('key')}: {header.get('value')}"


# -- routes ------------------------------------------------------------------------------------------------------------


def _route(
    manager: Mapping[str, Any], request: Request, proxy: ProxyFacts
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The virtual host and the first route that match, as Envoy chooses them; empty ones if none does."""
    hosts: list[Mapping[str, Any]] = manager.get("route_config", {}).get("virtual_hosts", [])
    own = [one for one in hosts if request.host in one["domains"]] or [one for one in hosts if "*" in one["domains"]]
    sent = {name: value for name, value in request.sent_headers() if not proxy.strips(name)}
    sent |= {":method": request.method, ":path": f"{request.path}{f'?{request.query}' if request.query else ''}"}
    for host in own[:1]:
        for route in host["routes"]:
            if _path_matches(route["match"], request.path) and all(
                _header_matches(header, sent) for header in route["match"].get("headers", [])
            ):
                return host, route
    return _NOTHING


def _path_matches(match: Mapping[str, Any], path: str) -> bool:
    if "path" in match:
        return bool(path == match["path"])
    if "path_separated_prefix" in match:
        prefix = str(match["path_separated_prefix"])
        return path == prefix or path.startswith(f"{prefix}/")
    if "safe_regex" in match:
        return re.fullmatch(str(match["safe_regex"]["regex"]), path) is not None
    return path.startswith(str(match.get("prefix", "/")))


def _header_matches(header: Mapping[str, Any], sent: Mapping[str, str]) -> bool:
    """Whether a matcher holds. A header that is absent matches nothing but ``present_match``, inverted or not."""
    value = sent.get(str(header["name"]).lower())
    if "present_match" in header:
        return (value is not None) == (bool(header["present_match"]) != bool(header.get("invert_match")))
    return value is not None and _value_matches(header, value) != bool(header.get("invert_match"))


def _value_matches(header: Mapping[str, Any], value: str) -> bool:
    if "range_match" in header:
        span = header["range_match"]
        return value.isdigit() and int(span["start"]) <= int(value) < int(span["end"])
    text: Mapping[str, Any] = as_mapping(header.get("string_match")) or {}
    if "safe_regex" in text:
        return re.fullmatch(str(text["safe_regex"]["regex"]), value) is not None
    ways: Mapping[str, Callable[[str, str], bool]] = {
        "exact": str.__eq__,
        "prefix": str.startswith,
        "contains": str.__contains__,
    }
    folded = bool(text.get("ignore_case"))
    one = value.lower() if folded else value
    return all(
        ways[kind](one, str(wanted).lower() if folded else str(wanted)) for kind, wanted in text.items() if kind in ways
    )
