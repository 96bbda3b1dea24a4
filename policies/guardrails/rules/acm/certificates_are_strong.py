"""Certificates issued by ACM use an RSA key of at least 2,048 bits or an elliptic curve key, and the key cannot be
exported.

A weak key can be broken, and an exported key can be copied and used outside the load balancer.

The policy cannot see the key of an imported certificate, or when that certificate expires.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import expect
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding

_STRONG = ("RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one certificate."""
    if resource.value("privateKey") is None:
        yield from expect(
            resource,
            "keyAlgorithm",
            lambda found: found in _STRONG,
            " or ".join(_STRONG),
            "remove keyAlgorithm (the default is RSA_2048) or set it to an elliptic curve",
            default="RSA_2048",
        )
        exported = "options.export"
        fix = "remove options.export: load balancers use the certificate inside ACM and need no exported key"
        yield from expect(resource, exported, lambda found: found != "ENABLED", "DISABLED", fix, default="DISABLED")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="choose a stronger keyAlgorithm",
    types=("acm.Certificate",),
    controls=("ACM.2",),
)
