"""Load balancers reject malformed headers and ambiguous requests, fail closed, and apply their security groups to all
traffic.

When the load balancer and the target parse a header or the end of a request differently, one user's request can be
mixed with another's. With fail-open, a WAF outage would let all requests through.

The policy cannot see how the target parses requests.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect, expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one load balancer."""
    if resource.value("loadBalancerType") in ("network", "gateway"):
        if resource.value("loadBalancerType") == "network":
            private = "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
            fix = f"remove {private}: security groups then also apply to consumers of a VPC endpoint service"
            yield from expect(resource, private, lambda found: found != "off", "on", fix)
        return
    yield from expect_value(
        resource, "dropInvalidHeaderFields", True, "set dropInvalidHeaderFields to true", default=False
    )
    yield from expect(
        resource,
        "desyncMitigationMode",
        lambda found: found in ("defensive", "strictest"),
        "defensive or strictest",
        "set desyncMitigationMode to strictest, or leave it out",
        default="defensive",
    )
    yield from expect_value(resource, "enableWafFailOpen", False, "remove enableWafFailOpen", default=False)
    yield from expect(
        resource,
        "xffHeaderProcessingMode",
        lambda found: found in ("append", "remove"),
        "append or remove",
        "remove xffHeaderProcessingMode: preserve forwards any address that the client sends",
        default="append",
    )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation=(
        "set dropInvalidHeaderFields, set desyncMitigationMode to defensive or strictest, and remove enableWafFailOpen"
    ),
    types=("lb.LoadBalancer",),
    controls=("ELB.4", "ELB.12"),
)
