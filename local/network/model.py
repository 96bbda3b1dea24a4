"""The content of a network plan: interfaces, subnets, routes, rules. Plain sorted values, independent of the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ANY_PROTOCOL = "-1"
TCP, UDP, ICMP, ICMPV6 = "tcp", "udp", "icmp", "icmpv6"

PortRange = tuple[int, int]
LINUX_PORTS: PortRange = (32768, 60999)
"""Source ports of a task or a Linux host: Linux's default for net.ipv4.ip_local_port_range."""
AWS_PORTS: PortRange = (1024, 65535)
"""Source ports of load balancers, NAT gateways and Lambda functions (VPC user guide, ephemeral ports)."""


class NotKnownError(Exception):
    """A value that the plan needs is not known yet; the message names it. Record the stack with known values."""


@dataclass(frozen=True, slots=True)
class Match:
    """The traffic that a rule matches, apart from addresses. ``ports`` is ``None`` for all ports; an ICMP type or code
    of -1 matches any."""

    protocol: str = ANY_PROTOCOL
    ports: PortRange | None = None
    icmp: tuple[int, int] = (-1, -1)


@dataclass(frozen=True, slots=True)
class GroupRule:
    """One rule of a security group: it allows matching traffic from or to these CIDR blocks and members of groups."""

    egress: bool
    match: Match
    blocks: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AclEntry:
    """One numbered entry of a network ACL."""

    number: int
    egress: bool
    allow: bool
    match: Match
    block: str


class Target(StrEnum):
    """The target of a route."""

    LOCAL = "local"
    INTERNET = "internet gateway"
    EGRESS_ONLY = "egress-only gateway"
    NAT = "NAT gateway"
    ENDPOINT = "gateway endpoint"
    PEER = "peering connection"
    NOWHERE = "outside of the model"


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a subnet. ``name`` is the node of a NAT gateway or endpoint, or the URN of the peer's VPC."""

    destination: str
    target: Target
    name: str = ""


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface: a task, an instance, a load balancer's node in one subnet.

    ``resource`` is the URN of the resource that owns it, ``stands_for`` the URNs of other resources that it also
    represents (a database instance's interface represents its cluster, too). ``public`` is its public IPv4 address, or
    empty. ``guarded``: whether security groups apply (not to a NAT gateway); ``accepts``: whether it accepts
    connections (a function accepts none).
    """

    name: str
    resource: str
    kind: str
    vpc: str = ""
    subnet: str = ""
    zone: str = ""
    v4: str = ""
    v6: str = ""
    public: str = ""
    groups: tuple[str, ...] = ()
    source_ports: PortRange = LINUX_PORTS
    stands_for: tuple[str, ...] = ()
    guarded: bool = True
    accepts: bool = True

    @property
    def addresses(self) -> tuple[str, ...]:
        """The interface's private addresses, IPv4 first."""
        return tuple(address for address in (self.v4, self.v6) if address)


@dataclass(frozen=True, slots=True)
class Subnet:
    """One subnet: its blocks, its routes, and its network ACL (``None``: AWS's default one, which allows everything)."""

    urn: str
    name: str
    vpc: str
    zone: str
    v4: str
    v6: str
    routes: tuple[Route, ...] = ()
    acl: tuple[AclEntry, ...] | None = None


@dataclass(frozen=True, slots=True)
class Vpc:
    """One VPC: its blocks, and the VPCs to which it has an active peering connection."""

    urn: str
    name: str
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Host:
    """A host on the internet, such as a user or an identity provider. Its addresses are public."""

    name: str
    v4: tuple[str, ...]
    v6: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole network. ``not_emulated`` lists what was read but not implemented, with the reason."""

    vpcs: tuple[Vpc, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    nodes: tuple[Interface, ...] = ()
    groups: Mapping[str, tuple[GroupRule, ...]] = field(default_factory=dict[str, tuple[GroupRule, ...]])
    hosts: tuple[Host, ...] = ()
    not_emulated: tuple[tuple[str, str], ...] = ()

    def node(self, name: str) -> Interface:
        """Return one interface by name. Raises KeyError with the existing names."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(f"no interface {name}; there are {', '.join(node.name for node in self.nodes)}")

    def of(self, resource: str) -> tuple[Interface, ...]:
        """Return the interfaces of a resource by its URN or logical name, including those that also represent it."""
        return tuple(
            node
            for node in self.nodes
            if any(urn == resource or urn.rsplit("::", 1)[-1] == resource for urn in (node.resource, *node.stands_for))
        )

    def members(self, group: str) -> tuple[Interface, ...]:
        """Return the interfaces with a security group."""
        return tuple(node for node in self.nodes if group in node.groups)
