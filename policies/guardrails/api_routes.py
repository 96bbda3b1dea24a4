"""Routes of public APIs that ask for neither a signature nor a login: declared, imported from a document or implied."""

from __future__ import annotations

from collections.abc import Iterator

from .topology.entry.api_bodies import operations
from .topology.entry.api_callers import REST, bounded, is_private, policies_of
from .topology.graph.resources import Graph, Resource, Unknown
from .topology.graph.verdicts import Finding, not_proven, violated
from .topology.network.paths import MISSED, PASSED, Pass

FIX = "require AWS_IAM, a user pool, a token or an authorizer"
ROUTES = ("apigateway.Method", "apigatewayv2.Route")
DOCUMENTS = (REST, "apigateway.RestApiPut", "apigatewayv2.Api")
_WANTED = "an authorization type"
_APIS = (REST, "apigatewayv2.Api")
_OPENING = "$connect"
_PRE_FLIGHT = "OPTIONS"
"""The method by which a browser asks what it may send; it carries no credentials."""


def open_routes(graph: Graph) -> Iterator[Finding]:
    """The methods and routes that ask for no login, of APIs that everyone reaches."""
    for method in graph.of_type("apigateway.Method"):
        if method.value("httpMethod") != _PRE_FLIGHT:
            yield from _asked(graph, method, "authorization", "restApi")
    for route in graph.of_type("apigatewayv2.Route"):
        if not str(route.value("routeKey")).startswith(f"{_PRE_FLIGHT} ") and not _after_the_opening(graph, route):
            yield from _asked(graph, route, "authorizationType", "apiId")


def open_operations(source: Resource) -> Iterator[Finding]:
    """The operations of an API's document, and the route that its ``target`` implies, that ask for no login."""
    rest = source.kind == REST
    for operation in operations(source):
        if operation.place.startswith(f"body[{_PRE_FLIGHT.lower()} "):
            continue
        passed = operation.authentication
        if rest and (operation.signed or passed.value is not True):
            passed = bounded([source], without=passed)
        yield from _verdict(source, operation.place, passed, source if rest else None, signed=operation.signed)
    if (
        source.kind == "apigatewayv2.Api"
        and source.value("target") not in (None, "")
        and source.value("body") in (None, "")
    ):
        fix = "declare the route (apigatewayv2.Route) with an authorizer instead of target"
        yield violated(
            source, "target", source.get("target"), _WANTED, fix, what="makes a route that requires no login"
        )


def _asked(graph: Graph, route: Resource, path: str, to_api: str) -> Iterator[Finding]:
    """The verdict on a method or route by its authorization and its API's policies."""
    value, api = route.value(path), _api_of(graph, route, to_api)
    signed = value == "AWS_IAM"
    passed = MISSED if value in (None, "", "NONE") else PASSED
    if isinstance(value, Unknown):
        passed = Pass(None, (f"{route.label}.{path}",))
    if api is not None and api.kind == REST and (signed or passed.value is not True):
        passed = bounded(policies_of(graph, api), without=passed)
    yield from _verdict(route, path, passed, api, signed=signed)


def _verdict(resource: Resource, place: str, passed: Pass, api: Resource | None, *, signed: bool) -> Iterator[Finding]:
    """The verdict on what a route asks for, unless its API is private."""
    private = is_private(api) if api is not None and api.kind == REST else False
    if private:
        return
    if private is None and passed.value is False:
        passed = Pass(None, (f"{api.label}.endpointConfiguration.types",) if api is not None else ())
    if passed.value is None:
        yield not_proven(resource, place, passed.unknowns, _WANTED, FIX)
    elif passed.value is False:
        found = "NONE" if place.startswith("body") else resource.get(place)
        found = "AWS_IAM, while the API's policy admits every account" if signed else found
        yield violated(resource, place, "not set" if found is None else found, _WANTED, FIX)


def _api_of(graph: Graph, resource: Resource, path: str) -> Resource | None:
    found = graph.referenced(resource, path, types=_APIS).resources
    return found[0] if len(found) == 1 else None


def _after_the_opening(graph: Graph, route: Resource) -> bool:
    """Whether it is a route of a WebSocket API that has a route which opens the connection: only that one can ask."""
    api = _api_of(graph, route, "apiId")
    if api is None or api.value("protocolType") != "WEBSOCKET" or route.value("routeKey") == _OPENING:
        return False
    others = graph.of_type("apigatewayv2.Route")
    return any(other.value("routeKey") == _OPENING and _api_of(graph, other, "apiId") is api for other in others)
