"""Address and port sets obey the algebra of sets, exactly."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.guardrails.topology.network.addresses import (
    ALL_PORTS,
    ALL_V4,
    EVERYWHERE,
    INTERNET,
    NO_ADDRESSES,
    V4_MAX,
    Addresses,
    Intervals,
    PortMap,
    cidrs,
    describe,
    describe_ports,
    parse,
    ports,
    protocols,
)

UNIVERSE = range(40)
spans = st.tuples(st.integers(0, 39), st.integers(0, 39)).map(lambda pair: (min(pair), max(pair)))
sets = st.lists(spans, max_size=6).map(lambda items: Intervals.of(*items))
port_maps = st.lists(st.tuples(sets, sets), max_size=4).map(
    lambda items: _union([PortMap.of(admitted, Addresses(v4=addresses)) for admitted, addresses in items])
)


def _union(maps: list[PortMap]) -> PortMap:
    found = PortMap()
    for item in maps:
        found |= item
    return found


def members(value: Intervals) -> set[int]:
    return {item for item in UNIVERSE if item in value}


def pairs(value: PortMap) -> set[tuple[int, int]]:
    return {(port, address) for port in UNIVERSE for address in UNIVERSE if address in value.at(port).v4}


def addresses_of(*blocks: str) -> Addresses:
    found = NO_ADDRESSES
    for block in blocks:
        parsed = parse(block)
        assert parsed is not None
        found |= parsed
    return found


@settings(deadline=None)
@given(sets, sets)
def test_interval_operations_are_those_of_sets(left: Intervals, right: Intervals) -> None:
    assert members(left | right) == members(left) | members(right)
    assert members(left & right) == members(left) & members(right)
    assert members(left - right) == members(left) - members(right)
    assert (left <= right) == (members(left) <= members(right))
    assert left.size() == len(members(left))


@settings(deadline=None)
@given(sets, sets)
def test_equal_sets_have_one_representation(left: Intervals, right: Intervals) -> None:
    assert (left == right) == (members(left) == members(right))
    assert ((left - right) | (left & right)) == left


@settings(deadline=None)
@given(port_maps, port_maps)
def test_port_map_operations_are_those_of_sets_of_pairs(left: PortMap, right: PortMap) -> None:
    assert pairs(left | right) == pairs(left) | pairs(right)
    assert pairs(left & right) == pairs(left) & pairs(right)
    assert pairs(left - right) == pairs(left) - pairs(right)


@settings(deadline=None)
@given(port_maps, sets, sets)
def test_ports_and_addresses_of_a_map_are_its_projections(left: PortMap, wanted: Intervals, within: Intervals) -> None:
    admitted = left.admitting(Addresses(v4=wanted))
    assert members(admitted) == {port for port, address in pairs(left) if address in wanted}
    assert members(left.addresses(within).v4) == {address for port, address in pairs(left) if port in within}


@settings(deadline=None)
@given(st.integers(0, 32), st.integers(0, V4_MAX))
def test_any_block_split_in_two_is_the_block(length: int, address: int) -> None:
    network = ipaddress.ip_network((address, length), strict=False)
    halves = list(network.subnets()) if length < 32 else [network]
    assert addresses_of(*map(str, halves)) == addresses_of(str(network))
    assert cidrs(addresses_of(str(network)).v4, V4_MAX) == [str(network)]


@pytest.mark.parametrize(
    "blocks",
    [
        ("0.0.0.0/1", "128.0.0.0/1"),
        ("0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"),
        ("0.0.0.0/0",),
        ("255.255.255.255/0",),
    ],
)
def test_split_ranges_count_as_the_whole_internet(blocks: tuple[str, ...]) -> None:
    assert addresses_of(*blocks).v4 == ALL_V4
    assert describe(addresses_of(*blocks)) == "every IPv4 address"


def test_both_families_are_everywhere() -> None:
    assert addresses_of("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1") == EVERYWHERE


def test_private_blocks_are_not_the_internet() -> None:
    private = addresses_of("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fd00::/8", "fe80::/10")
    assert not private & INTERNET
    assert addresses_of("172.32.0.0/16", "203.0.113.0/24", "2001:db8::/32") <= INTERNET


@pytest.mark.parametrize("text", ["", "internet", "10.0.0.0/33", "10.0.0", "sg-1"])
def test_what_is_no_address_is_said(text: str) -> None:
    assert parse(text) is None


def test_descriptions_name_blocks_and_ports() -> None:
    assert describe(addresses_of("10.0.0.0/8")) == "10.0.0.0/8"
    assert describe(NO_ADDRESSES) == "no address"
    assert describe(addresses_of(*(f"{n}.0.0.0/8" for n in range(1, 99, 2)))).endswith("and 45 more blocks")
    assert describe_ports(ports(443, 443) | ports(8000, 8100)) == "443, 8000-8100"
    assert describe_ports(ALL_PORTS) == "all ports"


def test_protocols_stand_for_what_aws_means() -> None:
    assert protocols("-1") == ("tcp", "udp", "other")
    assert protocols("TCP") == protocols("6") == ("tcp",)
    assert protocols("icmpv6") == ("icmp",)
    assert protocols("50") == ("other",)
