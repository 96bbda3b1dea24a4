"""The proxy's configuration in the task definition, and the limits that it enforces."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from policies.guardrails.topology.graph.documents import document
from policies.guardrails.topology.http.requests import ProxyFacts
from policies.parity.text import embedded
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording
from preflight.sdk.wire import UNKNOWN, Json, Wire, unwrap

CONTAINER = "proxy"
IDENTITY_FILTER = "envoy.filters.http.lua"
_LENGTH_REQUIRED = 411


def configuration(recording: Recording) -> Wire:
    """The Envoy configuration in the stack's task definition."""
    for task in recording.of_type("aws:ecs/taskDefinition:TaskDefinition"):
        text = unwrap(task.inputs.get("containerDefinitions"))
        if not isinstance(text, str) or text == UNKNOWN:
            continue
        for container in cast("list[Wire]", json.loads(text)):
            if container.get("name") == CONTAINER:
                for argument in cast("list[str]", container.get("command") or []):
                    if argument.startswith("{") and isinstance(found := document(argument), dict):
                        return cast("Wire", found)
    raise PreflightError(
        f"{recording.stack} has no task definition with a container {CONTAINER!r} and its configuration"
    )


def facts(configuration_: Wire) -> ProxyFacts:
    """Limits, paths and people of the inbound listener."""
    manager = inbound(configuration_)
    routes = [route for host in manager["route_config"]["virtual_hosts"] for route in host["routes"]]
    people = _people(manager)
    allowed: Mapping[str, Any] = people.get("allowed") or {}
    blocked: Mapping[str, Any] = people.get("blocked") or {}
    required: Mapping[str, Any] = people.get("required") or {}
    uploads = [(route, limit) for route, limit in _limits(routes) if route.get("name") == "upload-too-large"]
    others = [limit for route, limit in _limits(routes) if route.get("name") == "request-too-large"]
    mutations = list(_early_mutations(manager))
    matchers = [item["remove_on_match"]["key_matcher"] for item in mutations if "remove_on_match" in item]
    return ProxyFacts(
        prompt_bytes=min(others, default=0),
        upload_bytes=max((limit for _, limit in uploads), default=0),
        header_bytes=int(manager.get("max_request_headers_kb", 60)) * 1024,
        upload_path_prefixes=tuple(sorted({_path(route) for route, _ in uploads})),
        allowed_claim=str(allowed.get("claim") or ""),
        allowed_values=tuple(allowed.get("values") or ()),
        allowed_email_domains=tuple(allowed.get("domains") or ()),
        allowed_emails=tuple(allowed.get("emails") or ()),
        allowed_everyone=bool(allowed.get("everyone")),
        required_claim=str(required.get("claim") or ""),
        required_values=tuple(required.get("values") or ()),
        blocked_claim=str(blocked.get("claim") or ""),
        blocked_values=tuple(blocked.get("values") or ()),
        blocked_email_domains=tuple(blocked.get("domains") or ()),
        blocked_emails=tuple(blocked.get("emails") or ()),
        blocked_users=tuple(blocked.get("users") or ()),
        logout_path=next((_path(route) for route in routes if route.get("name") == "logout"), ""),
        websocket_path_prefixes=tuple(sorted({_path(route) for route in routes if route.get("name") == "websocket"})),
        requires_length=any(_asks_for_a_length(route) for route in routes),
        stripped_headers=tuple(sorted(str(item["remove"]) for item in mutations if "remove" in item)),
        stripped_patterns=tuple(sorted(str(m["safe_regex"]["regex"]) for m in matchers if "safe_regex" in m)),
    )


def facts_for(configuration_: Wire, host: str) -> ProxyFacts:
    """The facts that apply at a host name. Where the identity script is off, as for machine clients, whose tokens the load balancer
    validates, no rule about people applies."""
    known = facts(configuration_)
    hosts = cast("list[Wire]", inbound(configuration_)["route_config"]["virtual_hosts"])
    own = next((one for one in hosts if host and host in one["domains"]), None)
    settings: Wire = {} if own is None else own.get("typed_per_filter_config", {}).get(IDENTITY_FILTER) or {}
    if not settings.get("disabled"):
        return known
    return replace(
        known, allowed_everyone=True, required_claim="", blocked_claim="", blocked_email_domains=(), blocked_emails=()
    )


def rules_about_people(configuration_: Wire) -> Mapping[str, Any]:
    """The rules of the identity script: ``allowed``, ``administrators``, ``required``, and whether an address must be ``verified``.
    Empty for an inbound listener without the script."""
    return _people(inbound(configuration_))


def inbound(configuration_: Wire) -> Wire:
    """The connection manager of the inbound listener."""
    return next(
        filter_["typed_config"]
        for listener in configuration_["static_resources"]["listeners"]
        if listener["name"] == "inbound"
        for chain in listener["filter_chains"]
        for filter_ in chain["filters"]
    )


def _early_mutations(manager: Wire) -> Iterator[Wire]:
    """The connection manager's changes to a request's headers before any other filter reads them."""
    for extension in manager.get("early_header_mutation_extensions", []):
        yield from extension["typed_config"].get("mutations", [])


def _asks_for_a_length(route: Wire) -> bool:
    """Whether a route returns 411 for a method with a body if there is no content-length."""
    headers: list[Wire] = route["match"].get("headers", [])
    absent = any(h.get("name") == "content-length" and h.get("present_match") is False for h in headers)
    return absent and route.get("direct_response", {}).get("status") == _LENGTH_REQUIRED


def _limits(routes: list[Wire]) -> Iterator[tuple[Wire, int]]:
    for route in routes:
        for header in route["match"].get("headers", []):
            if header.get("name") == "content-length" and "range_match" in header:
                yield route, int(header["range_match"]["end"]) - 1


def _path(route: Wire) -> str:
    match: Wire = route["match"]
    return str(match.get("prefix") or match.get("path") or match.get("path_separated_prefix") or "")


def _people(manager: Wire) -> Mapping[str, Any]:
    """The settings that the identity script embeds as JSON."""
    for filter_ in manager["http_filters"]:
        source: Json = filter_["typed_config"].get("default_source_code", {}).get("inline_string", "")
        if settings := embedded(source):
            return settings
    return {}
