"""Every VPC endpoint has a policy of its own, and none of its statements allows everything.

An endpoint without a policy carries data to any account's bucket, table or model that a caller has rights on.

It judges that a statement bounds action, resource or principal; whether the bound is the right one is for review.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..checks import Document, document, statements
from ..rule import Rule, Settings, Severity, stack_rule
from ..topology.resources import Graph, Resource
from ..topology.verdicts import Finding, not_proven, violated

_WANTED = "a policy that names what is called through the endpoint"
_FIX = "give the endpoint a policy with the actions and resources that the stack uses"


def judge(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Each endpoint."""
    for endpoint in graph.of_type("ec2.VpcEndpoint"):
        if endpoint.value("vpcEndpointType") in ("GatewayLoadBalancer", "Resource", "ServiceNetwork"):
            continue
        yield from _endpoint(endpoint, document(endpoint, "policy"))


def _endpoint(endpoint: Resource, policy: Document) -> Iterator[Finding]:
    if policy.unknown is not None:
        if not endpoint.property_dependencies.get("policy"):
            fix = f"{_FIX}; without one AWS allows everything"
            yield violated(endpoint, "policy", None, _WANTED, fix)
        else:
            yield not_proven(endpoint, "policy", [policy.unknown], _WANTED, _FIX)
    elif policy.unreadable:
        yield not_proven(endpoint, "policy", ["policy"], _WANTED, _FIX, found="text that is no JSON document")
    elif policy.value is None:
        yield violated(endpoint, "policy", None, _WANTED, f"{_FIX}; without one AWS allows everything")
    else:
        for statement in statements(policy.value):
            if (
                statement.allows
                and "*" in statement.actions
                and "*" in statement.resources
                and not statement.conditions
            ):
                place = f"policy[{statement.label}]"
                yield violated(
                    endpoint, place, "every action on every resource", _WANTED, _FIX, what="allows everything"
                )


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    judge,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ec2.VpcEndpoint",),
)
