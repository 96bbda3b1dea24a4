"""Load balancer bypass: other sources with access to a target that trusts the identity verified by the load balancer.

A target behind an authenticating rule trusts identity headers, so its security groups must admit only its load
balancer's security group on its port: no other group, and no address, not even a private one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..entry.load_balancing import LoadBalancing
from ..graph.resources import Graph, Resource
from ..graph.verdicts import Finding, hop, not_proven, violated
from ..network.addresses import NO_ADDRESSES, TCP
from ..network.paths import Path
from ..network.placement import Endpoint
from ..network.security_groups import GroupRule, GroupSet

_WANTED = "only the load balancer's security group on this port"
_FIX = "name the load balancer's security group (referencedSecurityGroupId) as the only source"


def bypasses(
    graph: Graph, balancing: LoadBalancing, endpoints: Sequence[tuple[Endpoint, GroupSet]], paths: Sequence[Path]
) -> Iterator[Finding]:
    """Rules that open an authenticated target to sources other than its load balancers."""
    sources = _sources(graph, balancing, paths)
    seen: set[tuple[str, str]] = set()
    for endpoint, groups in endpoints:
        allowed = sources.get(endpoint.resource.urn)
        if allowed is None:
            continue
        for rule in balancing.groups.rules(groups.keys):
            if not any(rule.covers(TCP, port) for port in target_ports(endpoint.resource)):
                continue
            for finding in _evaluate(graph, endpoint, rule, allowed):
                if (finding.urn, finding.property) not in seen:
                    seen.add((finding.urn, finding.property))
                    yield finding


def _sources(graph: Graph, balancing: LoadBalancing, paths: Sequence[Path]) -> dict[str, frozenset[str]]:
    """The security groups of the load balancers in front of each target that only authenticating rules forward to."""
    found: dict[str, frozenset[str]] = {}
    unguarded: set[str] = set()
    for path in paths:
        listener = graph.by_urn.get(path.entry.source)
        balancers = graph.referenced(listener, "loadBalancerArn", types=("lb.LoadBalancer",)) if listener else ()
        keys = {key for balancer in balancers for key in _keys(balancing, balancer)}
        if path.authentication.value is not True or not keys:
            unguarded.add(path.target)
        found[path.target] = found.get(path.target, frozenset()) | keys
    return {target: keys for target, keys in found.items() if target not in unguarded}


def _keys(balancing: LoadBalancing, balancer: Resource) -> tuple[str, ...]:
    groups = balancing.groups_of(balancer)
    return groups.keys if groups is not None else ()


def target_ports(resource: Resource) -> list[int | None]:
    """The ports on which a service is a target; any port when none is set."""
    entries = resource.items("loadBalancers")
    count = len(entries) if isinstance(entries, list) else 0
    ports = [resource.value(f"loadBalancers[{index}].containerPort") for index in range(count)]
    return [int(port) if isinstance(port, int | float) else None for port in ports] or [None]


def _evaluate(graph: Graph, endpoint: Endpoint, rule: GroupRule, allowed: frozenset[str]) -> Iterator[Finding]:
    others = [key for key in rule.groups if key not in allowed]
    if others or rule.addresses != NO_ADDRESSES:
        named = [graph.by_urn[key].label if key in graph.by_urn else key for key in others]
        found = "; ".join([*([str(rule)] if rule.addresses else []), *(f"from {name}" for name in named)])
        what = (
            f"opens {endpoint.resource.label}, which trusts identity headers, to sources other than the load balancer"
        )
        witness = (hop(rule.resource, rule.property, found), hop(endpoint.resource))
        yield violated(rule.resource, rule.property, found, _WANTED, _FIX, what=what, witness=witness)
    elif rule.unknowns or rule.group_unknowns:
        yield not_proven(rule.resource, rule.property, [*rule.unknowns, *rule.group_unknowns], _WANTED, _FIX)
