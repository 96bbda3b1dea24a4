"""Network ACLs, judged as AWS does it: without state, both directions, deny by default."""

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.common.aws_limits import ZONE_LETTERS
from components.network import PrivateNetwork
from components.network.acls import (
    MOST_ENTRIES,
    AclEntry,
    AclTable,
    egress_acl_entries,
    most_internal_ports,
    private_acl_entries,
    public_acl_entries,
)
from components.network.addresses import plan_addresses
from preflight.recording.recorder import record
from settings.consistency import ACL_PORTS, EGRESS_ACL_PORTS
from tests.components.edge_fixtures import ZONES, named, network_args, recorded_network

PLAN = plan_addresses("10.20.0.0/16", ["eu-west-1a", "eu-west-1b"])
PUBLIC = public_acl_entries(PLAN, 8443)
PRIVATE = private_acl_entries(PLAN, 8443, [5433])
INTERNET, EDGE, TASK, OTHER_TASK = "198.51.100.7", "10.20.224.5", "10.20.0.9", "10.20.32.9"
S3 = "52.218.0.1"


NETWORK_ACL, RULE, SUBNET = (
    f"aws:ec2/{kind[0].lower()}{kind[1:]}:{kind}" for kind in ("NetworkAcl", "NetworkAclRule", "Subnet")
)
ANYWHERE, PUBLIC_BLOCK = "0.0.0.0/0", "10.20.224.0/19"
ZONE_A, ZONE_B, ZONE_C = "10.20.0.0/19", "10.20.32.0/19", "10.20.64.0/19"


def registered(zones: int, kind: str, direction: str) -> list[tuple[int | str, ...]]:
    """The entries of one network ACL in one direction as AWS gets them: number, block, first and last port, and what
    is unusual about them: a denial, or ICMP by type and code."""
    recording = record(lambda: PrivateNetwork("network", network_args(zones, internal_ports=[5432])))
    acl = named(recording, f"network-{kind}-acl", NETWORK_ACL)
    rules = [r.inputs for r in recording.of_type(RULE) if r.inputs["networkAclId"] == acl.id]
    return sorted(
        (
            rule["ruleNumber"],
            rule["cidrBlock"],
            *((rule["icmpType"], rule["icmpCode"], "icmp") if rule["protocol"] == "icmp" else _ports(rule)),
            *(() if rule["ruleAction"] == "allow" else (rule["ruleAction"],)),
        )
        for rule in rules
        if rule["egress"] is (direction == "egress")
    )


def _ports(rule: dict[str, Any]) -> tuple[int, int]:
    assert rule["protocol"] == "tcp"
    return rule["fromPort"], rule["toPort"]


def test_aws_gets_the_table_in_the_direction_and_for_the_subnets_that_it_is_about() -> None:
    assert registered(2, "public", "ingress") == [
        (100, ANYWHERE, 443, 443),
        (110, ANYWHERE, 80, 80),
        (200, ANYWHERE, 1024, 3388),
        (210, ANYWHERE, 3390, 65535),
        (300, ZONE_A, 1024, 65535),
        (301, ZONE_B, 1024, 65535),
        (400, ANYWHERE, 3, 4, "icmp"),
    ]
    assert registered(2, "public", "egress") == [
        (100, ANYWHERE, 443, 443),
        (200, ANYWHERE, 1024, 65535),
        (300, ZONE_A, 8443, 8443),
        (301, ZONE_B, 8443, 8443),
        (400, ANYWHERE, 3, 4, "icmp"),
    ]
    assert registered(2, "private", "ingress") == [
        (100, PUBLIC_BLOCK, 8443, 8443),
        (110, PUBLIC_BLOCK, 0, 65535, "deny"),
        (120, ANYWHERE, 8443, 8443, "deny"),
        (200, ANYWHERE, 1024, 3388),
        (210, ANYWHERE, 3390, 65535),
        (300, ZONE_A, 443, 443),
        (301, ZONE_B, 443, 443),
        (25320, ZONE_A, 5432, 5432),
        (25321, ZONE_B, 5432, 5432),
    ]
    assert registered(2, "private", "egress") == [
        (100, ANYWHERE, 443, 443),
        (200, PUBLIC_BLOCK, 1024, 65535),
        (300, ZONE_A, 1024, 65535),
        (301, ZONE_B, 1024, 65535),
        (25320, ZONE_A, 5432, 5432),
        (25321, ZONE_B, 5432, 5432),
    ]


def test_a_third_zone_adds_its_entries_and_changes_no_other() -> None:
    added = {
        (kind, direction): sorted(set(registered(3, kind, direction)) - set(registered(2, kind, direction)))
        for kind in ("public", "private")
        for direction in ("ingress", "egress")
    }

    assert added == {
        ("public", "ingress"): [(302, ZONE_C, 1024, 65535)],
        ("public", "egress"): [(302, ZONE_C, 8443, 8443)],
        ("private", "ingress"): [(302, ZONE_C, 443, 443), (25322, ZONE_C, 5432, 5432)],
        ("private", "egress"): [(302, ZONE_C, 1024, 65535), (25322, ZONE_C, 5432, 5432)],
    }


@pytest.mark.parametrize("zones", [2, 3])
@pytest.mark.parametrize("kind", ["public", "private"])
def test_each_network_acl_is_on_every_subnet_of_its_kind(zones: int, kind: str) -> None:
    recording = recorded_network(zones)

    assert named(recording, f"network-{kind}-acl", NETWORK_ACL).inputs["subnetIds"] == [
        named(recording, f"network-{kind}-{zone}", SUBNET).id for zone in ZONES[zones]
    ]


def allows(entries: tuple[AclEntry, ...], address: str, port: int) -> bool:
    about = [
        entry
        for entry in entries
        if entry.protocol == "tcp"
        and IPv4Address(address) in IPv4Network(entry.cidr_block)
        and entry.first_port <= port <= entry.last_port
    ]
    return bool(about) and min(about, key=lambda entry: entry.number).allow


def converses(table: AclTable, *, near_port: int, far: str, far_port: int) -> bool:
    """Packets pass in both directions between a port inside the subnet and one outside."""
    return allows(table.ingress, far, near_port) and allows(table.egress, far, far_port)


@pytest.mark.parametrize(
    ("what", "table", "near_port", "far", "far_port"),
    [
        ("a client reaches the load balancer", PUBLIC, 443, INTERNET, 50_000),
        ("a client without TLS is redirected", PUBLIC, 80, INTERNET, 1024),
        ("the load balancer reaches the identity provider", PUBLIC, 1024, INTERNET, 443),
        ("the load balancer reaches a task (its side)", PUBLIC, 65_535, TASK, 8443),
        ("the load balancer reaches a task (the task's side)", PRIVATE, 8443, EDGE, 1024),
        ("a task reaches an endpoint (its side)", PRIVATE, 1024, OTHER_TASK, 443),
        ("a task reaches an endpoint (the endpoint's side)", PRIVATE, 443, OTHER_TASK, 65_535),
        ("a task reaches S3 through the gateway", PRIVATE, 40_000, S3, 443),
        ("a task reaches the database (its side)", PRIVATE, 40_000, OTHER_TASK, 5433),
        ("a task reaches the database (the database's side)", PRIVATE, 5433, OTHER_TASK, 40_000),
    ],
)
def test_what_the_design_says_passes_in_both_directions(
    what: str, table: AclTable, near_port: int, far: str, far_port: int
) -> None:
    assert converses(table, near_port=near_port, far=far, far_port=far_port), what


@pytest.mark.parametrize(
    ("what", "table", "near_port", "far", "far_port"),
    [
        ("the internet reaches a task", PRIVATE, 8443, INTERNET, 50_000),
        ("the internet reaches an endpoint", PRIVATE, 443, INTERNET, 50_000),
        ("the internet reaches the database", PRIVATE, 5433, INTERNET, 50_000),
        ("a task accepts another task", PRIVATE, 8443, OTHER_TASK, 50_000),
        ("the load balancer reaches the database", PRIVATE, 5433, EDGE, 50_000),
        ("the load balancer reaches an endpoint", PRIVATE, 443, EDGE, 50_000),
        ("a task speaks SSH to the internet", PRIVATE, 40_000, INTERNET, 22),
        ("the load balancer accepts SSH", PUBLIC, 22, INTERNET, 50_000),
        ("the load balancer accepts remote desktop", PUBLIC, 3389, INTERNET, 50_000),
    ],
)
def test_what_the_design_does_not_say_is_stopped(
    what: str, table: AclTable, near_port: int, far: str, far_port: int
) -> None:
    assert not converses(table, near_port=near_port, far=far, far_port=far_port), what


zone_lists = st.lists(
    st.sampled_from([f"eu-west-1{letter}" for letter in ZONE_LETTERS]), min_size=2, max_size=3, unique=True
)
port_lists = st.lists(st.integers(1024, 3999), max_size=3, unique=True)


@given(zone_lists, port_lists)
def test_no_ingress_from_everywhere_covers_ssh_or_remote_desktop(zones: list[str], ports: list[int]) -> None:
    plan = plan_addresses("10.20.0.0/16", zones)
    for table in (public_acl_entries(plan, 8443), private_acl_entries(plan, 8443, ports)):
        open_to_all = [e for e in table.ingress if e.cidr_block == "0.0.0.0/0" and e.allow and e.protocol == "tcp"]

        assert open_to_all
        assert not any(e.first_port <= port <= e.last_port for e in open_to_all for port in (22, 3389))


@given(zone_lists, port_lists)
def test_numbers_and_keys_are_distinct_and_within_aws_s_range(zones: list[str], ports: list[int]) -> None:
    plan = plan_addresses("10.20.0.0/16", zones)
    for table in (public_acl_entries(plan, 8443), private_acl_entries(plan, 8443, ports)):
        for entries in (table.ingress, table.egress):
            assert len({entry.number for entry in entries}) == len(entries) <= MOST_ENTRIES
            assert len({entry.key for entry in entries}) == len(entries)
            assert all(1 <= entry.number <= 32_766 for entry in entries)


@pytest.mark.parametrize(("zones", "ports"), [(2, 6), (3, 3)])
def test_as_many_ports_as_have_room_fill_the_quota_that_aws_gives(zones: int, ports: int) -> None:
    plan = plan_addresses("10.20.0.0/16", [f"eu-west-1{letter}" for letter in ZONE_LETTERS[:zones]])
    full = private_acl_entries(plan, 8443, range(5000, 5000 + ports))
    over = private_acl_entries(plan, 8443, range(5000, 5000 + ports + 1))

    assert most_internal_ports(zones) == ACL_PORTS[zones] == ports
    assert len(full.egress) < len(full.ingress) <= MOST_ENTRIES < len(over.ingress)


@pytest.mark.parametrize(("zones", "ports"), [(2, 4), (3, 2)])
def test_next_to_egress_subnets_there_are_entries_for_fewer_ports(zones: int, ports: int) -> None:
    plan = plan_addresses("10.20.0.0/16", [f"eu-west-1{letter}" for letter in ZONE_LETTERS[:zones]])
    full = private_acl_entries(plan, 8443, range(5000, 5000 + ports), 8445)
    over = private_acl_entries(plan, 8443, range(5000, 5000 + ports + 1), 8445)

    assert most_internal_ports(zones, egress=True) == EGRESS_ACL_PORTS[zones] == ports
    assert max(map(len, (full.ingress, full.egress))) <= MOST_ENTRIES < len(over.ingress)


@given(zone_lists, port_lists)
def test_egress_subnets_change_no_entry_of_the_others(zones: list[str], ports: list[int]) -> None:
    plan = plan_addresses("10.20.0.0/16", zones)
    before, after = private_acl_entries(plan, 8443, ports), private_acl_entries(plan, 8443, ports, 8445)

    assert set(before.ingress) < set(after.ingress)
    assert set(before.egress) < set(after.egress)


EGRESS = egress_acl_entries(PLAN, 8445)
BESIDE = private_acl_entries(PLAN, 8443, [5433], 8445)
EGRESS_TASK = str(PLAN.zones[0].egress[5])


@pytest.mark.parametrize(
    ("entries", "address", "port", "passes"),
    [
        (EGRESS.ingress, TASK, 8445, True),
        (EGRESS.ingress, TASK, 8443, False),
        (EGRESS.ingress, TASK, 40_000, True),
        (EGRESS.ingress, EDGE, 8445, False),
        (EGRESS.ingress, EDGE, 40_000, False),
        (EGRESS.ingress, INTERNET, 8445, False),
        (EGRESS.ingress, INTERNET, 443, False),
        (EGRESS.ingress, INTERNET, 40_000, True),
        (EGRESS.egress, INTERNET, 443, True),
        (EGRESS.egress, INTERNET, 80, False),
        (EGRESS.egress, TASK, 443, True),
        (EGRESS.egress, TASK, 40_000, True),
        (EGRESS.egress, TASK, 5433, False),
        (EGRESS.egress, EDGE, 443, False),
        (EGRESS.egress, "10.99.0.1", 443, False),
        (EGRESS.egress, "172.31.0.1", 443, False),
        (EGRESS.egress, "192.168.1.1", 443, False),
        (EGRESS.egress, "169.254.169.254", 443, False),
        (BESIDE.ingress, EGRESS_TASK, 443, True),
        (BESIDE.ingress, EGRESS_TASK, 40_000, True),
        (BESIDE.ingress, EGRESS_TASK, 8443, False),
        (BESIDE.ingress, EGRESS_TASK, 5433, False),
        (BESIDE.egress, EGRESS_TASK, 8445, True),
        (BESIDE.egress, EGRESS_TASK, 8444, False),
        (BESIDE.egress, EGRESS_TASK, 40_000, True),
    ],
)
def test_what_passes_at_the_egress_subnets(
    entries: tuple[AclEntry, ...], address: str, port: int, passes: bool
) -> None:
    assert allows(entries, address, port) is passes


@given(zone_lists, port_lists, st.integers(4000, 4999))
def test_adding_a_port_changes_no_other_entry(zones: list[str], ports: list[int], added: int) -> None:
    plan = plan_addresses("10.20.0.0/16", zones)
    before, after = private_acl_entries(plan, 8443, ports), private_acl_entries(plan, 8443, [added, *ports])

    assert set(before.ingress) <= set(after.ingress)
    assert set(before.egress) <= set(after.egress)
