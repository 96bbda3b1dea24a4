"""Target groups use TLS for traffic and for health checks.

Traffic from the load balancer to the task crosses the network; plain HTTP exposes cookies and prompts in clear text.

The load balancer does not validate its targets' certificates, so this encrypts traffic but does not verify the target's
identity.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_FIX = "set protocol to HTTPS (or TLS) on the target group and in its healthCheck, and terminate TLS in the target"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one target group."""
    if resource.value("targetType") in ("lambda", "alb"):
        return
    yield from expect(
        resource, "protocol", lambda found: found in ("HTTPS", "TLS", "GENEVE", "QUIC"), "HTTPS or TLS", _FIX
    )
    if resource.value("protocol") in ("HTTP", "HTTPS"):
        yield from expect(
            resource, "healthCheck.protocol", lambda found: found == "HTTPS", "HTTPS", _FIX, default="HTTP"
        )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("lb.TargetGroup",),
    controls=("ELB.21", "ELB.22"),
)
