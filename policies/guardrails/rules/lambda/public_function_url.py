"""Function URLs and API routes require a signature or a login.

A function URL without authorization is a public web server.

The policy cannot see checks inside the function.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect, expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_FIX = "require AWS_IAM, a user pool, a token or an authorizer"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one function URL, API route or method."""
    if resource.kind == "lambda.FunctionUrl":
        yield from expect_value(resource, "authorizationType", "AWS_IAM", _FIX)
    elif resource.kind == "apigateway.Method":
        if resource.value("httpMethod") != "OPTIONS" and resource.value("apiKeyRequired") is not True:
            yield from expect(
                resource, "authorization", lambda found: found not in (None, "NONE"), "an authorization type", _FIX
            )
    else:
        yield from expect(
            resource, "authorizationType", lambda found: found not in (None, "NONE"), "an authorization type", _FIX
        )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("apigateway.Method", "apigatewayv2.Route", "lambda.FunctionUrl"),
)
