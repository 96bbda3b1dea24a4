"""What goes wrong in an environment, done to a running twin."""

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
    """A container of a task dies (SIGKILL), as by the kernel for its memory."""
    task.containers[container].kill()


_TABLE = """
table inet fault {{
  chain input {{ type filter hook input priority -300; iif lo accept; {verdict}; }}
  chain output {{ type filter hook output priority -300; oif lo accept; {answer}; }}
}}
"""


@contextlib.contextmanager
def unplugged(twin: Twin, hosts: Iterable[str]) -> Generator[None]:
    """No packet reaches or leaves these network interfaces until the block ends; routes and connections stay."""
    with _filtered(twin, hosts, _TABLE.format(verdict="drop", answer="drop")):
        yield


@contextlib.contextmanager
def refusing(twin: Twin, hosts: Iterable[str]) -> Generator[None]:
    """These network interfaces reset every connection until the block ends, as where nothing listens."""
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
    """Every network interface of an availability zone."""
    return [node.name for node in twin.plan.nodes if node.zone == zone]


@contextlib.contextmanager
def models_behave(twin: Twin, behaviour: Behaviour) -> Generator[None]:
    """Every model of every region does this until the block ends."""
    before = {region: bedrock.behaviours.default for region, bedrock in twin.endpoints.bedrock.items()}
    for bedrock in twin.endpoints.bedrock.values():
        bedrock.behaviours.default = behaviour
    try:
        yield
    finally:
        for region, bedrock in twin.endpoints.bedrock.items():
            bedrock.behaviours.default = before[region]


@contextlib.contextmanager
def other_client_secret(twin: Twin) -> Generator[None]:
    """The identity provider no longer takes the client secret of the stack, as after it has expired there."""
    known = twin.provider.registration
    twin.provider.registration = replace(known, secret=f"{known.secret}-renewed")
    try:
        yield
    finally:
        twin.provider.registration = known
