"""A list of subnets names each subnet only once, and at least two subnets where the resource serves requests.

A list that names one subnet twice looks like two availability zones but is only one, and an outage of that zone stops
the service.

The policy counts subnets; AWS itself refuses subnets in the same zone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

_PATHS = {
    "cloudwatch.EventTarget": ("ecsTarget.networkConfiguration.subnets", 0),
    "docdb.SubnetGroup": ("subnetIds", 2),
    "ec2.NetworkAcl": ("subnetIds", 0),
    "ec2.VpcEndpoint": ("subnetIds", 0),
    "ecs.Service": ("networkConfiguration.subnets", 0),
    "elasticache.SubnetGroup": ("subnetIds", 0),
    "lb.LoadBalancer": ("subnets", 0),
    "memorydb.SubnetGroup": ("subnetIds", 0),
    "rds.SubnetGroup": ("subnetIds", 2),
    "scheduler.Schedule": ("target.ecsParameters.networkConfiguration.subnets", 0),
}
_FIX = "name each subnet once, in two or more availability zones"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each list of subnets."""
    for resource in graph.of_type(*_PATHS):
        path, least = _PATHS[resource.kind]
        found = resource.items(path)
        wanted = "each subnet once" + (f", and at least {least}" if least else "")
        if isinstance(found, Unknown):
            if not graph.referenced(resource, path, ("ec2.Subnet",)).resources:
                yield not_proven(resource, path, [found], wanted, _FIX)
            continue
        names = [item for item in found if isinstance(item, str)]
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            yield violated(resource, path, ", ".join(twice), wanted, _FIX, what="names a subnet twice")
        elif found and len(found) < least:
            yield violated(resource, path, f"{len(found)} subnet", wanted, _FIX, what="uses only one subnet")


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX, types=tuple(sorted(_PATHS))
)
