"""Subnet arithmetic: disjoint, inside the block, and indifferent to order and to zones added later."""

from ipaddress import IPv4Network
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.common.aws_limits import ZONE_LETTERS
from components.network.addresses import plan_addresses


@st.composite
def blocks(draw: st.DrawFn) -> IPv4Network:
    prefix = draw(st.integers(16, 20))
    return IPv4Network((0x0A000000 + (draw(st.integers(0, 2 ** (prefix - 8) - 1)) << (32 - prefix)), prefix))


zone_lists = st.lists(st.sampled_from([f"eu-west-1{letter}" for letter in ZONE_LETTERS]), min_size=1, unique=True)


@given(blocks(), zone_lists)
def test_no_two_subnets_share_an_address_and_all_lie_in_the_block(block: IPv4Network, zones: list[str]) -> None:
    plan = plan_addresses(str(block), zones)
    subnets = [subnet for zone in plan.zones for subnet in (zone.public, zone.private, zone.egress)]

    assert all(subnet.subnet_of(block) for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in combinations(subnets, 2))


@given(blocks(), zone_lists)
def test_public_subnets_lie_in_the_public_block_and_private_ones_outside(block: IPv4Network, zones: list[str]) -> None:
    plan = plan_addresses(str(block), zones)

    assert all(zone.public.subnet_of(plan.public_block) for zone in plan.zones)
    assert not any(zone.private.overlaps(plan.public_block) for zone in plan.zones)
    assert all(zone.egress.subnet_of(plan.egress_block) for zone in plan.zones)
    assert not any(plan.egress_block.overlaps(one) for zone in plan.zones for one in (zone.private, plan.public_block))


@given(blocks(), zone_lists)
def test_every_zone_has_62_public_and_at_least_512_private_addresses(block: IPv4Network, zones: list[str]) -> None:
    plan = plan_addresses(str(block), zones)

    assert {zone.public.prefixlen for zone in plan.zones} == {26}
    assert all(zone.private.num_addresses >= 512 for zone in plan.zones)


@given(blocks(), zone_lists, st.randoms(use_true_random=False))
def test_the_order_of_zones_does_not_matter(block: IPv4Network, zones: list[str], random: Random) -> None:
    shuffled = random.sample(zones, len(zones))

    assert plan_addresses(str(block), shuffled) == plan_addresses(str(block), zones)


@given(blocks(), zone_lists)
def test_adding_a_zone_moves_no_subnet(block: IPv4Network, zones: list[str]) -> None:
    every_zone = [f"eu-west-1{letter}" for letter in ZONE_LETTERS]

    assert set(plan_addresses(str(block), zones).zones) <= set(plan_addresses(str(block), every_zone).zones)


def test_the_plan_of_a_block_is_what_it_was() -> None:
    plan = plan_addresses("10.20.0.0/16", ["eu-west-1b", "eu-west-1a"])

    assert [(zone.availability_zone, str(zone.public), str(zone.private)) for zone in plan.zones] == [
        ("eu-west-1a", "10.20.224.0/26", "10.20.0.0/19"),
        ("eu-west-1b", "10.20.224.64/26", "10.20.32.0/19"),
    ]


@pytest.mark.parametrize(
    ("block", "zones", "message"),
    [
        ("10.0.0.0/8", ["eu-west-1a"], "it must be a network of /16 to /20"),
        ("10.0.0.0/21", ["eu-west-1a"], "it must be a network of /16 to /20"),
        ("10.0.0.1/16", ["eu-west-1a"], "has host bits set"),
        ("10.0.0.0/16", ["eu-west-1a", "eu-west-1a"], "each must be listed once"),
        ("10.0.0.0/16", ["eu-west-1a", "eu-central-1a"], "two of them end in the same letter"),
        ("10.0.0.0/16", ["eu-west-1z"], "'eu-west-1z' has no share"),
        ("10.0.0.0/16", [""], "'' has no share"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_the_reason(block: str, zones: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_addresses(block, zones)
