"""An Envoy in a task lets in by TLS and an access filter: rbac, jwt_authn, ext_authz, oauth2 or a password.

What it listens to on any address is reached by whatever its security group admits; so a listener without such a filter,
or a way out that is offered on more than loopback, is an open door behind the load balancer. A header that decides
about access is taken off first, or the client writes it.

It reads configurations that the definition holds, not those in an image; who is let in, it cannot judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from ...access_filters import access_filters, open_routes, removed_headers, trusted_headers
from ...checks import containers
from ...proxies import Chain, Listener, proxy_of
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, violated

_WANTED = "TLS, and an access filter before the router on every listener that is not on loopback"
_FIX = "add an rbac, jwt_authn or ext_authz filter that refuses strangers, or listen on 127.0.0.1"
_SCHEMA = {
    "openPaths": {
        "type": "array",
        "items": {"type": "string"},
        "default": ["/health", "/healthz", "/livez", "/ping", "/readyz", "/status"],
        "description": "Exact paths that may be handed on without the access filter, for health checks.",
    }
}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Each Envoy of a task definition."""
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
            fix = "leave the administration interface out, or bind it to 127.0.0.1"
            yield violated(resource, container.path("admin"), "every address", "loopback, or none", fix)


def _listener(task: Resource, place: str, listener: Listener, open_paths: list[str]) -> Iterator[Finding]:
    for chain in listener.chains:
        if not chain.encrypted:
            fix = "give the listener a transport_socket with TLS, or listen on 127.0.0.1"
            yield violated(task, f"{place}.transport_socket", None, "TLS", fix, what="speaks clear text")
        if chain.others:
            found, fix = ", ".join(chain.others), "read the requests with an HTTP connection manager"
            yield violated(task, place, found, _WANTED, fix, what="hands on what it has not read")
        yield from _managers(task, place, chain, open_paths)


def _managers(task: Resource, place: str, chain: Chain, open_paths: list[str]) -> Iterator[Finding]:
    for manager in chain.managers:
        filters = access_filters(manager)
        if not filters:
            yield violated(task, f"{place}.http_filters", "no access filter", _WANTED, _FIX, what="lets everybody in")
            continue
        for header in sorted(trusted_headers(filters)):
            if not removed_headers(manager, header):
                wanted = f"{header} removed by an early header mutation"
                fix = "take clients' copies off in early_header_mutation_extensions"
                yield violated(task, f"{place}.http_filters", header, wanted, fix, what="believes a client's header")
        for route in open_routes(manager, filters):
            path = (as_mapping(route.get("match")) or {}).get("path")
            if path not in open_paths:
                name = route.get("name") or path or "without a name"
                wanted, fix = "the access filter on this route", "remove the route's typed_per_filter_config"
                yield violated(task, f"{place}.routes[{name}]", "switched off", wanted, fix, what="lets everybody in")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ecs.TaskDefinition",),
    schema=_SCHEMA,
)
