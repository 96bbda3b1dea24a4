"""The placement of each resource with network interfaces: its subnets, its security groups, and whether it has a public
address.

``placement_rows`` lists the property of each of the three. Instances, groups of instances and network
interfaces, which spread them over several resources, have their own functions in ``instances``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..graph.resources import Graph, Resource
from ..graph.values import Unknown
from .placement_rows import ROWS, Row
from .routing import SUBNETS
from .security_groups import GroupSet, SecurityGroups


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """Whether a resource gets a public IPv4 address (``None``: not known), and the property that determines it."""

    value: bool | None
    resource: Resource
    property: str = ""
    unknowns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedResource:
    """A resource with network interfaces, and its placement in the network."""

    resource: Resource
    role: str
    subnets: tuple[Resource, ...]
    subnet_property: str
    subnet_unknowns: tuple[str, ...]
    loose: bool
    """Whether the resource might use only some of these subnets, because the list is not known yet."""
    groups: GroupSet
    group_property: str
    public: PublicAddress
    accepts: bool = True
    """Whether it accepts connections; a function in a VPC does not."""


OMITTED = "not set: the default network's"
"""The reason why the subnets of a resource are not known: it names none, and AWS chooses one of the default VPC."""


_PUBLIC_WORDS = {
    "true": True, "false": False, "enabled": True, "disabled": False,
    "service_provided_eips": True, "public_only": True, "private_only": False,
}  # fmt: skip
"""The values of a property that mean a public address; any other value means none."""


def as_switch(value: object, default: bool) -> bool | None:
    """A property that may be a boolean or one of AWS's words for it; ``None`` if it is not known yet."""
    if isinstance(value, Unknown):
        return None
    if isinstance(value, bool):
        return value
    return _PUBLIC_WORDS.get(value.lower(), False) if isinstance(value, str) else default


@dataclass(slots=True)
class Subnets:
    """The subnets collected so far, with the reasons why they may be incomplete."""

    property: str = ""
    found: dict[str, Resource] = field(default_factory=dict[str, Resource])
    unknowns: list[str] = field(default_factory=list[str])
    loose: bool = False

    def add(self, graph: Graph, resource: Resource, path: str) -> None:
        """Add the subnets that a property refers to."""
        references = graph.referenced(resource, path, types=SUBNETS)
        self.loose |= references.loose and len(references.resources) > 1
        self.found.update((subnet.urn, subnet) for subnet in references)
        self.unknowns += [f"{resource.label}.{path} {literal}" for literal in references.external]
        self.unknowns += [f"{resource.label}.{unknown.path}" for unknown in references.unknowns]

    def ordered(self) -> tuple[Resource, ...]:
        """The subnets, sorted by URN."""
        return tuple(self.found[urn] for urn in sorted(self.found))


def place(graph: Graph, groups: SecurityGroups, resource: Resource) -> PlacedResource | None:
    """The placement of a resource in the table; ``None`` if it has no network interface."""
    row = ROWS[resource.kind]
    if row.required and resource.value(row.required) in (None, [], {}):
        return None
    if resource.kind == "ec2.VpcEndpoint" and resource.value("vpcEndpointType") in (
        None,
        "Gateway",
        "GatewayLoadBalancer",
    ):
        return None
    owner = _owner(graph, row, resource)
    subnets = Subnets() if row.in_any_subnet else _subnets(graph, row, resource)
    if not subnets.found and owner is not None:
        subnets = _subnets(graph, ROWS[owner.kind], owner)
    holder, path = (resource, row.groups) if row.groups or owner is None else (owner, ROWS[owner.kind].groups)
    found = groups.of(holder, path) if path else GroupSet(default=True)
    return PlacedResource(
        resource=resource,
        role=row.role,
        subnets=subnets.ordered(),
        subnet_property=subnets.property,
        subnet_unknowns=tuple(subnets.unknowns),
        loose=subnets.loose,
        groups=found,
        group_property=path,
        public=_by_subnet(resource, subnets) if row.follows_subnet else _public(row, resource),
        accepts=row.accepts,
    )


def _owner(graph: Graph, row: Row, resource: Resource) -> Resource | None:
    if row.owner is None:
        return None
    property_, kind, keys = row.owner
    found = graph.referenced(resource, property_, types=(kind,), keys=keys).resources
    return found[0] if found else None


def _subnets(graph: Graph, row: Row, resource: Resource) -> Subnets:
    subnets = Subnets(row.subnets or (row.via.property if row.via else ""))
    if row.via is None and row.owner is not None:
        subnets.unknowns.append(f"{resource.label}.{row.owner[0]}")
        return subnets
    if row.via is None:
        subnets.add(graph, resource, row.subnets)
        if not subnets.found and not subnets.unknowns:
            subnets.unknowns.append(f"{resource.label}.{row.subnets or 'subnets'} (not set)")
        return subnets
    named = graph.referenced(resource, row.via.property, types=(row.via.kind,), keys=row.via.keys)
    for group in named:
        subnets.add(graph, group, row.via.subnets)
    subnets.unknowns += [f"{resource.label}.{row.via.property} {literal}" for literal in named.external]
    subnets.unknowns += [f"{resource.label}.{unknown.path}" for unknown in named.unknowns]
    if not named.resources and not subnets.unknowns:
        subnets.unknowns.append(f"{resource.label}.{row.via.property} ({OMITTED} subnets)")
    return subnets


def _by_subnet(resource: Resource, subnets: Subnets) -> PublicAddress:
    """The public address that a subnet assigns to machines which ask for none."""
    for subnet in subnets.ordered():
        switched = as_switch(subnet.value("mapPublicIpOnLaunch"), subnet.kind == "ec2.DefaultSubnet")
        if switched is not False:
            unknowns = () if switched else (f"{subnet.label}.mapPublicIpOnLaunch",)
            return PublicAddress(switched, subnet, "mapPublicIpOnLaunch", unknowns)
    return PublicAddress(False, resource)


def _public(row: Row, resource: Resource) -> PublicAddress:
    if row.elastic:
        listed = resource.items(row.elastic)
        unknown = (f"{resource.label}.{row.elastic}",) if isinstance(listed, Unknown) else ()
        return PublicAddress(None if unknown else bool(listed), resource, row.elastic, unknown)
    if not row.public:
        return PublicAddress(False, resource)
    value = resource.value(row.public)
    switched = as_switch(value, row.public_default)
    unknowns = (f"{resource.label}.{row.public}",) if switched is None else ()
    return PublicAddress(switched, resource, row.public, unknowns)
