"""An HTTPS listener answers requests that match no rule with a fixed 4xx response or a redirect, and never forwards
them.

New application paths then stay closed until a rule opens them, and requests for an unknown host name are refused.

The policy cannot see how broad the rules themselves are.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_WANTED = "one default action: fixed-response with a 4xx status, or redirect"
_FIX = "make the default action a fixed-response 404, and forward through rules that name host and path"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one listener of an application load balancer."""
    if resource.value("protocol") != "HTTPS":
        return
    actions = resource.items("defaultActions")
    if isinstance(actions, Unknown):
        yield not_proven(resource, "defaultActions", [actions], _WANTED, _FIX)
        return
    for index in range(len(actions)):
        base = f"defaultActions[{index}]"
        kind = resource.value(f"{base}.type")
        status = resource.value(f"{base}.fixedResponse.statusCode")
        if isinstance(kind, Unknown):
            yield not_proven(resource, f"{base}.type", [kind], _WANTED, _FIX)
        elif kind == "fixed-response" and isinstance(status, Unknown):
            yield not_proven(resource, f"{base}.fixedResponse.statusCode", [status], _WANTED, _FIX)
        elif kind == "fixed-response" and not str(status).startswith("4"):
            yield violated(resource, f"{base}.fixedResponse.statusCode", status, "a 4xx status", _FIX)
        elif kind not in ("fixed-response", "redirect"):
            yield violated(resource, f"{base}.type", kind, _WANTED, _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=_FIX,
    types=("lb.Listener",),
)
