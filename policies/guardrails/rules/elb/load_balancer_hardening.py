"""Load balancers drop malformed headers and ambiguous requests, fail closed, and apply their groups to everyone.

A header that the load balancer and the target read differently, or a request that they cut differently, is how one
user's request becomes another's. Open failure would turn a firewall outage into an open door.

It cannot see how the target itself parses requests.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect, expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """One load balancer."""
    if resource.value("loadBalancerType") in ("network", "gateway"):
        if resource.value("loadBalancerType") == "network":
            private = "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
            fix = f"remove {private}: consumers of an endpoint service pass the groups too"
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
        "leave xffHeaderProcessingMode out: preserve hands on what a client wrote as its own address",
        default="append",
    )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="set dropInvalidHeaderFields, a defensive or strictest desyncMitigationMode and no fail-open",
    types=("lb.LoadBalancer",),
    controls=("ELB.4", "ELB.12"),
)
