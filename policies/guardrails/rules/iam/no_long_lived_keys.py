"""No user has an access key, console password or service password that works until it is deleted.

An access key gives access to the account from anywhere, regardless of this stack's networks and logins, and copies of
it turn up years later on laptops, in logs and in images. Roles provide credentials that expire: for tasks, for CI
(OIDC) and for people (Identity Center).

The policy cannot see keys created outside this program.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_FIX = "use a role instead: a task role for workloads, OIDC for CI, IAM Identity Center for people"
_KINDS = {
    "iam.AccessKey": "an access key that never expires",
    "iam.ServiceSpecificCredential": "a service password that never expires",
    "iam.UserLoginProfile": "a console password",
}
_STATUS = "status"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one key or password of a user; a deactivated key grants no access."""
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
