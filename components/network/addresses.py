"""The addresses of a private network's subnets: pure arithmetic, without Pulumi.

The block is divided into eight equal shares. The letter of a zone determines its share (a is the first), so neither the
order of the zones nor adding a zone changes a subnet. The last share is divided into the public /26 subnets, and the first
/24 of the share before it into the egress /27 subnets, which exist only with an external model provider.

It allocates IPv4 only, without lookups.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from components.common.aws_limits import VPC_PREFIX_LENGTHS, ZONE_LETTERS

WORLD = "0.0.0.0/0"
"""Every IPv4 address."""

PUBLIC_PREFIX_LENGTH = 26
"""62 addresses per zone: an ALB needs a /27 or larger with 8 free addresses to scale."""

EGRESS_BLOCK_PREFIX_LENGTH, EGRESS_PREFIX_LENGTH = 24, 27
"""27 addresses per zone, for the tasks of the egress proxy and those of the next deployment."""

LARGEST_BLOCK_PREFIX_LENGTH, SMALLEST_BLOCK_PREFIX_LENGTH = VPC_PREFIX_LENGTHS


@dataclass(frozen=True, slots=True)
class ZoneSubnets:
    """The subnets of one availability zone."""

    availability_zone: str
    public: IPv4Network
    private: IPv4Network
    egress: IPv4Network


@dataclass(frozen=True, slots=True)
class AddressPlan:
    """Every subnet of a network, sorted by zone."""

    block: IPv4Network
    public_block: IPv4Network
    """Contains every public subnet, even after a zone is added, so that one rule can cover all of them."""
    egress_block: IPv4Network
    """Contains every egress subnet, likewise."""
    zones: tuple[ZoneSubnets, ...]


def plan_addresses(cidr_block: str, availability_zones: Sequence[str]) -> AddressPlan:
    """Divide ``cidr_block`` into a public, a private and an egress subnet for each zone.

    Raises a ``ValueError`` whose message states the problem, the allowed values and the fix.
    """
    block = IPv4Network(cidr_block)
    if not LARGEST_BLOCK_PREFIX_LENGTH <= block.prefixlen <= SMALLEST_BLOCK_PREFIX_LENGTH:
        raise ValueError(
            f"cidr_block is {block}: it must be a network of /{LARGEST_BLOCK_PREFIX_LENGTH} to /{SMALLEST_BLOCK_PREFIX_LENGTH}, "
            "so that each zone's private share has at least 512 addresses; choose a larger or smaller block"
        )
    if len(set(availability_zones)) != len(availability_zones):
        raise ValueError(
            f"availability_zones are {', '.join(availability_zones)}: each must be listed once; remove the duplicate"
        )
    shares = list(block.subnets(prefixlen_diff=3))
    public_block = shares[-1]
    public_subnets = list(public_block.subnets(new_prefix=PUBLIC_PREFIX_LENGTH))
    egress_block = next(shares[-2].subnets(new_prefix=EGRESS_BLOCK_PREFIX_LENGTH))
    egress_subnets = list(egress_block.subnets(new_prefix=EGRESS_PREFIX_LENGTH))
    zones: list[ZoneSubnets] = []
    for zone in sorted(availability_zones):
        slot = ZONE_LETTERS.find(zone[-1:]) if zone else -1
        if slot < 0:
            raise ValueError(
                f"availability zone {zone!r} has no share of the block: a zone's name must end in one of {', '.join(ZONE_LETTERS)}; choose another zone"
            )
        zones.append(ZoneSubnets(zone, public_subnets[slot], shares[slot], egress_subnets[slot]))
    letters = [zone.availability_zone[-1] for zone in zones]
    if len(set(letters)) != len(letters):
        raise ValueError(
            f"availability_zones are {', '.join(availability_zones)}: two of them end in the same letter; list zones of one region"
        )
    return AddressPlan(block, public_block, egress_block, tuple(zones))
