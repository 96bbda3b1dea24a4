"""Faults of an environment, caused in a running twin."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Generator, Iterable
from dataclasses import replace

from local.aws.chat import Behaviour
from local.task.task import Task
from local.twin import Twin
from local.wiring import Namespaces


def kill(task: Task, container: str) -> None:
    """Kill a container of a task (SIGKILL), as the kernel does when memory runs out."""
    task.containers[container].kill()


_TABLE = """
table inet fault {{
  chain input {{ type filter hook input priority -300; iif lo accept; {verdict}; }}
  chain output {{ type filter hook output priority -300; oif lo accept; {answer}; }}
}}
"""


@contextlib.contextmanager
def unplugged(twin: Twin, hosts: Iterable[str]) -> Generator[None]:
    """Drop all packets to and from these network interfaces until the block ends; routes and connections remain."""
    with _filtered(twin, hosts, _TABLE.format(verdict="drop", answer="drop")):
        yield


@contextlib.contextmanager
def refusing(twin: Twin, hosts: Iterable[str]) -> Generator[None]:
    """Reset every connection to these network interfaces until the block ends, as if nothing listened there."""
    with _filtered(twin, hosts, _TABLE.format(verdict="meta l4proto tcp reject with tcp reset", answer="accept")):
        yield


@contextlib.contextmanager
def _filtered(twin: Twin, hosts: Iterable[str], table: str) -> Generator[None]:
    if not isinstance(twin.wiring, Namespaces):
        raise TypeError("there are no network interfaces on loopback")
    names = [twin.wiring.names[host] for host in hosts]
    for name in names:
        _nft(name, "-f", "-", text=table)
    try:
        yield
    finally:
        for name in names:
            _nft(name, "delete", "table", "inet", "fault")


def _nft(namespace: str, *arguments: str, text: str = "") -> None:
    command = ["ip", "netns", "exec", namespace, "nft", *arguments]
    subprocess.run(command, check=True, input=text.encode())  # noqa: S603 - nftables


def zone_hosts(twin: Twin, zone: str) -> list[str]:
    """Return every network interface in an availability zone."""
    return [node.name for node in twin.plan.nodes if node.zone == zone]


@contextlib.contextmanager
def models_behave(twin: Twin, behaviour: Behaviour) -> Generator[None]:
    """Set the behaviour of every model, in every region and on every private server, until the block ends."""
    bedrock = (*twin.endpoints.bedrock.values(), *twin.endpoints.mantle.values())
    every = [one.behaviours for one in (*bedrock, *twin.servers.values())]
    before = [one.default for one in every]
    for one in every:
        one.default = behaviour
    try:
        yield
    finally:
        for one, default in zip(every, before, strict=True):
            one.default = default


@contextlib.contextmanager
def other_client_secret(twin: Twin) -> Generator[None]:
    """Make the identity provider refuse the stack's client secret, as after its expiry."""
    known = twin.provider.registration
    twin.provider.registration = replace(known, secret=f"{known.secret}-renewed")
    try:
        yield
    finally:
        twin.provider.registration = known
