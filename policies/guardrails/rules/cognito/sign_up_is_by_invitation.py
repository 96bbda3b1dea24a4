"""User pools create accounts by invitation only.

A login in front of a load balancer or API protects nothing if any user may sign up, which is AWS's default.

A pre-sign-up trigger (lambdaConfig.preSignUp) counts as compliant; the policy cannot see whether its function rejects
uninvited users.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven

_INVITED = "adminCreateUserConfig.allowAdminCreateUserOnly"
_TRIGGER = "lambdaConfig.preSignUp"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one user pool."""
    fix = f"set {_INVITED} to true"
    trigger = resource.value(_TRIGGER)
    if isinstance(trigger, Unknown) and resource.value(_INVITED) is not True:
        yield not_proven(resource, _TRIGGER, [trigger], "a pre-sign-up trigger that rejects uninvited users", fix)
    elif trigger in (None, ""):
        yield from expect_value(resource, _INVITED, True, fix, default=False, what="allows any user to sign up")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation="have administrators create accounts",
    types=("cognito.UserPool",),
)
