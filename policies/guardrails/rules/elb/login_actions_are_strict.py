"""Load balancer logins refuse unauthenticated requests, expire within a working day, and use HTTPS.

`allow` forwards a request without claims, and a session of a week can outlast a user's access.

The policy cannot see which users the identity provider accepts; authorization is up to the application or the proxy.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_ENDPOINTS = ("authorizationEndpoint", "issuer", "tokenEndpoint", "userInfoEndpoint")
_FIX = "use authenticate or deny, and a sessionTimeout of at most a working day, in seconds"
_SCHEMA = {
    "maximumSessionSeconds": {
        "type": "integer",
        "minimum": 60,
        "default": 43_200,
        "description": "The longest session of a load balancer login.",
    }
}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate each authenticating action of a listener or listener rule."""
    path = "actions" if resource.kind == "lb.ListenerRule" else "defaultActions"
    actions = resource.items(path)
    if isinstance(actions, Unknown):
        yield not_proven(resource, path, [actions], "actions with known values", _FIX)
        return
    for index in range(len(actions)):
        for key in ("authenticateOidc", "authenticateCognito"):
            if resource.value(f"{path}[{index}].{key}") is not None:
                yield from _login(resource, f"{path}[{index}].{key}", settings)
        if resource.value(f"{path}[{index}].jwtValidation") is not None:
            yield from _token(resource, f"{path}[{index}].jwtValidation")


def _login(resource: Resource, base: str, settings: Settings) -> Iterator[Finding]:
    limit = int(settings["maximumSessionSeconds"])
    yield from expect(
        resource,
        f"{base}.onUnauthenticatedRequest",
        lambda found: found in ("authenticate", "deny"),
        "authenticate or deny",
        "use deny for requests that cannot follow a redirect to the login page",
        default="authenticate",
    )
    yield from expect(
        resource,
        f"{base}.sessionTimeout",
        lambda found: isinstance(found, int | float) and 0 < found <= limit,
        f"at most {limit} seconds",
        "set sessionTimeout",
        default=604_800,
    )
    if base.endswith("authenticateOidc"):
        for endpoint in _ENDPOINTS:
            yield from expect(
                resource, f"{base}.{endpoint}", lambda found: str(found).startswith("https://"), "an https URL", _FIX
            )


def _token(resource: Resource, base: str) -> Iterator[Finding]:
    claims = resource.items(f"{base}.additionalClaims")
    fix = "add aud to additionalClaims: the load balancer does not check the audience otherwise"
    if isinstance(claims, Unknown):
        yield not_proven(resource, f"{base}.additionalClaims", [claims], "claims that include aud", fix)
        return
    names = [resource.value(f"{base}.additionalClaims[{index}].name") for index in range(len(claims))]
    if "aud" not in names:
        yield violated(resource, f"{base}.additionalClaims", names or None, "claims that include aud", fix)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("lb.Listener", "lb.ListenerRule"),
    schema=_SCHEMA,
)
