"""Interface endpoints have an address in at least two availability zones.

With one, the loss of its zone stops every call of the service from all zones, and tasks that need it cannot start.

The policy counts subnets; AWS refuses two subnets of an endpoint in one zone.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_LEAST = 2
_PATH = "subnetIds"
_WANTED = "at least two subnets, each in a different availability zone"
_FIX = "list subnets in two or more availability zones in subnetIds"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each interface endpoint."""
    for endpoint in graph.of_type("ec2.VpcEndpoint"):
        kind = endpoint.value("vpcEndpointType")
        if kind == "Interface" or isinstance(kind, Unknown):
            yield from _endpoint(graph, endpoint)


def _endpoint(graph: Graph, endpoint: Resource) -> Iterator[Finding]:
    found = endpoint.items(_PATH)
    if not isinstance(found, Unknown):
        if len(found) == 1:
            yield violated(endpoint, _PATH, "one subnet", _WANTED, _FIX)
        elif not found and not graph.of_type("ec2.VpcEndpointSubnetAssociation"):
            yield violated(endpoint, _PATH, "no subnet", _WANTED, _FIX)
    elif len(graph.referenced(endpoint, _PATH, ("ec2.Subnet",)).resources) < _LEAST:
        yield not_proven(endpoint, _PATH, [found], _WANTED, _FIX)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("ec2.VpcEndpoint",),
)
