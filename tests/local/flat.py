"""A network in which every host reaches every other: namespaces on one bridge.

The twin's real network, with what the graph forbids, is tested where it is made.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import subprocess
from collections.abc import Generator, Mapping

from local.stack import Stack
from local.wiring import Namespaces, Node


def ip(*arguments: str) -> None:
    """iproute2."""
    subprocess.run(["ip", *arguments], check=True, stdin=subprocess.DEVNULL)  # noqa: S603, S607


@contextlib.contextmanager
def network(nodes: Mapping[str, Node], cidr: str) -> Generator[Namespaces]:
    """Namespaces of these hosts until the block ends: logical name → node."""
    prefix = f"twin-test-{os.getpid()}"
    length = ipaddress.ip_network(cidr).prefixlen
    hosts = {node.host: node.address for node in nodes.values()}
    names = {host: f"{prefix}-{number}" for number, host in enumerate(sorted(hosts))}
    made: list[str] = []
    try:
        for name in (prefix, *names.values()):
            ip("netns", "add", name)
            made.append(name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", prefix, "link", "add", "bridge", "type", "bridge")
        ip("-n", prefix, "link", "set", "bridge", "up")
        for number, (host, name) in enumerate(sorted(names.items())):
            port = f"port{number}"
            ip("-n", prefix, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("-n", prefix, "link", "set", port, "master", "bridge", "up")
            ip("-n", name, "address", "add", f"{hosts[host]}/{length}", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "route", "add", "default", "dev", "eth0")
        yield Namespaces(names)
    finally:
        for name in made:
            ip("netns", "del", name)


def addresses(stack: Stack, kind: str, count: int) -> list[str]:
    """Free addresses of the subnets of a kind, one subnet after another, as AWS gives them out from the fifth on."""
    found = [one for one in stack.all("aws:ec2/subnet:Subnet") if kind in one.name]
    blocks = [ipaddress.ip_network(str(one["cidrBlock"])) for one in found]
    return [str(blocks[number % len(blocks)][4 + number // len(blocks)]) for number in range(count)]
