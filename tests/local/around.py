"""A stack's state and AWS services on a flat network, and its tasks: everything but the edge and what the network forbids."""

from __future__ import annotations

import contextlib
import functools
import json
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.authority import Authority
from local.aws.access import ENDPOINT, Access
from local.aws.database_login import DatabaseLogin
from local.aws.endpoints import Endpoints
from local.aws.sessions import Credentials, Issuer
from local.computed import replacements
from local.data import database as databases
from local.data.cache import Cache
from local.data.database import Database
from local.dns import Resolver, resolver_address
from local.names import Names
from local.refusals import Refusals
from local.signals import Metrics
from local.stack import Stack, recorded
from local.task.agents import Agents
from local.task.definition import Definition, definition
from local.task.image import Images
from local.task.services import task_definition
from local.task.surroundings import Surroundings
from local.task.task import STOPPED, Task
from local.wiring import Namespaces, Node
from tests.local.aws.world import TASK_ID, bootstrap
from tests.local.flat import addresses, network

SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
FAILS_SECONDS = 60
"""How long a task with a wrong value may take to fail."""
S3_ADDRESS = "52.218.0.1"
"""Of S3, which a gateway endpoint leads to: one of the service's public addresses."""


def nodes(stack: Stack, tasks: int) -> dict[str, Node]:
    """A network interface for each task (``task-1`` …), database instance, cache node and endpoint, and two more.

    ``resolver`` is the network's DNS server; ``outside`` is where the tests' own requests come from.
    """
    instances = [one.name for one in stack.all(databases.INSTANCE)]
    members = [str(one) for one in stack.one("aws:elasticache/replicationGroup:ReplicationGroup")["memberClusters"]]
    interfaces = [one.id for one in stack.all(ENDPOINT) if one["vpcEndpointType"] != "Gateway"]
    gateways = [one.id for one in stack.all(ENDPOINT) if one["vpcEndpointType"] == "Gateway"]
    names = [*(f"task-{one + 1}" for one in range(tasks)), *instances, *members, "outside", *interfaces]
    placed = dict(zip(names, addresses(stack, "private", len(names)), strict=True))
    placed |= {**dict.fromkeys(gateways, S3_ADDRESS), "resolver": resolver_address(stack)}
    return {name: Node(name, address) for name, address in placed.items()}


@dataclass(frozen=True)
class World:
    """Everything of a stack."""

    stack: Stack
    wiring: Namespaces
    nodes: Mapping[str, Node]
    database: Database
    cache: Cache
    endpoints: Endpoints
    issuer: Issuer
    refusals: Refusals
    around: Surroundings

    @property
    def outside(self) -> Node:
        """Where the load balancer's requests come from in these tests."""
        return self.nodes["outside"]

    @property
    def session(self) -> Credentials:
        """Of the task role."""
        return self.issuer.assume(str(task_definition(self.stack)["taskRoleArn"]), self.outside, TASK_ID)

    @contextlib.contextmanager
    def task(self, node: str = "task-1", **changes: Any) -> Generator[Task]:  # noqa: ANN401 - whatever a container has
        """A task until the block ends. ``changes``: container → properties with another value."""
        wanted = changed(self.stack, changes) if changes else definition(self.stack)
        task = Task(wanted, self.nodes[node], self.around).start()
        try:
            yield task
        finally:
            end(task)


def until(seconds: float, met: Callable[[], object]) -> bool:
    """Whether something came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if met():
            return True
        time.sleep(0.02)
    return False


def failed(task: Task) -> str:
    """Wait until a task fails; why it did."""
    assert until(FAILS_SECONDS, lambda: task.cause or task.status == STOPPED), f"it did not fail: {task.status}"
    assert task.cause, task.stopped_reason
    return task.cause


def end(task: Task) -> None:
    """Stop a task without waiting for its containers."""
    task.stop("the test is over")

    def ended() -> bool:
        for one in list(task.containers.values()):
            one.kill()
        return task.join(0.1)

    assert until(FAILS_SECONDS, ended), task.status


@functools.cache
def stack_of(name: str) -> Stack:
    """A committed stack, recorded once."""
    return recorded(name)


@functools.cache
def stack_with(name: str, release: str) -> Stack:
    """A committed stack that runs another release."""
    return recorded(name, settings={"ai-interface:release": release})


def changed(stack: Stack, changes: Mapping[str, Mapping[str, Any]]) -> Definition:
    """The task definition with other properties of some containers; ``None`` removes one."""
    task = task_definition(stack)
    containers = json.loads(task["containerDefinitions"])
    for one in containers:
        for key, value in changes.get(one["name"], {}).items():
            one[key] = value
    made = stack.changed(task, containerDefinitions=json.dumps([_without_none(one) for one in containers]))
    return definition(made)


def _without_none(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None}


def declared(stack: Stack, container: str) -> dict[str, Any]:
    """A container as the task definition has it."""
    found = definition(stack).container(container)
    assert found
    return dict(found.declared)


def variables(stack: Stack, container: str, **other: str | None) -> list[dict[str, str]]:
    """A container's environment with other values; ``None`` removes one."""
    given = {one["name"]: one["value"] for one in declared(stack, container)["environment"]}
    assert set(other) <= set(given), set(other) - set(given)
    return [{"name": key, "value": value} for key, value in {**given, **other}.items() if value is not None]


@contextlib.contextmanager
def world(stack: Stack, tasks: int = 1) -> Generator[World]:
    """Start a database, a cache, the AWS services and the resolver."""
    placed = nodes(stack, tasks)
    public, private = Authority.make("CN=Amazon Root CA 1,O=Amazon,C=US"), databases.authority(stack)
    access = Access(stack, bootstrap(stack.name))
    issuer, refusals, metrics = Issuer(access), Refusals(), Metrics()
    interfaces = {one.id: [placed[one.id]] for one in stack.all(ENDPOINT)}
    names = Names(stack, interfaces)
    with contextlib.ExitStack() as held:
        wiring = held.enter_context(network(placed, str(stack.one("aws:ec2/vpc:Vpc")["cidrBlock"])))
        replaced = replacements(stack)
        made = Endpoints(wiring, interfaces, public, access, issuer, metrics, refusals, replaced)
        endpoints = held.enter_context(made)
        login = DatabaseLogin(access, issuer, stack.one(databases.CLUSTER))

        database = Database(
            stack,
            wiring,
            placed,
            private,
            login.refusal,
            log=endpoints.logs.write,
            moved=names.point,
            metric_seconds=3600,
            password=endpoints.secrets.master_password,
        )
        held.enter_context(database)
        cache = held.enter_context(Cache(stack, wiring, placed, public, moved=names.point, metric_seconds=3600))
        resolver = Resolver(access, names, endpoints.logs, refusals)
        held.enter_context(resolver.serve(wiring, [placed["resolver"]]))
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="twin-images-")))
        folder.chmod(0o755)
        around = Surroundings(
            stack=stack,
            wiring=wiring,
            images=Images(stack, folder),
            agents=Agents(wiring, issuer, public, resolver.resolve, refusals),
            authorities=[private],
            trust=public.certificate,
            resolver=placed["resolver"].address,
            probe_seconds=0.2,
        )
        yield World(stack, wiring, placed, database, cache, endpoints, issuer, refusals, around)
