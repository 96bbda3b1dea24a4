"""Builds all facts of a stack's network in one pass over its layers, each built once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...entry.entry_points import EntryPoints
from ...entry.load_balancing import LoadBalancing
from ...graph.resources import Graph, Resource
from ...network.acls import NetworkAcls
from ...network.addresses import Traffic
from ...network.instances import Instances
from ...network.paths import Path, PathFinder
from ...network.placement import PlacedResource
from ...network.routing import Routing
from ...network.security_groups import GroupSet, SecurityGroups
from ...waf.associations import WebAclAssociations
from .flows import flows_of, gateways_of, grants_of, target_ports
from .model import Admission, Facts, InternalResource, SubnetFacts, TrustingTarget
from .peers import peers_of
from .placed import placed_resources


def facts_of(graph: Graph) -> Facts:
    """The facts of a graph; further calls for the same graph return the same result."""
    found: Facts | None = graph.memory.get(__name__)
    if found is None:
        found = graph.memory[__name__] = _build(graph)
    return found


def _build(graph: Graph) -> Facts:
    groups, routing, acls, web_acls = (
        SecurityGroups(graph),
        Routing(graph),
        NetworkAcls(graph),
        WebAclAssociations(graph),
    )
    balancing = LoadBalancing(graph, groups, routing, web_acls)
    instances = Instances(graph, groups)
    internal = _Internal(groups, routing, acls)
    resources = tuple(internal.of(placed) for placed in placed_resources(graph, groups, balancing, instances))
    by_urn = {item.resource.urn: item for item in resources}
    finder = PathFinder()
    finder.add(balancing.edges())
    finder.add(EntryPoints(graph, web_acls, balancing).edges())
    paths = tuple(path for path in finder.paths() if path.entry.final)
    peers = peers_of(graph, groups, balancing, [(item.placed, item.groups) for item in resources])
    return Facts(
        graph=graph,
        groups=groups,
        routing=routing,
        acls=acls,
        web_acls=web_acls,
        balancing=balancing,
        internal=resources,
        by_urn=by_urn,
        paths=paths,
        trusting=_trusting(graph, balancing, resources, paths),
        unattached_rules=tuple(rule for rule in groups.unattached if rule.ingress),
        unattached_addresses=tuple(instances.unattached),
        peers=peers,
        flows=flows_of(peers, balancing),
        gateways=gateways_of(graph, peers),
        grants=grants_of(graph),
    )


class _Internal:
    """Joins placed resources with what the layers say; the same groups and subnets are joined once."""

    def __init__(self, groups: SecurityGroups, routing: Routing, acls: NetworkAcls) -> None:
        self._groups = groups
        self._routing = routing
        self._acls = acls
        self._admissions: dict[tuple[str, ...], tuple[Admission, ...]] = {}
        self._subnets: dict[str, SubnetFacts] = {}
        self._admitted: dict[str, Traffic] = {}

    def of(self, placed: PlacedResource) -> InternalResource:
        """The facts about one placed resource."""
        groups = self._groups_of(placed)
        return InternalResource(
            placed=placed,
            groups=groups,
            outside=self._groups.outside(groups.keys),
            admissions=self._admitting(groups.keys),
            subnets=tuple(self._subnet(subnet) for subnet in placed.subnets),
        )

    def _groups_of(self, placed: PlacedResource) -> GroupSet:
        if not placed.groups.default or not placed.subnets:
            return placed.groups
        return self._groups.default_of(self._routing.vpc_of(placed.subnets[0]))

    def _admitting(self, keys: tuple[str, ...]) -> tuple[Admission, ...]:
        if keys not in self._admissions:
            own = self._routing.own_addresses
            self._admissions[keys] = tuple(
                Admission(rule, self._groups.admits_internet(rule, own)) for rule in self._groups.rules(keys)
            )
        return self._admissions[keys]

    def _subnet(self, subnet: Resource) -> SubnetFacts:
        if subnet.urn not in self._subnets:
            acl = self._acls.acl_of(subnet)
            key = acl.urn if acl is not None else ""
            if key not in self._admitted:
                self._admitted[key] = self._acls.admitted(subnet)
            v6 = subnet.value("ipv6CidrBlock") not in (None, "")
            self._subnets[subnet.urn] = SubnetFacts(subnet, self._routing.placement(subnet), self._admitted[key], v6)
        return self._subnets[subnet.urn]


def _trusting(
    graph: Graph, balancing: LoadBalancing, internal: Sequence[InternalResource], paths: Sequence[Path]
) -> tuple[TrustingTarget, ...]:
    allowed = _balancer_groups(graph, balancing, paths)
    return tuple(
        TrustingTarget(item, target_ports(item.resource), allowed[item.resource.urn])
        for item in internal
        if item.resource.urn in allowed
    )


def _balancer_groups(graph: Graph, balancing: LoadBalancing, paths: Sequence[Path]) -> Mapping[str, frozenset[str]]:
    """The security groups of the load balancers in front of each target that only authenticating rules forward to."""
    found: dict[str, frozenset[str]] = {}
    unguarded: set[str] = set()
    for path in paths:
        listener = graph.by_urn.get(path.entry.source)
        balancers = graph.referenced(listener, "loadBalancerArn", types=("lb.LoadBalancer",)) if listener else ()
        keys: set[str] = set()
        for balancer in balancers:
            groups = balancing.groups_of(balancer)
            keys |= set(groups.keys) if groups is not None else set()
        if path.authentication.value is not True or not keys:
            unguarded.add(path.target)
        found[path.target] = found.get(path.target, frozenset()) | keys
    return {target: keys for target, keys in found.items() if target not in unguarded}
