"""Public hosted zones log the queries that they answer.

Queries show who is probing a zone, and records that were forgotten.

A zone that the stack only adds records to is checked in the stack that creates it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_FIX = "add aws.route53.QueryLog for the zone"
_WANTED = "a query log"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each zone without a VPC."""
    for zone in graph.of_type("route53.Zone"):
        vpcs = zone.items("vpcs")
        if isinstance(vpcs, Unknown):
            yield not_proven(zone, "vpcs", [vpcs], _WANTED, _FIX)
        elif not vpcs and not referring(graph, zone, "zoneId", "route53.QueryLog", keys=("zoneId", "id")):
            yield violated(zone, "", "no query log", _WANTED, _FIX)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("route53.Zone",),
    controls=("Route53.2",),
)
