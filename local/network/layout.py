"""A plan as boxes and links: the namespaces, the links between them, and the commands that set each up.

Each interface is a box, and so are each subnet (which forwards by its route table and applies its network ACL), each
VPC (with its local routes), each internet gateway, and the internet. A subnet has one link for each target of its
routes: the kernel selects the link by longest prefix match, as AWS selects the target.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from . import nftables
from .addresses import family
from .model import AWS_PORTS, LINUX_PORTS, Plan, PortRange, Route, Subnet, Target

_V6 = 6
_FIRST_TABLE = 100


@dataclass(slots=True)
class Box:
    """One namespace: whether it forwards, and the input of ``ip -batch`` and ``nft -f``."""

    key: str
    index: int
    forwards: bool
    source_ports: PortRange = LINUX_PORTS
    commands: list[str] = field(default_factory=list[str])
    commands_v6: list[str] = field(default_factory=list[str])
    """Commands for IPv4, unless ``ip -6`` reads them."""
    rules: str = ""

    @property
    def own4(self) -> str:
        """A router's address on its links."""
        high, low = divmod(self.index, 250)
        return f"169.254.{16 + high}.{low + 1}"

    @property
    def own6(self) -> str:
        """A router's link-local address on its links."""
        return f"fe80::{self.index + 0x1000:x}"


@dataclass(slots=True)
class Layout:
    """Boxes by key, and links with the interface and box at both ends."""

    boxes: dict[str, Box] = field(default_factory=dict[str, Box])
    links: list[tuple[str, str, str, str]] = field(default_factory=list[tuple[str, str, str, str]])
    v6: bool = False

    def box(self, key: str, *, forwards: bool, ports: PortRange = LINUX_PORTS) -> Box:
        """Return the box with this key, creating it if necessary."""
        if key not in self.boxes:
            made = self.boxes[key] = Box(key, len(self.boxes), forwards, ports)
            made.commands.append("link set lo up")
            if forwards:
                made.commands.append(f"addr add {made.own4}/32 dev lo")
        return self.boxes[key]

    def link(self, near: Box, near_name: str, far: Box, far_name: str) -> None:
        """Connect two boxes."""
        self.links.append((near_name, near.key, far_name, far.key))
        for box, name in ((near, near_name), (far, far_name)):
            box.commands.append(f"link set {name} up")
            if box.forwards and self.v6:
                box.commands.append(f"addr add {box.own6}/64 dev {name} nodad")

    def route(self, box: Box, destination: str, device: str, via: Box | None = None, table: int = 0) -> None:
        """Add a route through a router, or directly to a link."""
        if family(destination) == _V6:
            if not self.v6:
                return
            hop = f"via {via.own6} dev {device}" if via is not None else f"dev {device}"
        else:
            hop = f"via {via.own4} dev {device} onlink" if via is not None else f"dev {device}"
        box.commands.append(f"route replace {destination} {hop}{f' table {table}' if table else ''}")

    def nowhere(self, box: Box, destination: str) -> None:
        """Drop packets for these addresses without an answer, as AWS does."""
        if family(destination) != _V6 or self.v6:
            box.commands.append(f"route replace blackhole {destination}")


def lay_out(plan: Plan) -> Layout:
    """Return the boxes and links of a plan."""
    drawing = _Drawing(plan)
    drawing.draw()
    return drawing.layout


def _whole(address: str) -> int:
    return 128 if ":" in address else 32


class _Drawing:
    """The boxes of a plan while they are made."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.layout = Layout(v6=any(subnet.v6 for subnet in plan.subnets))
        self._device: dict[str, str] = {}
        """The link to each interface in its subnet, by its resource."""
        self._position = {subnet.urn: position for position, subnet in enumerate(plan.subnets)}
        self._outward: dict[str, list[str]] = {}
        """The links of egress-only gateways, by gateway."""

    def draw(self) -> None:
        """Everything, routers first."""
        layout, plan = self.layout, self.plan
        for router in (*plan.subnets, *plan.vpcs):
            self._silent(layout.box(router.urn, forwards=True))
        members = {group: plan.members(group) for group in plan.groups}
        for position, node in enumerate(plan.nodes):
            box = layout.box(node.name, forwards=not node.guarded, ports=node.source_ports)
            box.rules = nftables.of_node(plan, node, members)
            if node.subnet:
                self._device[node.resource] = f"n{position}"
                self._attach(layout.boxes[node.subnet], box, f"n{position}", node.addresses)
                if node.kind == "ec2.NatGateway":
                    box.rules = nftables.of_nat()
            else:
                box.commands += [f"addr add {address}/{_whole(address)} dev lo" for address in node.addresses]
        for subnet in plan.subnets:
            self._subnet(subnet)
        self._internet()

    def _silent(self, box: Box) -> None:
        for everything in ("0.0.0.0/0", "::/0"):
            self.layout.nowhere(box, everything)

    def _attach(self, router: Box, box: Box, name: str, addresses: Iterable[str]) -> None:
        """An interface or a host behind its router, which is its gateway for everything."""
        layout = self.layout
        layout.link(router, name, box, "eth0")
        for address in addresses:
            if ":" not in address or layout.v6:
                box.commands.append(
                    f"addr add {address}/{_whole(address)} dev eth0{' nodad' if ':' in address else ''}"
                )
                layout.route(router, f"{address}/{_whole(address)}", name)
                layout.route(box, "::/0" if ":" in address else "0.0.0.0/0", "eth0", router)

    def _subnet(self, subnet: Subnet) -> None:
        layout = self.layout
        box, vpc = layout.boxes[subnet.urn], layout.boxes.get(subnet.vpc)
        if vpc is not None:
            layout.link(box, "up-local", vpc, f"s{self._position[subnet.urn]}")
            self._back(vpc, f"s{self._position[subnet.urn]}", subnet)
        ways: dict[tuple[Target, str], tuple[str, Box] | None] = {}
        for route in subnet.routes:
            key = (route.target, route.name)
            if key not in ways:
                ways[key] = self._way(subnet, route, f"{len(ways)}")
            way = ways[key]
            if way is None:
                layout.nowhere(box, route.destination)
            else:
                layout.route(box, route.destination, way[0], way[1])
        for block in _blocks(subnet):
            layout.nowhere(box, block)
        gateways = {"up-internet"} if any(target is Target.INTERNET for target, _ in ways) else set[str]()
        box.rules = nftables.of_subnet(subnet.acl, gateways)

    def _back(self, router: Box, device: str, subnet: Subnet) -> None:
        """The routes from a router back to a subnet."""
        for block in _blocks(subnet):
            self.layout.route(router, block, device, self.layout.boxes[subnet.urn])

    def _way(self, subnet: Subnet, route: Route, number: str) -> tuple[str, Box] | None:
        """The link of a route's target and the router behind it; ``None`` if packets are dropped."""
        box, vpc = self.layout.boxes[subnet.urn], self.layout.boxes.get(subnet.vpc)
        if route.target is Target.LOCAL and vpc is not None:
            return "up-local", vpc
        if route.target in (Target.INTERNET, Target.EGRESS_ONLY):
            return self._gateway_way(subnet, route.target)
        if route.target is Target.ENDPOINT:
            name = next(node.name for node in self.plan.nodes if node.resource == route.name)
            device, endpoint = f"s{self._position[subnet.urn]}", self.layout.boxes[name]
            self.layout.link(box, f"up-e{number}", endpoint, device)
            self._back(endpoint, device, subnet)
            return f"up-e{number}", endpoint
        if route.target is Target.PEER and (peer := self.layout.boxes.get(route.name)):
            self.layout.link(box, f"up-p{number}", peer, f"p{self._position[subnet.urn]}")
            return f"up-p{number}", peer
        return self._nat_way(subnet, route, number) if route.target is Target.NAT else None

    def _gateway_way(self, subnet: Subnet, target: Target) -> tuple[str, Box]:
        key, position = f"gateway of {subnet.vpc}", self._position[subnet.urn]
        gateway = self.layout.box(key, forwards=True)
        outward = target is Target.EGRESS_ONLY
        here, there = ("up-outward", f"e{position}") if outward else ("up-internet", f"s{position}")
        self.layout.link(self.layout.boxes[subnet.urn], here, gateway, there)
        if outward:
            self._outward.setdefault(key, []).append(there)
        inward = any(route.target is Target.INTERNET and ":" in route.destination for route in subnet.routes)
        back = self.layout.boxes[subnet.urn]
        for block in _blocks(subnet):
            if not outward or (":" in block and not inward):
                self.layout.route(gateway, block, there, back)
            if outward and ":" in block:
                # Where a subnet has both gateways, the responses to what went out by this one come back by it.
                self.layout.route(gateway, block, there, back, table=nftables.OUTWARD_MARK)
        return here, gateway

    def _nat_way(self, subnet: Subnet, route: Route, number: str) -> tuple[str, Box] | None:
        """Into the NAT gateway's subnet, past that subnet's network ACL, and to the gateway for every destination."""
        nat = next((node for node in self.plan.nodes if node.resource == route.name), None)
        if nat is None or nat.subnet == subnet.urn:
            return None
        position = self._position[subnet.urn]
        far, arriving, table = self.layout.boxes[nat.subnet], f"in{position}", _FIRST_TABLE + position
        self.layout.link(self.layout.boxes[subnet.urn], f"up-n{number}", far, arriving)
        far.commands.append(f"rule add iif {arriving} lookup {table}")
        far.commands.append(
            f"route replace 0.0.0.0/0 dev {self._device[nat.resource]} via {nat.v4} onlink table {table}"
        )
        return f"up-n{number}", far

    def _internet(self) -> None:
        layout = self.layout
        internet = layout.box("internet", forwards=True, ports=AWS_PORTS)
        self._silent(internet)
        for position, host in enumerate(self.plan.hosts):
            box = layout.box(host.name, forwards=False, ports=AWS_PORTS)
            self._attach(internet, box, f"h{position}", (*host.v4, *host.v6))
        for position, vpc in enumerate(self.plan.vpcs):
            gateway = layout.boxes.get(f"gateway of {vpc.urn}")
            if gateway is None:
                continue
            layout.link(internet, f"v{position}", gateway, "net")
            for everything in ("0.0.0.0/0", "::/0"):
                layout.route(gateway, everything, "net", internet)
            public = {node.v4: node.public for node in self.plan.nodes if node.public and node.vpc == vpc.urn}
            for address in sorted(public.values()):
                layout.route(internet, f"{address}/32", f"v{position}", gateway)
            for subnet in self.plan.subnets:
                if subnet.vpc == vpc.urn and subnet.v6:
                    layout.route(internet, subnet.v6, f"v{position}", gateway)
            outward = self._outward.get(gateway.key, ())
            if outward and layout.v6:
                gateway.commands_v6.append(f"rule add fwmark {nftables.OUTWARD_MARK} lookup {nftables.OUTWARD_MARK}")
            gateway.rules = nftables.of_gateway(public, outward)


def _blocks(subnet: Subnet) -> tuple[str, ...]:
    return tuple(block for block in (subnet.v4, subnet.v6) if block)
