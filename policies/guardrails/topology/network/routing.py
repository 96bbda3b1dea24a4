"""The subnets with a route to or from the internet.

Inline routes, route resources, explicit and main route table associations and adopted default tables, IPv4 and IPv6,
longest prefix first. A NAT or egress-only gateway admits no inbound connections.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from ..graph.resources import Graph, Resource
from ..graph.values import Unknown, Value
from ..graph.verdicts import Hop, hop
from .addresses import INTERNET, NO_ADDRESSES, Addresses, is_wide, parse

VPCS = ("ec2.Vpc", "ec2.DefaultVpc")
SUBNETS = ("ec2.Subnet", "ec2.DefaultSubnet")
TABLES = ("ec2.RouteTable", "ec2.DefaultRouteTable")


TABLE_KEYS = ("id", "arn", "mainRouteTableId", "defaultRouteTableId")
"""A VPC stands for its main route table, which a program may refer to without declaring it."""


class Through(StrEnum):
    """The target of a route, as far as inbound internet traffic is concerned."""

    INTERNET = "an internet gateway"
    OUTWARD = "a gateway without inbound connections"
    INSPECTED = "an endpoint that inspects traffic"
    NETWORK = "another network"
    UNKNOWN = "an unknown gateway"


_OUTWARD = ("natGatewayId", "egressOnlyGatewayId", "networkInterfaceId", "instanceId")
_NETWORK = (
    "transitGatewayId",
    "vpcPeeringConnectionId",
    "coreNetworkArn",
    "localGatewayId",
    "carrierGatewayId",
    "odbNetworkArn",
)
_DESTINATIONS = ("cidrBlock", "ipv6CidrBlock", "destinationCidrBlock", "destinationIpv6CidrBlock")
_INSPECTING = ("ec2.VpcEndpoint", "networkfirewall.Firewall", "networkfirewall.VpcEndpointAssociation")
_GATEWAYS = ("ec2.InternetGateway", "ec2.VpnGateway", "ec2.VpcEndpoint")
_LISTS = ("destinationPrefixListId",)
_MIN_V4, _MIN_V6 = 16, 40


@dataclass(frozen=True, slots=True)
class Route:
    """One route: destination, gateway, and the resource and property that declare it."""

    destination: Addresses | None
    through: Through
    resource: Resource
    property: str
    gateway: Resource | None = None
    literal: str = ""
    gateway_property: str = "gatewayId"


def _specific(route: Route) -> int:
    """The size of the destination: the smallest matching block wins."""
    if route.destination is None:
        return 0
    return route.destination.v4.size() or route.destination.v6.size()


@dataclass(frozen=True, slots=True)
class Placement:
    """A subnet's routes to and from the internet."""

    internet: Addresses = NO_ADDRESSES
    """Internet addresses that are routed to an internet gateway, so that responses can reach them."""
    hops: tuple[Hop, ...] = ()
    unknowns: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


class Routing:
    """Subnets, their route tables and their networks."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._routes: dict[str, list[Route]] = {}
        for table in graph.of_type(*TABLES):
            self._routes[table.urn] = self._inline(table)
        self._unattached: list[str] = []
        """Resources that may change the table or the routes of any subnet, because it is not known yet which one they
        belong to.
        """
        for route in graph.of_type("ec2.Route"):
            tables = self._tables_of(route)
            for table in tables:
                self._routes.setdefault(table.urn, []).extend(self._each(route, ""))
            if not tables and not isinstance(route.value("routeTableId"), str):
                self._unattached.append(f"{route.label}.routeTableId")
        self._ingress = self._inspected_ingress()
        self._tables, self._open_tables = self._associations()
        self._main = self._main_tables()
        self._placements: dict[str, Placement] = {}

    @cached_property
    def own_addresses(self) -> Addresses:
        """The declared blocks of the stack's VPCs, which do not count as internet even if they are not private
        ranges."""
        found = NO_ADDRESSES
        for resource in self.graph.of_type(*VPCS, "ec2.VpcIpv4CidrBlockAssociation", "ec2.VpcIpv6CidrBlockAssociation"):
            for path in ("cidrBlock", "ipv6CidrBlock"):
                block = resource.value(path)
                parsed = parse(block) if isinstance(block, str) and _is_network_sized(block) else None
                found |= parsed or NO_ADDRESSES
        return found

    def _tables_of(self, resource: Resource) -> tuple[Resource, ...]:
        """The tables that a property names; a network stands for its main table."""
        return self.graph.referenced(resource, "routeTableId", types=(*TABLES, *VPCS), keys=TABLE_KEYS).resources

    def vpc_of(self, resource: Resource) -> Resource | None:
        """The network that a subnet, group or table belongs to, if it is in this stack."""
        found = self.graph.referenced(resource, "vpcId", types=VPCS).resources
        return found[0] if len(found) == 1 else None

    def table_of(self, subnet: Resource) -> Resource | None:
        """The route table of a subnet, or its network's adopted main table; ``None`` if it is not known."""
        named = self._tables.get(subnet.urn, [])
        if named:
            return named[0][1] if len(named) == 1 else None
        vpc = self.vpc_of(subnet)
        main = self._main.get(vpc.urn) if vpc is not None else None
        return main[1] if main is not None else None

    def reaches(self, subnet: Resource, other: Resource, addresses: Addresses) -> bool:
        """Whether packets from a subnet to addresses of another one are routed: always within a network, and to another
        network by a peering connection or a similar gateway. A route that is not known yet counts as existing.
        """
        vpc, table = self.vpc_of(subnet), self.table_of(subnet)
        if vpc is None or vpc is self.vpc_of(other) or self._open_tables.get(subnet.urn) or self._unattached:
            return True
        left = addresses
        for route in sorted(self._routes.get((table or vpc).urn, ()), key=_specific):
            if route.destination is None:
                return True
            if left & route.destination and route.through not in (Through.NETWORK, Through.UNKNOWN):
                return False
            left -= route.destination
        return not left

    def outward(self, subnet: Resource) -> Addresses:
        """The internet addresses to which a subnet's routes lead, by a NAT gateway or an internet gateway. A route that is not
        known yet, or to a VPC endpoint, does not count."""
        table = self.table_of(subnet)
        found, claimed = Addresses(), Addresses()
        for route in sorted(self._routes.get(table.urn, ()) if table is not None else (), key=_specific):
            if route.destination is None:
                continue
            leaves = route.through in (Through.INTERNET, Through.INSPECTED) or (
                route.through is Through.OUTWARD and route.gateway is None and route.literal != "local"
            )
            if leaves:
                found |= (route.destination & INTERNET) - claimed
            claimed |= route.destination
        return found

    def leaves(self, subnet: Resource) -> bool:
        """Whether a subnet has a route to most of the internet: by a gateway, another network or an inspecting endpoint."""
        table = self.table_of(subnet)
        wide = [
            route
            for route in (self._routes.get(table.urn, ()) if table is not None else ())
            if route.destination is not None and is_wide(route.destination & INTERNET)
        ]
        return any(route.through is not Through.UNKNOWN and route.literal != "local" for route in wide)

    def placement(self, subnet: Resource) -> Placement:
        """A subnet's routes to and from the internet."""
        if subnet.urn not in self._placements:
            self._placements[subnet.urn] = self._place(subnet)
        return self._placements[subnet.urn]

    def _place(self, subnet: Resource) -> Placement:
        tables = self._tables.get(subnet.urn, [])
        if len(tables) == 1:
            association, table = tables[0]
            return self._by_main_table(subnet, table) if table.kind in VPCS else self._by_table(table, association)
        if unclear := self._open_tables.get(subnet.urn, []) + tables:
            return self._unclear(unclear)
        return self._by_main_table(subnet, self.vpc_of(subnet))

    def _unclear(self, candidates: list[tuple[Resource, Resource]]) -> Placement:
        """Several subnets may be meant by an association: all candidates have to agree."""
        placements = [
            self._by_table(table, association) for association, table in candidates if table is not association
        ]
        sure = len(placements) == len(candidates)
        if sure and not any(placement.internet or placement.unknowns for placement in placements):
            return placements[0]
        return Placement(unknowns=tuple(f"{association.label}.routeTableId" for association, _ in candidates))

    def _by_main_table(self, subnet: Resource, vpc: Resource | None) -> Placement:
        main = self._main.get(vpc.urn) if vpc is not None else None
        if main is not None:
            return self._by_table(main[1], main[0])
        if subnet.kind == "ec2.DefaultSubnet" or (vpc is not None and vpc.kind == "ec2.DefaultVpc"):
            allows = "a default subnet: its main route table leads to an internet gateway"
            return Placement(internet=INTERNET, hops=(hop(subnet, "", allows),))
        if vpc is None:
            return Placement(unknowns=(f"the main route table of {subnet.label}.vpcId",))
        placed = self._by_table(vpc, vpc)
        assumption = f"the main route table of {vpc.label}, which is not declared, has its local route only"
        assumptions = placed.assumptions if self._routes.get(vpc.urn) else (assumption, *placed.assumptions)
        return replace(placed, assumptions=assumptions, unknowns=(*placed.unknowns, *self._unattached))

    def _by_table(self, table: Resource, association: Resource) -> Placement:
        reached = NO_ADDRESSES
        claimed = Addresses()
        hops: list[Hop] = []
        unknowns: list[str] = []
        assumptions: list[str] = []
        for route in sorted(self._routes.get(table.urn, ()), key=_specific):
            if route.destination is None:
                if route.through in (Through.INTERNET, Through.UNKNOWN):
                    unknowns.append(f"{route.resource.label}.{route.property}")
                continue
            routed = (route.destination & INTERNET) - claimed
            claimed |= route.destination
            if not routed:
                continue
            if route.through is Through.INTERNET:
                reached |= routed
                if not hops:
                    gateway = route.gateway.label if route.gateway else route.literal or "internet gateway"
                    hops = [
                        *([hop(association, "routeTableId", table.label)] if association is not table else []),
                        hop(route.resource, route.property, f"{routed} through {gateway}"),
                    ]
            elif route.through is Through.INSPECTED:
                if _endpoint(route) in self._ingress:
                    reached |= routed
                    hops = hops or [hop(route.resource, route.property, f"{routed} through an inspecting endpoint")]
                named = f"{route.resource.label}.{route.property}"
                assumptions.append(f"the endpoint behind {named} admits no connections that its rules do not allow")
            elif route.through is Through.UNKNOWN:
                unknowns.append(f"{route.resource.label}.{route.gateway_property}")
            elif route.through is Through.NETWORK:
                beyond = f"{route.resource.label}.{route.property}"
                assumptions.append(f"the network behind {beyond} forwards no traffic from the internet")
        return Placement(reached, tuple(hops), tuple(unknowns), tuple(assumptions))

    # -- collecting ---------------------------------------------------------------------------------------------

    def _associations(
        self,
    ) -> tuple[dict[str, list[tuple[Resource, Resource]]], dict[str, list[tuple[Resource, Resource]]]]:
        clear: dict[str, list[tuple[Resource, Resource]]] = {}
        unclear: dict[str, list[tuple[Resource, Resource]]] = {}
        for association in self.graph.of_type("ec2.RouteTableAssociation"):
            if association.value("gatewayId") not in (None, ""):
                continue
            subnets = self.graph.referenced(association, "subnetId", types=SUBNETS)
            tables = self._tables_of(association)
            target = clear if len(tables) == 1 and not subnets.ambiguous else unclear
            for subnet in subnets:
                # A table that is not of this stack is told by the association standing for it.
                target.setdefault(subnet.urn, []).extend((association, table) for table in tables or (association,))
            if not subnets.resources and not subnets.external:
                self._unattached.append(f"{association.label}.subnetId")
        return clear, unclear

    def _inspected_ingress(self) -> frozenset[str]:
        """The endpoints to which a gateway's own route table sends what comes from the internet."""
        tables = [
            table
            for association in self.graph.of_type("ec2.RouteTableAssociation")
            if association.value("gatewayId") not in (None, "")
            for table in self._tables_of(association)
        ]
        routes = (route for table in tables for route in self._routes.get(table.urn, ()))
        return frozenset(_endpoint(route) for route in routes if route.through is Through.INSPECTED)

    def _main_tables(self) -> dict[str, tuple[Resource, Resource]]:
        found: dict[str, tuple[Resource, Resource]] = {}
        for table in self.graph.of_type("ec2.DefaultRouteTable"):
            for vpc in self.graph.referenced(
                table, "defaultRouteTableId", types=VPCS, keys=("defaultRouteTableId", "mainRouteTableId")
            ):
                found[vpc.urn] = (table, table)
        for association in self.graph.of_type("ec2.MainRouteTableAssociation"):
            vpcs = self.graph.referenced(association, "vpcId", types=VPCS)
            tables = self.graph.referenced(association, "routeTableId", types=TABLES).resources
            for vpc in vpcs:
                if len(tables) == 1:
                    found[vpc.urn] = (association, tables[0])
                else:
                    self._unattached.append(f"{association.label}.routeTableId")
        return found

    def _inline(self, table: Resource) -> list[Route]:
        declared = table.items("routes") if table.declares("routes") else []
        if isinstance(declared, Unknown):
            return [Route(None, Through.UNKNOWN, table, "routes")]
        return [route for index, _ in enumerate(declared) for route in self._each(table, f"routes[{index}]")]

    def _each(self, resource: Resource, path: str) -> Iterator[Route]:
        """A route, or one for each entry of its prefix list if all entries are known."""
        route = self._route(resource, path)
        blocks = self._listed(resource, f"{path}.{_LISTS[0]}" if path else _LISTS[0])
        yield from [replace(route, destination=block) for block in blocks] or [route]

    def _listed(self, resource: Resource, path: str) -> list[Addresses]:
        if resource.value(path) in (None, ""):
            return []
        lists = self.graph.referenced(resource, path, types=("ec2.ManagedPrefixList",))
        entries: list[Value] = []
        for listed in lists:
            inline = listed.items("entries") if listed.declares("entries") else []
            if isinstance(inline, Unknown):
                return []
            entries += [listed.value(f"entries[{index}].cidr") for index, _ in enumerate(inline)]
            for entry in self.graph.of_type("ec2.ManagedPrefixListEntry"):
                if listed in self.graph.referenced(entry, "prefixListId", types=("ec2.ManagedPrefixList",)).resources:
                    entries.append(entry.value("cidr"))
        blocks = [parse(entry) if isinstance(entry, str) else None for entry in entries]
        known = [block for block in blocks if block is not None]
        return known if lists.complete and len(known) == len(blocks) else []

    def _route(self, resource: Resource, path: str) -> Route:
        prefix = f"{path}." if path else ""
        place = path
        destination: Addresses | None = NO_ADDRESSES
        for name in _DESTINATIONS:
            value = resource.value(f"{prefix}{name}")
            if value in (None, ""):
                continue
            place = f"{prefix}{name}"
            destination = parse(value) if isinstance(value, str) else None
        for name in _LISTS:
            if resource.value(f"{prefix}{name}") not in (None, ""):
                place, destination = f"{prefix}{name}", None
        if isinstance(resource.value(path) if path else None, Unknown):
            return Route(None, Through.UNKNOWN, resource, path)
        through, gateway, literal = self._gateway(resource, prefix)
        return Route(destination, through, resource, place, gateway, literal, f"{prefix}gatewayId")

    def _gateway(self, resource: Resource, prefix: str) -> tuple[Through, Resource | None, str]:
        for names, through in ((_OUTWARD, Through.OUTWARD), (_NETWORK, Through.NETWORK)):
            if any(resource.value(f"{prefix}{name}") not in (None, "") for name in names):
                return through, None, ""
        inspecting = resource.value(f"{prefix}vpcEndpointId")
        if inspecting not in (None, ""):
            found = self.graph.referenced(resource, f"{prefix}vpcEndpointId", types=_INSPECTING).resources
            named = inspecting if isinstance(inspecting, str) else ""
            return Through.INSPECTED, found[0] if len(found) == 1 else None, named
        value = resource.value(f"{prefix}gatewayId")
        literal = value if isinstance(value, str) else ""
        gateways = self.graph.referenced(resource, f"{prefix}gatewayId", types=_GATEWAYS).resources
        by_kind = {gateway.kind: gateway for gateway in gateways}
        if "ec2.InternetGateway" in by_kind or literal.startswith("igw-"):
            return Through.INTERNET, by_kind.get("ec2.InternetGateway"), literal
        if "ec2.VpcEndpoint" in by_kind or literal == "local":
            return Through.OUTWARD, by_kind.get("ec2.VpcEndpoint"), literal
        through = Through.NETWORK if gateways or literal.startswith("vgw-") else Through.UNKNOWN
        return through, None, literal


def _endpoint(route: Route) -> str:
    """The endpoint of a route, known or not."""
    return route.gateway.urn if route.gateway is not None else route.literal or route.resource.urn


def _is_network_sized(block: str) -> bool:
    _, _, length = block.partition("/")
    return length.isdigit() and int(length) >= (_MIN_V6 if ":" in block else _MIN_V4)
