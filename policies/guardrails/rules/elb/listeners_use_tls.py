"""Listeners use TLS with a recommended policy; a plain HTTP listener only redirects to HTTPS or refuses requests.

A listener without a policy gets ELBSecurityPolicy-2016-08, which still offers TLS 1.0.

The policy cannot see the names in the certificate or the ciphers that a client chooses.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect, expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_SCHEMA = {
    "policies": {
        "type": "array",
        "items": {"type": "string"},
        "default": [
            "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
            "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09",
            "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
            "ELBSecurityPolicy-TLS13-1-2-FIPS-PQ-2025-09",
            "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09",
            "ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09",
            "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
            "ELBSecurityPolicy-TLS13-1-3-2021-06",
            "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04",
            "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
            "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
        ],
        "description": "The TLS policies that a listener may use.",
    }
}
_FIX = "use protocol HTTPS with a recommended sslPolicy; on port 80 only redirect to HTTPS with HTTP_301"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one listener, or one distribution."""
    if resource.kind == "cloudfront.Distribution":
        yield from _distribution(resource)
        return
    protocol = resource.value("protocol")
    if isinstance(protocol, Unknown):
        yield not_proven(resource, "protocol", [protocol], "HTTPS, TLS, or HTTP that redirects", _FIX)
    elif protocol in ("HTTPS", "TLS"):
        allowed = settings["policies"]
        yield from expect(resource, "sslPolicy", lambda found: found in allowed, " or ".join(allowed), _FIX)
    elif protocol in (None, "HTTP"):
        if protocol is None and resource.value("port") in (443, None) and resource.value("certificateArn") is not None:
            yield violated(resource, "protocol", None, "HTTPS", "set the protocol", what="does not set its protocol")
            return
        yield from _redirects(resource)
    elif protocol in ("TCP", "UDP", "TCP_UDP"):
        yield violated(resource, "protocol", protocol, "TLS", "use protocol TLS, or forward TLS to a TLS target group")


def _distribution(distribution: Resource) -> Iterator[Finding]:
    ordered = distribution.items("orderedCacheBehaviors")
    count = 0 if isinstance(ordered, Unknown) else len(ordered)
    for path in ("defaultCacheBehavior", *(f"orderedCacheBehaviors[{index}]" for index in range(count))):
        yield from expect(
            distribution,
            f"{path}.viewerProtocolPolicy",
            lambda found: found in ("https-only", "redirect-to-https"),
            "redirect-to-https or https-only",
            "set viewerProtocolPolicy to redirect-to-https",
        )


def _redirects(listener: Resource) -> Iterator[Finding]:
    actions = listener.items("defaultActions")
    if isinstance(actions, Unknown):
        yield not_proven(listener, "defaultActions", [actions], "a redirect to HTTPS", _FIX)
        return
    if not actions:
        yield violated(listener, "defaultActions", None, "a redirect to HTTPS", _FIX)
    for index in range(len(actions)):
        base = f"defaultActions[{index}]"
        kind = listener.value(f"{base}.type")
        if kind == "fixed-response" and str(listener.value(f"{base}.fixedResponse.statusCode")).startswith("4"):
            continue
        if kind != "redirect":
            yield from expect_value(listener, f"{base}.type", "redirect", _FIX, what="serves plain HTTP")
            continue
        yield from expect_value(listener, f"{base}.redirect.protocol", "HTTPS", _FIX, default="#{protocol}")
        yield from expect_value(listener, f"{base}.redirect.statusCode", "HTTP_301", _FIX)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("cloudfront.Distribution", "lb.Listener"),
    controls=("ELB.1", "ELB.17", "ELB.18"),
    schema=_SCHEMA,
)
