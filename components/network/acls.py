"""The entries of the network ACLs: a pure table that repeats the rules of the security groups statelessly.

Network ACLs filter packets, not connections, so responses need separate entries. Responses go to the caller's ephemeral
port, for which AWS documents 1024-65535 (https://docs.aws.amazon.com/vpc/latest/userguide/nacl-ephemeral-ports.html).
Network ACLs never filter the VPC's resolver, DHCP, instance metadata or the task metadata endpoint.

A router on the path to a client reports with ICMP type 3 code 4 that a packet is too large, which is common with VPNs.
Without these messages large responses never arrive, so the public ACL allows them in both directions
(https://docs.aws.amazon.com/vpc/latest/userguide/path_mtu_discovery.html). The private ACL does not need them: packets
inside a VPC are not fragmented, and VPC endpoints reduce the segment size instead
(https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from components.common.aws_limits import ACL_PORT_NUMBERS, ZONE_LETTERS
from components.network.addresses import WORLD, AddressPlan

HTTP, HTTPS = 80, 443
EPHEMERAL = (1024, 65535)
MOST_ENTRIES = 19
"""The maximum number of entries of one network ACL in one direction. AWS's quota is 20 and includes the final
denial."""
TASK_CLIENT = (32768, 60999)
"""The ephemeral ports of a Linux task."""
REMOTE_DESKTOP = 3389
"""This port is in the ephemeral range but is never open to the internet: the entries exclude it. If the load balancer
calls the identity provider from this port, it retries from another."""
TCP, ICMP = "tcp", "icmp"
UNREACHABLE, TOO_LARGE = 3, 4
"""ICMP type and code of a packet that is too large for its path."""


@dataclass(frozen=True, slots=True)
class AclEntry:
    """One entry. Traffic that no entry allows is denied.

    Key and number are derived from the entry's purpose and zone, not from its position, so adding a zone or a port
    changes no other entry.
    """

    key: str
    number: int
    cidr_block: str
    first_port: int
    """The first TCP port, or the ICMP type."""
    last_port: int
    """The last TCP port, or the ICMP code."""
    protocol: str = TCP
    allow: bool = True
    """A deny entry comes before wider allow entries."""


PACKET_TOO_LARGE = AclEntry("packet-too-large", 400, WORLD, UNREACHABLE, TOO_LARGE, protocol=ICMP)


@dataclass(frozen=True, slots=True)
class AclTable:
    """The entries of one network ACL."""

    ingress: tuple[AclEntry, ...]
    egress: tuple[AclEntry, ...]


def _each_zone(plan: AddressPlan, key: str, base: int, first_port: int, last_port: int) -> list[AclEntry]:
    """One entry for each zone's private subnet."""
    return [
        AclEntry(
            f"{key}-{zone.availability_zone}",
            base + ZONE_LETTERS.index(zone.availability_zone[-1]),
            str(zone.private),
            first_port,
            last_port,
        )
        for zone in plan.zones
    ]


def _port_base(port: int) -> int:
    """Ten numbers for each internal port, above the fixed numbers and below AWS's maximum (32766)."""
    return 1000 + 10 * (port % ACL_PORT_NUMBERS)


def most_internal_ports(zones: int, *, egress: bool = False) -> int:
    """The number of internal ports besides 443 that fit into the private network ACL, with one entry for each zone. Of
    the ingress entries, five apply to all zones, and one for each zone is for 443. ``egress``: three more are about the egress
    subnets."""
    return (MOST_ENTRIES - 5 - (3 if egress else 0) - zones) // zones


def check_internal_ports(ports: Sequence[int], zones: int, target_port: int, *, egress: bool = False) -> None:
    """Raise ``ValueError`` for ports that cannot have an entry. ``egress``: there are egress subnets."""
    if any(not 1 <= port <= EPHEMERAL[1] for port in ports):
        raise ValueError(f"internal_ports are {list(ports)}: each port must be from 1 to 65535")
    if target_port in ports:
        raise ValueError(
            f"internal_ports are {list(ports)}: {target_port} is target_port, which the network ACL allows from the public "
            "subnets only; choose another port"
        )
    if len({_port_base(port) for port in ports}) != len(ports):
        raise ValueError(
            f"internal_ports are {list(ports)}: two are equal or differ by a multiple of 3000, which would give two "
            "network ACL entries the same number; choose another port for one of them"
        )
    most = most_internal_ports(zones, egress=egress)
    if len(set(ports) - {HTTPS}) > most:
        subnets = " and egress subnets" if egress else ""
        raise ValueError(
            f"internal_ports are {list(ports)}: a network ACL can have {most} ports besides {HTTPS} "
            f"with {zones} zones{subnets}; run some of the servers on the same port, for example {HTTPS}"
        )


def public_acl_entries(plan: AddressPlan, target_port: int) -> AclTable:
    """Clients to the load balancer, the load balancer to targets and to the identity provider."""
    return AclTable(
        ingress=(
            AclEntry("https-from-clients", 100, WORLD, HTTPS, HTTPS),
            AclEntry("http-from-clients", 110, WORLD, HTTP, HTTP),
            AclEntry("answers-below-3389", 200, WORLD, EPHEMERAL[0], REMOTE_DESKTOP - 1),
            AclEntry("answers-above-3389", 210, WORLD, REMOTE_DESKTOP + 1, EPHEMERAL[1]),
            *_each_zone(plan, "answers-of-targets", 300, *EPHEMERAL),
            PACKET_TOO_LARGE,
        ),
        egress=(
            AclEntry("https-to-identity-provider", 100, WORLD, HTTPS, HTTPS),
            AclEntry("answers-to-clients", 200, WORLD, *EPHEMERAL),
            *_each_zone(plan, "to-targets", 300, target_port, target_port),
            PACKET_TOO_LARGE,
        ),
    )


def private_acl_entries(
    plan: AddressPlan, target_port: int, internal_ports: Sequence[int], egress_port: int | None = None
) -> AclTable:
    """The load balancer to tasks; tasks to endpoints, to each declared internal port and to the S3 gateway.

    Responses go to any port from 1024 up, which includes the ports of tasks, database and cache. Therefore two denials
    come first: all other traffic from the public subnets, and the target port for every source except the load
    balancer.

    The S3 gateway's addresses are public, and an entry cannot refer to its prefix list, so egress on 443 is open to any
    address here. The gateway is the only route out of the network, and the security groups limit egress to its prefix
    list.

    ``egress_port``: the port of the egress proxy; ``None`` without egress subnets. They may call the VPC endpoints, and answer.
    """
    public = str(plan.public_block)
    internal = [
        entry
        for port in sorted(set(internal_ports) - {HTTPS})
        for entry in _each_zone(plan, f"internal-{port}", _port_base(port), port, port)
    ]
    return AclTable(
        ingress=(
            AclEntry("target-from-edge", 100, public, target_port, target_port),
            AclEntry("nothing-else-from-edge", 110, public, 0, EPHEMERAL[1], allow=False),
            AclEntry("target-from-nowhere-else", 120, WORLD, target_port, target_port, allow=False),
            *_from_egress(plan, egress_port),
            AclEntry("answers-below-3389", 200, WORLD, EPHEMERAL[0], REMOTE_DESKTOP - 1),
            AclEntry("answers-above-3389", 210, WORLD, REMOTE_DESKTOP + 1, EPHEMERAL[1]),
            *_each_zone(plan, "endpoints", 300, HTTPS, HTTPS),
            *internal,
        ),
        egress=(
            AclEntry("https-to-endpoints-and-s3", 100, WORLD, HTTPS, HTTPS),
            AclEntry("answers-to-edge", 200, public, *EPHEMERAL),
            *_each_zone(plan, "answers", 300, *EPHEMERAL),
            *_to_egress(plan, egress_port),
            *internal,
        ),
    )


def _from_egress(plan: AddressPlan, egress_port: int | None) -> list[AclEntry]:
    if egress_port is None:
        return []
    block = str(plan.egress_block)
    return [
        AclEntry("answers-of-egress", 130, block, *TASK_CLIENT),
        AclEntry("endpoints-from-egress", 140, block, HTTPS, HTTPS),
        AclEntry("nothing-else-from-egress", 150, block, 0, EPHEMERAL[1], allow=False),
    ]


def _to_egress(plan: AddressPlan, egress_port: int | None) -> list[AclEntry]:
    if egress_port is None:
        return []
    block = str(plan.egress_block)
    return [
        AclEntry("tunnels", 400, block, egress_port, egress_port),
        AclEntry("answers-to-egress", 410, block, *TASK_CLIENT),
    ]


PRIVATE_RANGES = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
"""Networks that are not the internet, to which the egress subnets may not connect."""


def egress_acl_entries(plan: AddressPlan, port: int) -> AclTable:
    """Tunnels from the private subnets; the VPC endpoints; port 443 of the internet, and nothing else of the VPC or of a peered
    network."""
    last = EPHEMERAL[1]
    denied = [
        AclEntry(f"nothing-to-{block.partition('/')[0]}", 150 + place, block, 0, last, allow=False)
        for place, block in enumerate(PRIVATE_RANGES)
    ]
    return AclTable(
        ingress=(
            *_each_zone(plan, "tunnels", 100, port, port),
            *_each_zone(plan, "answers-of-endpoints", 110, *TASK_CLIENT),
            AclEntry("nothing-else-from-network", 150, str(plan.block), 0, last, allow=False),
            AclEntry("tunnels-from-nowhere-else", 160, WORLD, port, port, allow=False),
            AclEntry("answers", 200, WORLD, *TASK_CLIENT),
        ),
        egress=(
            *_each_zone(plan, "endpoints", 100, HTTPS, HTTPS),
            *_each_zone(plan, "answers", 110, *TASK_CLIENT),
            *denied,
            AclEntry("https-to-providers", 200, WORLD, HTTPS, HTTPS),
        ),
    )
