"""Nobody makes an account for himself: user pools take people by invitation, identity pools take no guests.

A load balancer or API that asks for a login asks for nothing when everyone may sign up. AWS's default is that everyone
may.

A trigger before the sign-up (lambdaConfig.preSignUp) may refuse people: what it does cannot be seen, and it counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven

_INVITED = "adminCreateUserConfig.allowAdminCreateUserOnly"
_TRIGGER = "lambdaConfig.preSignUp"
_GUESTS = "allowUnauthenticatedIdentities"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One user pool or identity pool."""
    if resource.kind == "cognito.IdentityPool":
        fix = f"set {_GUESTS} to false"
        yield from expect_value(resource, _GUESTS, False, fix, default=False, what="gives AWS credentials to anyone")
        return
    fix = f"set {_INVITED} to true"
    trigger = resource.value(_TRIGGER)
    if isinstance(trigger, Unknown) and resource.value(_INVITED) is not True:
        yield not_proven(resource, _TRIGGER, [trigger], "a trigger that refuses strangers", fix)
    elif trigger in (None, ""):
        yield from expect_value(resource, _INVITED, True, fix, default=False, what="lets anyone sign up")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation="let administrators create accounts, and give guests none",
    types=("cognito.IdentityPool", "cognito.UserPool"),
)
