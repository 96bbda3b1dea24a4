"""The routes of each subnet: those of its route table, the local ones, and those of gateway endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from policies.guardrails.topology.graph.resources import Resource

from .addresses import canonical
from .model import Route, Target
from .records import Records, count, text, texts

_ELSEWHERE = (
    "transitGatewayId", "coreNetworkArn", "localGatewayId", "carrierGatewayId", "networkInterfaceId", "instanceId",
    "odbNetworkArn",
)  # fmt: skip


class Routes:
    """The route tables, and the association of subnets with them."""

    def __init__(
        self,
        records: Records,
        endpoints: Mapping[str, tuple[str, ...]],
        blocks_of_list: Callable[[str], tuple[str, ...] | None],
    ) -> None:
        """``endpoints``: the blocks of each gateway endpoint, by its URN."""
        self._records = records
        self._blocks_of_list = blocks_of_list
        self._tables: dict[str, list[Route]] = {}
        self.not_emulated: list[tuple[str, str]] = []
        for table in records.of("ec2.RouteTable", "ec2.DefaultRouteTable"):
            own = self._tables.setdefault(text(table, "id"), [])
            for index in range(count(table, "routes")):
                own += self._read(table, f"routes[{index}].", ("cidrBlock", "ipv6CidrBlock"))
        for route in records.of("ec2.Route"):
            names = ("destinationCidrBlock", "destinationIpv6CidrBlock")
            self._tables.setdefault(text(route, "routeTableId"), []).extend(self._read(route, "", names))
        self._of_subnet = {
            text(association, "subnetId"): text(association, "routeTableId")
            for association in records.of("ec2.RouteTableAssociation")
            if text(association, "subnetId")
        }
        self._main = self._main_tables()
        self._add_endpoints(endpoints)

    def of(self, subnet: str, vpc: str, blocks: tuple[str, ...]) -> tuple[Route, ...]:
        """Return the routes of a subnet in a VPC with these blocks: one for each destination, the local ones first."""
        table = self._of_subnet.get(subnet) or self._main.get(vpc, "")
        found = {canonical(block): Route(canonical(block), Target.LOCAL) for block in blocks}
        for route in self._tables.get(table, ()):
            found.setdefault(route.destination, route)
        return tuple(found[destination] for destination in sorted(found))

    def _main_tables(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for vpc in self._records.of("ec2.Vpc"):
            found[text(vpc, "id")] = text(vpc, "mainRouteTableId") or text(vpc, "defaultRouteTableId")
            for table in self._records.of("ec2.DefaultRouteTable"):
                named = text(table, "defaultRouteTableId")
                if named and named in (text(vpc, "defaultRouteTableId"), text(vpc, "mainRouteTableId")):
                    found[text(vpc, "id")] = text(table, "id")
        for association in self._records.of("ec2.MainRouteTableAssociation"):
            found[text(association, "vpcId")] = text(association, "routeTableId")
        return found

    def _add_endpoints(self, endpoints: Mapping[str, tuple[str, ...]]) -> None:
        for endpoint in self._records.of("ec2.VpcEndpoint"):
            tables = list(texts(endpoint, "routeTableIds"))
            for association in self._records.of("ec2.VpcEndpointRouteTableAssociation"):
                if text(association, "vpcEndpointId") == text(endpoint, "id"):
                    tables.append(text(association, "routeTableId"))
            for table in tables:
                self._tables.setdefault(table, []).extend(
                    Route(block, Target.ENDPOINT, endpoint.urn) for block in endpoints.get(endpoint.urn, ())
                )

    def _read(self, resource: Resource, prefix: str, names: tuple[str, str]) -> list[Route]:
        blocks = [canonical(block) for name in names for block in texts(resource, f"{prefix}{name}")]
        for listed in texts(resource, f"{prefix}destinationPrefixListId"):
            found = self._blocks_of_list(listed)
            if found is None:
                self.not_emulated.append((resource.label, f"prefix list {listed} is not in the graph"))
            blocks += [canonical(block) for block in found or ()]
        target, name = self._target(resource, prefix)
        return [Route(block, target, name) for block in blocks]

    def _target(self, resource: Resource, prefix: str) -> tuple[Target, str]:
        if nat := self._records.named(text(resource, f"{prefix}natGatewayId"), "ec2.NatGateway"):
            return Target.NAT, nat.urn
        if text(resource, f"{prefix}egressOnlyGatewayId"):
            return Target.EGRESS_ONLY, ""
        if peering := self._records.named(
            text(resource, f"{prefix}vpcPeeringConnectionId"), "ec2.VpcPeeringConnection"
        ):
            return self._peer(resource, peering, prefix)
        if plain := self._by_gateway(text(resource, f"{prefix}gatewayId")):
            return plain, ""
        elsewhere = next((name for name in _ELSEWHERE if text(resource, f"{prefix}{name}")), "gatewayId")
        self.not_emulated.append((resource.label, f"its {elsewhere} leads outside of the model: packets are dropped"))
        return Target.NOWHERE, ""

    def _by_gateway(self, named: str) -> Target | None:
        if named == "local":
            return Target.LOCAL
        if self._records.named(named, "ec2.InternetGateway") or named.startswith("igw-"):
            return Target.INTERNET
        return Target.EGRESS_ONLY if self._records.named(named, "ec2.EgressOnlyInternetGateway") else None

    def _peer(self, resource: Resource, peering: Resource, prefix: str) -> tuple[Target, str]:
        """The VPC at the other end: not the one that the route's table is in."""
        ends = [self._records.named(text(peering, name), "ec2.Vpc") for name in ("vpcId", "peerVpcId")]
        table = resource if prefix else self._records.named(text(resource, "routeTableId"), "ec2.RouteTable")
        own = "" if table is None else text(table, "vpcId")
        others = [vpc for vpc in ends if vpc is not None and text(vpc, "id") != own]
        if len(others) != 1:
            self.not_emulated.append((resource.label, "the other end of its peering connection is not in the graph"))
            return Target.NOWHERE, ""
        return Target.PEER, others[0].urn
