"""The model of facts: immutable, built once for a graph (``facts_of``), and the only input of claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...entry.load_balancing import LoadBalancing
from ...graph.resources import Graph, Resource
from ...network.acls import NetworkAcls
from ...network.addresses import Addresses, Traffic
from ...network.paths import Path
from ...network.placement import PlacedResource, PublicAddress
from ...network.routing import Placement, Routing
from ...network.security_groups import GroupRule, GroupSet, SecurityGroups
from ...waf.associations import WebAclAssociations
from .flows import Flow, GatewayGrant, GatewayUse
from .peers import Peers


@dataclass(frozen=True, slots=True)
class Admission:
    """One ingress rule that applies to a resource, and the internet addresses that it admits."""

    rule: GroupRule
    internet: Addresses


@dataclass(frozen=True, slots=True)
class SubnetFacts:
    """A subnet of a resource: its internet routes, and the traffic that its network ACL allows in both directions."""

    resource: Resource
    routes: Placement
    admitted: Traffic
    v6: bool
    """Whether a resource in it may have an IPv6 address."""

    @property
    def is_public(self) -> bool:
        """Whether internet addresses have a route to a resource in it."""
        return bool(self.routes.internet.v4 or (self.routes.internet.v6 and self.v6))


@dataclass(frozen=True, slots=True)
class InternalResource:
    """A resource with network interfaces that must stay private, with the facts that determine its reachability."""

    placed: PlacedResource
    groups: GroupSet
    """Its security groups, or its VPC's default group if it lists none."""
    outside: tuple[str, ...]
    """The groups that are not in this stack, so that their other rules are unknown."""
    admissions: tuple[Admission, ...]
    """The ingress rules of its groups, in the order in which they are declared."""
    subnets: tuple[SubnetFacts, ...]

    @property
    def resource(self) -> Resource:
        """The resource itself."""
        return self.placed.resource

    @property
    def role(self) -> str:
        """Its role, such as database, cache or service."""
        return self.placed.role

    @property
    def public(self) -> PublicAddress:
        """Whether it has a public address."""
        return self.placed.public


@dataclass(frozen=True, slots=True)
class TrustingTarget:
    """A target that only authenticating rules forward to, so that it trusts the identity headers it receives."""

    resource: InternalResource
    ports: tuple[int | None, ...]
    """The ports on which it is a target; ``None`` stands for any port."""
    balancer_groups: frozenset[str]
    """The security groups of the load balancers in front of it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of a stack's network, from which claims are derived."""

    graph: Graph
    groups: SecurityGroups
    routing: Routing
    acls: NetworkAcls
    web_acls: WebAclAssociations
    balancing: LoadBalancing
    internal: tuple[InternalResource, ...]
    by_urn: Mapping[str, InternalResource]
    paths: tuple[Path, ...]
    """Every path from the internet to a resource that serves requests."""
    trusting: tuple[TrustingTarget, ...]
    unattached_rules: tuple[GroupRule, ...]
    """Ingress rules whose security group is not known: they may belong to any group."""
    unattached_addresses: tuple[tuple[Resource, str], ...]
    """Public addresses whose owner is not known, and the property that refers to it."""
    peers: Peers
    flows: tuple[Flow, ...]
    """Every connection that load balancers and security group rules declare."""
    gateways: tuple[GatewayUse, ...]
    """Every gateway VPC endpoint and the peers that use it."""

    grants: Mapping[str, tuple[GatewayGrant, ...]]
    """URN of an egress rule → the gateway VPC endpoints whose prefix list it refers to."""

    def label_of(self, key: str) -> str:
        """A security group's name in messages: its label, or its identifier if it is not in this stack."""
        resource = self.graph.by_urn.get(key)
        return resource.label if resource is not None else key
