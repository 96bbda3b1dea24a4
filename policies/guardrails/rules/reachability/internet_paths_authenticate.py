"""Every path from the internet to a workload passes an action that authenticates users and refuses unauthenticated
requests.

The application trusts the identity that the edge forwards, so one forwarding rule without a login would accept any
identity.

An open route of an API is reported by apigateway-routes-authenticate or apigateway-documents-authenticate, an open function
URL by lambda-public-function-url, and not here again. A route that is meant to be public is listed in exceptions.yaml. The policy cannot see which
authenticated users may use the application.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...api_routes import DOCUMENTS, open_operations, open_routes
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding
from ...topology.reachability.evaluation import reachability


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each forwarding rule, route and address that is open to the internet."""
    of_documents = (finding for api in graph.of_type(*DOCUMENTS) for finding in open_operations(api))
    reported = {(finding.urn, finding.property) for finding in (*open_routes(graph), *of_documents)}
    for finding in reachability(graph).unauthenticated:
        if (finding.urn, finding.property) not in reported and graph.by_urn[finding.urn].kind != "lambda.FunctionUrl":
            yield finding


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="add an authenticating action that refuses unauthenticated requests before the forward action",
)
