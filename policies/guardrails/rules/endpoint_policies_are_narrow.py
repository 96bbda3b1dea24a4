"""Every VPC endpoint has a policy of its own, and none of its statements allows everything.

An endpoint without a policy carries data to any account's bucket, table or model that a caller has rights on.

It judges that a statement bounds action, resource or principal; whether the bound is the right one is for review.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..checks import document, statements, undecided
from ..rule import Rule, Settings, Severity, resource_rule
from ..topology.resources import Resource
from ..topology.verdicts import Finding, violated

_WANTED = "a policy that names what is called through the endpoint"
_FIX = "give the endpoint a policy with the actions and resources that the stack uses"


def judge(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One endpoint, or the policy of one."""
    if resource.value("vpcEndpointType") in ("GatewayLoadBalancer", "Resource", "ServiceNetwork"):
        return
    policy = document(resource, "policy")
    yield from undecided(resource, "policy", policy, _WANTED, _FIX)
    if policy.value is None and policy.unknown is None and not policy.unreadable:
        yield violated(resource, "policy", None, _WANTED, f"{_FIX}; without one AWS allows everything")
    for statement in statements(policy.value) if policy.known else ():
        everything = "*" in statement.actions and "*" in statement.resources
        if statement.allows and everything and not statement.conditions:
            place = f"policy[{statement.label}]"
            found = "every action on every resource"
            yield violated(resource, place, found, _WANTED, _FIX, what="allows everything")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    judge,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ec2.VpcEndpoint", "ec2.VpcEndpointPolicy"),
)
