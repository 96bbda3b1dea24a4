"""An Envoy proxy in a task listens with TLS and an access filter: rbac, jwt_authn, ext_authz, oauth2 or basic_auth.

A listener on a non-loopback address is reachable from every source that the security group admits. Without an access
filter it forwards requests from any such client, and so does an outbound listener that is not limited to loopback. A
header used in access decisions must be removed from incoming requests first; otherwise a client can set it.

The policy reads configurations in the task definition, not those in an image; it cannot check which clients a filter
admits. It accepts a route without the filter if it can only be a health check (one exact path, GET only, no body):
proxy-open-routes-are-health-checks compares its path with the target groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from ...access_filters import access_filters, is_health_check, open_routes, path_of, removed_headers, trusted_headers
from ...checks import containers
from ...proxies import Chain, Listener, proxy_of
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated

_WANTED = "TLS, and an access filter before the router on every listener that is not on loopback"
_FIX = "add an rbac, jwt_authn or ext_authz filter that refuses unauthorized clients, or listen on 127.0.0.1"
_SCHEMA = {
    "openPaths": {
        "type": "array",
        "items": {"type": "string"},
        "default": ["/health", "/healthz", "/livez", "/ping", "/readyz", "/status"],
        "description": "Exact paths that may be forwarded without the access filter, with any method, for health checks.",
    }
}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate each Envoy proxy of a task definition."""
    found, undecided = containers(resource, _WANTED, _FIX)
    yield from undecided
    for container in found:
        proxy = proxy_of(container)
        if proxy is None:
            continue
        for listener in proxy.inbound():
            place = container.path(f"listeners[{listener.name}]")
            yield from _listener(resource, place, listener, cast("list[str]", settings["openPaths"]))
        if proxy.has_public_admin():
            fix = "remove the administration interface, or bind it to 127.0.0.1"
            yield violated(resource, container.path("admin"), "every address", "loopback, or none", fix)


def _listener(task: Resource, place: str, listener: Listener, open_paths: list[str]) -> Iterator[Finding]:
    for chain in listener.chains:
        if not chain.encrypted:
            fix = "give the listener a transport_socket with TLS, or listen on 127.0.0.1"
            yield violated(task, f"{place}.transport_socket", None, "TLS", fix, what="accepts clear text")
        if chain.others:
            found, fix = ", ".join(chain.others), "use an HTTP connection manager, which parses the requests"
            yield violated(task, place, found, _WANTED, fix, what="forwards requests without parsing them")
        yield from _managers(task, place, chain, open_paths)


def _managers(task: Resource, place: str, chain: Chain, open_paths: list[str]) -> Iterator[Finding]:
    for manager in chain.managers:
        filters = access_filters(manager)
        if not filters:
            yield violated(task, f"{place}.http_filters", "no access filter", _WANTED, _FIX, what="admits any client")
            continue
        for header in sorted(trusted_headers(filters)):
            if not removed_headers(manager, header):
                wanted = f"{header} removed by an early header mutation"
                fix = "remove copies sent by clients in early_header_mutation_extensions"
                yield violated(
                    task, f"{place}.http_filters", header, wanted, fix, what="trusts a header that clients can set"
                )
        for route in open_routes(manager, filters):
            path = path_of(route)
            if path not in open_paths and not is_health_check(route):
                name = route.get("name") or path or "without a name"
                wanted = "the access filter on this route"
                fix = (
                    "remove the route's typed_per_filter_config; if it is a health check, match its exact path, the method "
                    "GET, and the absence of content-length"
                )
                yield violated(task, f"{place}.routes[{name}]", "turned off", wanted, fix, what="admits any client")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ecs.TaskDefinition",),
    schema=_SCHEMA,
)
