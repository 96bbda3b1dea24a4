"""An Envoy proxy in a task sets timeouts for request headers, idle streams and whole streams, and limits the body size.

A web ACL limits only the declared body size; only the proxy ends slow or endless requests.

The policy reads configurations in the task definition, not those in an image; it cannot check whether a limit is
suitable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...checks import containers, listed
from ...proxies import kind_of_filter, nodes_in, proxy_of, routes_of, seconds
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, violated

_WANTED = "limits on request headers, idle time, streams and bodies"
_FIX = "set request_headers_timeout, stream_idle_timeout, a stream limit on each route, and a limit on bodies"
_TOO_LARGE = 413
_TIMES = ("request_headers_timeout", "stream_idle_timeout")


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate each Envoy proxy of a task definition."""
    found, undecided = containers(resource, _WANTED, _FIX)
    yield from undecided
    for container in found:
        proxy = proxy_of(container)
        for listener in proxy.inbound() if proxy is not None else ():
            place = container.path(f"listeners[{listener.name}]")
            for chain in listener.chains:
                for manager in chain.managers:
                    yield from _manager(resource, place, manager)


def _manager(task: Resource, place: str, manager: dict[str, Any]) -> Iterator[Finding]:
    for name in _TIMES:
        # Silence is bounded to five minutes by default, the time for headers is not.
        default = "300s" if name == "stream_idle_timeout" else None
        if not seconds(manager.get(name) or default):
            yield violated(task, f"{place}.{name}", manager.get(name), "a time greater than 0s", f"set {name}")
    if not _limits_bodies(manager) and not _only_tunnels(manager):
        fix = "return 413 for a content-length beyond the limit, or add a filter that limits bodies"
        yield violated(task, f"{place}.http_filters", "no limit on bodies", "a limit on the size of bodies", fix)
    whole = seconds((as_mapping(manager.get("common_http_protocol_options")) or {}).get("max_stream_duration"))
    for _, route in routes_of(manager):
        action = as_mapping(route.get("route"))
        if action is not None and not whole and not _ends(action):
            path = f"{place}.routes[{route.get('name')}]"
            yield violated(
                task, path, "0s", "max_stream_duration, or a timeout", f"{_FIX}", what="can run indefinitely"
            )


def _only_tunnels(manager: dict[str, Any]) -> bool:
    """Whether every request that is forwarded is a tunnel (CONNECT), which has no body."""
    forwarded = [as_mapping(route.get("match")) or {} for _, route in routes_of(manager) if route.get("route")]
    return bool(forwarded) and all("connect_matcher" in match for match in forwarded)


def _ends(action: dict[str, Any]) -> bool:
    duration = as_mapping(action.get("max_stream_duration")) or {}
    longest = seconds(duration.get("max_stream_duration"))
    return bool(longest or seconds(action.get("timeout") or "15s"))


def _limits_bodies(manager: dict[str, Any]) -> bool:
    for entry in listed(manager.get("http_filters")):
        kind, config = kind_of_filter(entry), as_mapping((as_mapping(entry) or {}).get("typed_config")) or {}
        if kind.startswith(("body_size_limit", "buffer")) and any("bytes" in key for key in config):
            return True
    for node in nodes_in(manager.get("route_config")):
        answer = as_mapping(node.get("direct_response")) or {}
        headers = [as_mapping(item) or {} for item in listed((as_mapping(node.get("match")) or {}).get("headers"))]
        if answer.get("status") == _TOO_LARGE and any(item.get("name") == "content-length" for item in headers):
            return True
    return False


RULE: Rule = resource_rule(
    __name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX, types=("ecs.TaskDefinition",)
)
