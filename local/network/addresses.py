"""Addresses as AWS assigns them: from the subnet's block, but never its first four or its last."""

from __future__ import annotations

import ipaddress

_RESERVED = 4
"""The first four addresses of a subnet and the last one are AWS's (VPC user guide, subnet sizing)."""


class Addresses:
    """Assigns addresses alternately from both ends of each block, so that rules for a part of a subnet are covered."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._used: set[str] = set()
        self._public = 0

    def take(self, block: str, wanted: str = "") -> str:
        """Return a free address of a block, or the requested one."""
        if wanted:
            self._used.add(wanted)
            return wanted
        network = ipaddress.ip_network(block, strict=False)
        last = network.num_addresses - 2
        for turn in range(self._taken.get(block, 0), network.num_addresses):
            near, far = divmod(turn, 2)
            offset = _RESERVED + near if far == 0 else last - near
            address = str(network.network_address + offset)
            if _RESERVED <= offset <= last and address not in self._used:
                self._taken[block] = turn + 1
                self._used.add(address)
                return address
        raise ValueError(f"subnet {block} has no free address left")

    def public(self) -> str:
        """Return a public IPv4 address for AWS's side, from a documentation block that no internet host of the plan
        uses."""
        self._public += 1
        return str(ipaddress.IPv4Address("192.0.2.0") + self._public)


def family(block: str) -> int:
    """Return 4 or 6."""
    return ipaddress.ip_network(block, strict=False).version


def canonical(block: str) -> str:
    """Return a block without host bits, as AWS stores it; a single address becomes a block."""
    return str(ipaddress.ip_network(block, strict=False))


def within(address: str, blocks: tuple[str, ...]) -> bool:
    """Whether an address is in one of the blocks."""
    parsed = ipaddress.ip_address(address)
    return any(parsed in ipaddress.ip_network(block, strict=False) for block in blocks)
