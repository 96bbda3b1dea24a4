"""Exact sets of addresses and ports, as sorted disjoint intervals.

``0.0.0.0/1`` and ``128.0.0.0/1`` together are all of IPv4, however the rules are written.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

Interval = tuple[int, int]

V4_MAX = 2**32 - 1
V6_MAX = 2**128 - 1
PORT_MAX = 65535


def _merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for low, high in sorted(interval for interval in intervals if interval[0] <= interval[1]):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


@dataclass(frozen=True, slots=True)
class Intervals:
    """A set of integers as sorted, disjoint, inclusive intervals that do not touch."""

    spans: tuple[Interval, ...] = ()

    @classmethod
    def of(cls, *spans: Interval) -> Intervals:
        """The union of any spans, in any order."""
        return cls(_merged(spans))

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __contains__(self, value: int) -> bool:
        return any(low <= value <= high for low, high in self.spans)

    def __or__(self, other: Intervals) -> Intervals:
        if not other.spans or self.spans == other.spans:
            return self
        return Intervals(_merged((*self.spans, *other.spans))) if self.spans else other

    def __and__(self, other: Intervals) -> Intervals:
        found: list[Interval] = []
        left, right = 0, 0
        while left < len(self.spans) and right < len(other.spans):
            low = max(self.spans[left][0], other.spans[right][0])
            high = min(self.spans[left][1], other.spans[right][1])
            if low <= high:
                found.append((low, high))
            if self.spans[left][1] < other.spans[right][1]:
                left += 1
            else:
                right += 1
        return Intervals(tuple(found))

    def __sub__(self, other: Intervals) -> Intervals:
        found: list[Interval] = []
        for span_low, high in self.spans:
            low = span_low
            for cut_low, cut_high in other.spans:
                if cut_high < low:
                    continue
                if cut_low > high:
                    break
                if cut_low > low:
                    found.append((low, cut_low - 1))
                low = cut_high + 1
            if low <= high:
                found.append((low, high))
        return Intervals(tuple(found))

    def __le__(self, other: Intervals) -> bool:
        return not self - other

    def size(self) -> int:
        """The number of integers in the set."""
        return sum(high - low + 1 for low, high in self.spans)


NOTHING = Intervals()
ALL_V4 = Intervals(((0, V4_MAX),))
ALL_V6 = Intervals(((0, V6_MAX),))


@dataclass(frozen=True, slots=True)
class Addresses:
    """A set of IPv4 and IPv6 addresses."""

    v4: Intervals = NOTHING
    v6: Intervals = NOTHING

    def __bool__(self) -> bool:
        return bool(self.v4.spans or self.v6.spans)

    def __or__(self, other: Addresses) -> Addresses:
        return Addresses(self.v4 | other.v4, self.v6 | other.v6)

    def __and__(self, other: Addresses) -> Addresses:
        return Addresses(self.v4 & other.v4, self.v6 & other.v6)

    def __sub__(self, other: Addresses) -> Addresses:
        return Addresses(self.v4 - other.v4, self.v6 - other.v6)

    def __le__(self, other: Addresses) -> bool:
        return self.v4 <= other.v4 and self.v6 <= other.v6

    def __str__(self) -> str:
        return describe(self)


NO_ADDRESSES = Addresses()
EVERYWHERE = Addresses(ALL_V4, ALL_V6)


@lru_cache(maxsize=65536)
def parse(cidr: str) -> Addresses | None:
    """The addresses of one CIDR block or address, ignoring host bits as AWS does; ``None`` if it is neither."""
    try:
        network = ipaddress.ip_network(cidr.strip(), strict=False)
    except ValueError:
        return None
    span = Intervals(((int(network.network_address), int(network.broadcast_address)),))
    return Addresses(v4=span) if network.version == 4 else Addresses(v6=span)  # noqa: PLR2004 (an IP version)


def _known(*cidrs: str) -> Addresses:
    found = NO_ADDRESSES
    for cidr in cidrs:
        found |= parse(cidr) or NO_ADDRESSES
    return found


NOT_ROUTED = _known(
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
)  # fmt: skip
"""IPv4 blocks that no internet client can send from (private, shared, loopback, link-local, multicast, reserved)."""

INTERNET = Addresses(ALL_V4 - NOT_ROUTED.v4, _known("2000::/3").v6)
"""Addresses that a client on the internet can have. Documentation blocks count: a rule that names one admits it."""


_A_FEW_V4, _A_FEW_V6 = 2 ** (32 - 16), 2 ** (128 - 32)
"""A block of this size, a /16 or a /32, still belongs to one or a few organisations."""


def is_wide(addresses: Addresses) -> bool:
    """Whether the set contains a large part of the internet, not only blocks that an organisation could own."""
    public = addresses & INTERNET
    return public.v4.size() > _A_FEW_V4 or public.v6.size() > _A_FEW_V6


def describe_public(addresses: Addresses) -> str:
    """Name public addresses in a message, which also lists them."""
    return "the internet" if is_wide(addresses) else "a few public addresses"


def cidrs(spans: Intervals, maximum: int) -> list[str]:
    """The smallest list of CIDR blocks that make up the set; ``maximum`` determines the family."""
    kind = ipaddress.IPv4Address if maximum == V4_MAX else ipaddress.IPv6Address
    return [str(net) for low, high in spans.spans for net in ipaddress.summarize_address_range(kind(low), kind(high))]


def describe(addresses: Addresses, limit: int = 4) -> str:
    """The set as a message shows it: whole families by name, all others as CIDR blocks."""
    parts: list[str] = []
    for spans, internet, everything, maximum, name in (
        (addresses.v4, INTERNET.v4, ALL_V4, V4_MAX, "IPv4"),
        (addresses.v6, INTERNET.v6, ALL_V6, V6_MAX, "IPv6"),
    ):
        if spans == everything or (spans and internet <= spans):
            parts.append(f"every {name} address")
        elif spans:
            blocks = cidrs(spans, maximum)
            more = f" and {len(blocks) - limit} more blocks" if len(blocks) > limit else ""
            parts.append(", ".join(blocks[:limit]) + more)
    return " and ".join(parts) or "no address"


ALL_PORTS = Intervals(((0, PORT_MAX),))
EPHEMERAL_PORTS = Intervals(((1024, PORT_MAX),))


def ports(low: int, high: int) -> Intervals:
    """The ports from ``low`` to ``high``, including both."""
    return Intervals.of((max(0, low), min(PORT_MAX, high)))


def describe_ports(spans: Intervals) -> str:
    """Ports as a message shows them."""
    if spans == ALL_PORTS:
        return "all ports"
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in spans.spans) or "no port"


TCP, UDP, OTHER = "tcp", "udp", "other"
PROTOCOLS = (TCP, UDP, OTHER)
ICMP = "icmp"
_PROTOCOL_NAMES = {
    "-1": PROTOCOLS, "all": PROTOCOLS, "tcp": (TCP,), "6": (TCP,), "udp": (UDP,), "17": (UDP,),
    "icmp": (ICMP,), "1": (ICMP,), "icmpv6": (ICMP,), "58": (ICMP,),
}  # fmt: skip


UNREACHABLE, TOO_LARGE = 3, 4
"""ICMP type and code of the report that a packet is too large for its path, which path MTU discovery relies on."""


def protocols(name: str) -> tuple[str, ...]:
    """The protocols that a rule's protocol stands for; ICMP opens no service and is separate."""
    return _PROTOCOL_NAMES.get(name.lower().removesuffix(".0"), (OTHER,))


Segment = tuple[int, int, Addresses]


@dataclass(frozen=True, slots=True)
class PortMap:
    """The addresses that each port admits: sorted disjoint segments of ports, exact under union and difference."""

    segments: tuple[Segment, ...] = ()

    @classmethod
    def of(cls, admitted: Intervals, addresses: Addresses) -> PortMap:
        """The same addresses for each of these ports."""
        return cls(tuple((low, high, addresses) for low, high in admitted.spans)) if addresses else cls()

    def __bool__(self) -> bool:
        return bool(self.segments)

    def at(self, port: int) -> Addresses:
        """The addresses that one port admits."""
        return next((found for low, high, found in self.segments if low <= port <= high), NO_ADDRESSES)

    def addresses(self, within: Intervals = ALL_PORTS) -> Addresses:
        """The addresses that at least one of these ports admits."""
        found = NO_ADDRESSES
        for low, high, admitted in self.segments:
            if within & Intervals(((low, high),)):
                found |= admitted
        return found

    def admitting(self, addresses: Addresses) -> Intervals:
        """The ports that admit at least one of the addresses."""
        return Intervals.of(*((low, high) for low, high, admitted in self.segments if admitted & addresses))

    def _cuts(self, other: PortMap) -> list[int]:
        return sorted({cut for low, high, _ in (*self.segments, *other.segments) for cut in (low, high + 1)})

    def _zip(self, other: PortMap, method: str) -> PortMap:
        cuts = self._cuts(other)
        found: list[Segment] = []
        for low, after in pairwise(cuts):
            admitted: Addresses = getattr(self.at(low), method)(other.at(low))
            if not admitted:
                continue
            if found and found[-1][1] + 1 == low and found[-1][2] == admitted:
                found[-1] = (found[-1][0], after - 1, admitted)
            else:
                found.append((low, after - 1, admitted))
        return PortMap(tuple(found))

    def __or__(self, other: PortMap) -> PortMap:
        if not other.segments:
            return self
        return self._zip(other, "__or__") if self.segments else other

    def __and__(self, other: PortMap) -> PortMap:
        return self._zip(other, "__and__") if self.segments and other.segments else PortMap()

    def __sub__(self, other: PortMap) -> PortMap:
        return self._zip(other, "__sub__") if self.segments and other.segments else self


Traffic = dict[str, PortMap]
"""The admitted addresses and ports by protocol."""
