"""A listener rule or default action authenticates requests before it forwards them.

One rule without a login bypasses all the others. An internal load balancer may forward without one, so this check of a
single resource is advisory; reachability-internet-paths-authenticate checks the whole stack and blocks the update.

The policy cannot see which clients can reach the load balancer.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_WANTED = "authenticate-oidc, authenticate-cognito or jwt-validation before forward"
_FIX = "add an authenticating action before the forward action"
AUTHENTICATING = ("authenticate-oidc", "authenticate-cognito", "jwt-validation")


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one listener or listener rule."""
    path = "actions" if resource.kind == "lb.ListenerRule" else "defaultActions"
    if resource.value("protocol") in ("TCP", "UDP", "TCP_UDP", "TLS", "GENEVE"):
        return
    actions = resource.items(path)
    if isinstance(actions, Unknown):
        yield not_proven(resource, path, [actions], _WANTED, _FIX)
        return
    kinds = [resource.value(f"{path}[{index}].type") for index in range(len(actions))]
    unknown = [kind for kind in kinds if isinstance(kind, Unknown)]
    if unknown:
        yield not_proven(resource, path, unknown, _WANTED, _FIX)
    elif "forward" in kinds and not any(kind in AUTHENTICATING for kind in kinds):
        place = f"{path}[{kinds.index('forward')}].type"
        yield violated(resource, place, "forward without a login", _WANTED, _FIX, what="forwards without a login")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("lb.Listener", "lb.ListenerRule"),
    level=Level.ADVISORY,
)
