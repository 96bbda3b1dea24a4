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


@contextlib.contextmanager
def unplugged(twin: Twin, hosts: Iterable[str]) -> Generator[None]:
    """No packet reaches or leaves these network interfaces until the block ends."""
    assert isinstance(twin.wiring, Namespaces)  # noqa: S101 - there are no interfaces on loopback
    names = [twin.wiring.names[host] for host in hosts]
    for name in names:
        _link(name, "down")
    try:
        yield
    finally:
        for name in names:
            _link(name, "up")


def _link(namespace: str, state: str) -> None:
    command = ["ip", "-n", namespace, "link", "set", "eth0", state]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - iproute2


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
