"""Nobody and nothing gets a key or password that works until somebody remembers to delete it.

An access key opens the account from anywhere, past every network and login of this stack, and is found in laptops,
logs and images years later. Roles give keys that end by themselves: to tasks, to CI (OIDC), to people (Identity Center).

It cannot see keys that are made by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_FIX = "give a role instead: to a workload by its task role, to CI by OIDC, to people by IAM Identity Center"
_KINDS = {
    "iam.AccessKey": "an access key that never ends",
    "iam.ServiceSpecificCredential": "a password for a service that never ends",
    "iam.UserLoginProfile": "a password for the console",
}
_STATUS = "status"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One key or password of a user; one that is switched off opens nothing."""
    status = resource.value(_STATUS)
    if isinstance(status, Unknown):
        yield not_proven(resource, _STATUS, [status], "Inactive", _FIX)
    elif status != "Inactive":
        yield violated(resource, "", _KINDS[resource.kind], "a role", _FIX, what="works from anywhere")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=tuple(sorted(_KINDS)),
)
