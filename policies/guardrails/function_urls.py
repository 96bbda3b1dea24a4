"""The permissions with which a public URL of a function answers: without the URL they open nothing, and the URL needs them."""

from __future__ import annotations

from .topology.graph.resources import Graph, Resource

URL_POLICY = "lambda-public-function-url"
PERMISSION_POLICY = "stack-nothing-is-shared-publicly"
_KEYS = ("name", "id", "arn")
_ACTION = "lambda:invokefunctionurl"


def permissions_of_urls(graph: Graph) -> dict[str, set[str]]:
    """URN of a function URL → URNs of the permissions of its function that only requests to its URL can use."""
    found: dict[str, set[str]] = {}
    permissions = [one for one in graph.of_type("lambda.Permission") if _is_for_urls(one)]
    for url in graph.of_type("lambda.FunctionUrl") if permissions else ():
        function = _function(graph, url, "functionName")
        found[url.urn] = {one.urn for one in permissions if function and _function(graph, one, "function") == function}
    return found


def _is_for_urls(permission: Resource) -> bool:
    is_for_urls = str(permission.value("action")).lower() == _ACTION
    return is_for_urls or permission.value("invokedViaFunctionUrl") is True


def _function(graph: Graph, resource: Resource, path: str) -> str:
    """The URN of the function that a property names, or the name itself; empty if that is not certain."""
    named = graph.referenced(resource, path, ("lambda.Function",), _KEYS)
    if named and not named.ambiguous:
        return named.resources[0].urn
    literal = resource.value(path)
    return literal if isinstance(literal, str) else ""
