"""Function URLs require a signature.

A function URL without authorization is a public web server. Routes of APIs are checked by
apigateway-routes-authenticate.

The policy cannot see checks inside the function.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_FIX = "require AWS_IAM"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one function URL."""
    yield from expect_value(resource, "authorizationType", "AWS_IAM", _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("lambda.FunctionUrl",),
)
