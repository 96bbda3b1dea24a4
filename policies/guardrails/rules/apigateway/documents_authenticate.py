"""Every route that an API imports from an OpenAPI document, or creates from a target, requires a signature or a login.

Such a route is no separate resource, and is open unless the document requires a security scheme that API Gateway
enforces (an authorizer or AWS_IAM). An API key does not count.

A REST API is closed without a login if it is private or if its own policy limits the callers. The policy cannot see a
policy in a separate apigateway.RestApiPolicy, nor checks inside the function.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...api_routes import DOCUMENTS, FIX, open_operations
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate the document and the target of one API."""
    yield from open_operations(resource)


RULE: Rule = resource_rule(__name__, __doc__, evaluate, severity=Severity.HIGH, remediation=FIX, types=DOCUMENTS)
