"""The edge in network namespaces: the graph's real addresses and ports, as the twin runs on Linux."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from local.stack import Stack
from local.wiring import Namespaces, Node
from tests.local.edge.world import BALANCER, nodes, task_node, world

CLIENT, PROVIDER = "198.51.100.7", "203.0.113.5"
PREFIX = f"edge-{os.getpid()}"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)  # noqa: S603, S607 - iproute2


def _possible() -> bool:
    """Whether this process may make a network namespace."""
    if sys.platform != "linux" or os.geteuid() != 0 or not Path("/usr/sbin/ip").exists():
        return False
    name = f"{PREFIX}-try"
    try:
        _ip("netns", "add", name)
    except subprocess.CalledProcessError:
        return False
    _ip("netns", "delete", name)
    return True


@contextlib.contextmanager
def _namespaces(places: list[Node]) -> Generator[Namespaces]:
    """Two namespaces, the internet and the network of the stack, with a cable between them."""
    outer, inner = f"{PREFIX}-out", f"{PREFIX}-in"
    inside, hosts = [one.address for one in places], [one.host for one in places]
    with contextlib.ExitStack() as made:
        for name in (outer, inner):
            _ip("netns", "add", name)
            made.callback(_ip, "netns", "delete", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", outer, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", inner)
        for name, addresses in ((outer, [CLIENT, PROVIDER]), (inner, inside)):
            _ip("-n", name, "link", "set", "cable", "up")
            for address in addresses:
                _ip("-n", name, "address", "add", f"{address}/32", "dev", "cable")
        for address in inside:
            _ip("-n", outer, "route", "add", address, "dev", "cable", "src", CLIENT)
        for address in (CLIENT, PROVIDER):
            _ip("-n", inner, "route", "add", address, "dev", "cable", "src", inside[0])
        yield Namespaces({"internet": outer, **dict.fromkeys(hosts, inner)})


@pytest.mark.skipif(not _possible(), reason="needs Linux and the right to make a network namespace")
def test_the_edge_serves_at_the_graphs_own_addresses_and_ports(prod: Stack) -> None:
    """A login through them; the target sees the client's real address and the load balancer's."""
    places = list(nodes(prod).values())
    with _namespaces([*places, task_node(prod, 0)[0]]) as wiring, world(prod, wiring=wiring) as made:
        browser = made.member()
        assert browser.get(made.url("/api/v1/x", "http")).status == 200
        received = made.target.requests[-1]
        assert received.value("x-forwarded-for") == CLIENT
        assert received.value("host") == made.host
        assert len(places) == len(prod.one(BALANCER)["subnets"])
        for place in places:
            made.names[made.host] = (place.address,)
            assert browser.get(made.url("/api/v1/x")).status == 200
