"""Every method and route of a public API requires a signature or a login.

A route without authorization runs its function for everyone who knows the URL. An API key does not count: it identifies
a usage plan, and is in every client.

A REST API is closed without a login if it is private or if its resource policy limits the callers. A signature does not
close it if that policy admits every account. In a WebSocket API, only the route that opens the connection can ask for a
login. Routes in an OpenAPI document are checked by apigateway-documents-authenticate. The policy cannot see checks inside
the function.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...api_routes import FIX, ROUTES, open_routes
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each method and each route."""
    yield from open_routes(graph)


RULE: Rule = stack_rule(__name__, __doc__, evaluate, severity=Severity.HIGH, remediation=FIX, types=ROUTES)
