"""A recorded stack with its endpoints on loopback, and the AWS SDK as a container of its task has it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast
from unittest import mock

import botocore.session  # pyright: ignore[reportMissingTypeStubs] - it has none
import urllib3.util.connection

from local.authority import Authority
from local.aws.access import ENDPOINT, Access
from local.aws.agent import Agent
from local.aws.credentials import TaskCredentials
from local.aws.endpoints import Endpoints, names_of
from local.aws.sessions import Credentials, Issuer
from local.refusals import Refusals
from local.signals import Metrics
from local.stack import Stack, recorded
from local.task.services import task_definition
from local.wiring import Loopback, Node
from tests.bootstrap.program import run_bootstrap

STACKS = ("prod", "staging")
TASK_ID = "0123456789abcdef0123456789abcdef"


@cache
def stack(name: str) -> Stack:
    """The committed stack."""
    return recorded(name)


@cache
def bootstrap(name: str) -> Stack:
    """The bootstrap stack of the same account."""
    return Stack.of(run_bootstrap(name))


@dataclass
class World:
    """The services of one stack, and one task."""

    stack: Stack
    access: Access
    wiring: Loopback
    authority: Authority
    issuer: Issuer
    metrics: Metrics
    refusals: Refusals
    endpoints: Endpoints
    task: Node
    addresses: dict[str, str] = field(default_factory=dict[str, str])
    """DNS name of an endpoint → an address."""

    def resolve(self, name: str) -> str:
        """The address behind a name."""
        for pattern, address in self.addresses.items():
            if pattern == name or (pattern.startswith("*.") and name.endswith(pattern[1:])):
                return address
        raise LookupError(f"{name}: NXDOMAIN")

    def place(self, name: str, port: int = 443) -> tuple[str, int]:
        """Where loopback has the server of a name."""
        return self.wiring.target(self.task.host, self.resolve(name), port)

    @property
    def agent(self) -> Agent:
        """The task's ECS agent."""
        return Agent(
            self.stack, self.wiring, self.task, TASK_ID, self.issuer, self.authority, self.resolve, self.refusals
        )

    @property
    def session(self) -> Credentials:
        """Of the task role."""
        task = task_definition(self.stack)
        return self.issuer.assume(str(task["taskRoleArn"]), self.task, TASK_ID)

    def container(self, name: str) -> dict[str, Any]:
        """A container definition."""
        task = task_definition(self.stack)
        return next(one for one in task.document("containerDefinitions") if one["name"] == name)

    @contextlib.contextmanager
    def client(self, service: str, folder: Path, region: str | None = None) -> Generator[Any]:
        """botocore's client with the task's credentials server, the names of AWS and the twin's authority."""
        with TaskCredentials(self.stack, self.wiring, self.task, TASK_ID, self.issuer, self.refusals) as served:
            bundle = self.authority.write(folder)
            environment = {
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_CA_BUNDLE": str(bundle),
                "AWS_MAX_ATTEMPTS": "1",
                **served.environment,
            }
            with mock.patch.dict(os.environ, environment, clear=True), self.redirected():
                made = cast("Any", botocore.session).Session()
                yield made.create_client(service, region_name=region or self.stack.region)

    @contextlib.contextmanager
    def redirected(self) -> Generator[None]:
        """Connections of urllib3 to a name of an endpoint go to loopback."""
        original: Callable[..., Any] = urllib3.util.connection.create_connection

        def connect(address: tuple[str, int], *arguments: object, **options: object) -> object:
            host, port = address
            return original(self.place(host) if port == 443 else address, *arguments, **options)

        with mock.patch.object(urllib3.util.connection, "create_connection", connect):
            yield


@contextlib.contextmanager
def world(of: Stack, replaced: dict[str, str] | None = None) -> Generator[World]:
    """Everything of a stack, until the block ends."""
    base = of.one("aws:ec2/vpc:Vpc")["cidrBlock"].rpartition(".")[0].rpartition(".")[0]
    nodes: dict[str, list[Node]] = {}
    addresses: dict[str, str] = {}
    for number, endpoint in enumerate(of.all(ENDPOINT)):
        gateway = endpoint["vpcEndpointType"] == "Gateway"
        address = f"52.218.0.{number + 1}" if gateway else f"{base}.200.{number + 1}"
        nodes[endpoint.id] = [Node(endpoint.name, address)]
        addresses |= dict.fromkeys(names_of(endpoint), address)
    access = Access(of, bootstrap(of.name))
    issuer, refusals, metrics = Issuer(access), Refusals(), Metrics()
    wiring, authority = Loopback(), Authority.make("CN=Amazon Root CA 1,O=Amazon,C=US")
    endpoints = Endpoints(wiring, nodes, authority, access, issuer, metrics, refusals, replaced or {})
    task = Node("task-1", f"{base}.10.4")
    with endpoints:
        yield World(of, access, wiring, authority, issuer, metrics, refusals, endpoints, task, addresses)
