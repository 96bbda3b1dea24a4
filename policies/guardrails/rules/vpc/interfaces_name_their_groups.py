"""Every resource with a network interface names its security groups, rather than using its VPC's default group.

All resources without an explicit security group share the default group, in this stack and in all others that use the
VPC.

The rules of the security groups are checked by the reachability-* policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.network.security_groups import GroupSet
from ...topology.reachability.facts.build import facts_of

_WANTED = "at least one security group other than the default one"
_FIX = "name the security groups that this resource needs, other than the default one"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each load balancer and each internal resource."""
    facts = facts_of(graph)
    for balancer in graph.of_type("lb.LoadBalancer"):
        yield from _balancer(balancer, facts.groups.of(balancer, "securityGroups"))
    for internal in facts.internal:
        resource, path = internal.resource, internal.placed.group_property
        if resource.kind != "lb.LoadBalancer" and path:
            yield from _named(resource, path, internal.placed.groups)


def _balancer(balancer: Resource, groups: GroupSet) -> Iterator[Finding]:
    kind = balancer.value("loadBalancerType")
    if isinstance(kind, Unknown) and groups.default:
        yield not_proven(balancer, "loadBalancerType", [kind], _WANTED, _FIX)
    elif isinstance(kind, Unknown) or kind in (None, "application"):
        yield from _named(balancer, "securityGroups", groups)


def _named(resource: Resource, path: str, groups: GroupSet) -> Iterator[Finding]:
    if groups.unknowns and not groups.keys:
        yield not_proven(resource, path, groups.unknowns, _WANTED, _FIX)
    elif groups.default:
        yield violated(resource, path, resource.get(path), _WANTED, _FIX, what="gets the VPC's default security group")


RULE: Rule = stack_rule(__name__, __doc__, evaluate, severity=Severity.MEDIUM, remediation=_FIX)
