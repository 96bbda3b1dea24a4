"""Stand-ins for what other parts of the twin give to a task and to the state: the AWS services, by their simplest form.

They evaluate no policy: those that do have tests where they are.
"""

from __future__ import annotations

import contextlib
import functools
import json
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from local.authority import Authority
from local.data import database as databases
from local.data.cache import Cache
from local.data.database import Database
from local.stack import Stack, recorded
from local.task.definition import TASK_DEFINITION, Definition, definition
from local.task.image import Images
from local.task.replaced import Values
from local.task.surroundings import CREDENTIALS_ADDRESS, RefusedError, Surroundings
from local.task.task import Task
from local.wiring import Namespaces, Node, Wiring
from tests.local.cloud import Cloud, cloud
from tests.local.flat import addresses, network, vpc

SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
KEY_ID, SECRET_KEY, TOKEN = "ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "session"
"""AWS's example key."""
PATH = "/v2/credentials/task"


@dataclass
class Logs:
    """The log groups of a stack: group → lines."""

    lines: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, group: str, line: str) -> None:
        """Keep a line."""
        with self._lock:
            self.lines.setdefault(group, []).append(line)

    def of(self, group: str) -> list[str]:
        """The lines of a group."""
        with self._lock:
            return list(self.lines.get(group, []))


@dataclass(frozen=True)
class StubAgent:
    """An agent that resolves secrets from the graph, without a policy, and serves one key."""

    stack: Stack
    wiring: Wiring
    node: Node
    logs: Logs
    managed: Mapping[str, str]
    """Secrets that RDS keeps: ARN → value."""

    def pull(self, image: str) -> None:
        """Every image is there."""
        assert image

    def secret(self, value_from: str) -> str:
        """The value in the graph."""
        parts = value_from.split(":")
        arn, (key, _, version) = ":".join(parts[:7]), (parts[7:] or ["", "", ""])
        text = self.managed.get(arn)
        for one in self.stack.all(SECRET_VERSION):
            if (one["secretId"], one["versionId"]) == (arn, version):
                text = str(one["secretString"])
        if text is None:
            raise RefusedError(f"ResourceNotFoundException: Secrets Manager can't find the specified secret {arn}")
        return str(json.loads(text)[key]) if key else text

    def stream(self, container: Mapping[str, Any]) -> Callable[[str], None]:
        """A stream of a group that the stack has."""
        group = container["logConfiguration"]["options"]["awslogs-group"]
        if not self.stack.where("aws:cloudwatch/logGroup:LogGroup", name=group):
            raise RefusedError(f"ResourceNotFoundException: the log group {group} does not exist")
        return lambda line: self.logs.put(group, line)

    @contextlib.contextmanager
    def credentials(self) -> Generator[Mapping[str, str]]:
        """Serve the key."""
        given = {
            "AccessKeyId": KEY_ID,
            "SecretAccessKey": SECRET_KEY,
            "Token": TOKEN,
            "Expiration": "2099-01-01T00:00:00Z",
        }
        with serving(self.wiring, self.node, CREDENTIALS_ADDRESS, 80, lambda _path: given):
            yield {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": PATH}


@contextlib.contextmanager
def serving(
    wiring: Wiring, node: Node, address: str, port: int, answer: Callable[[str], object]
) -> Generator[list[str]]:
    """Answer every GET with JSON; the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps(answer(self.path)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    listening = wiring.listen(node.host, address, port)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.server_name, server.server_port = address, port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()


def login(token: str, user: str) -> str:
    """A token of the one key for this user."""
    asked = {key: values[0] for key, values in parse_qs(token.partition("/?")[2]).items()}
    return (
        "" if (asked.get("DBUser"), asked.get("X-Amz-Credential", "")[: len(KEY_ID)]) == (user, KEY_ID) else "no token"
    )


def nodes(stack: Stack, tasks: int) -> dict[str, Node]:
    """A network interface for each task (``task-1`` …), database instance and cache node, and one more (``outside``)."""
    instances = [one.name for one in stack.all(databases.INSTANCE)]
    members = [str(one) for one in stack.one("aws:elasticache/replicationGroup:ReplicationGroup")["memberClusters"]]
    names = [*(f"task-{one + 1}" for one in range(tasks)), *instances, *members, "outside"]
    given = addresses(stack, "private", len(names))
    return {name: Node(name, address) for name, address in zip(names, given, strict=True)}


@dataclass(frozen=True)
class World:
    """A stack's state on a flat network, and what its tasks get."""

    stack: Stack
    wiring: Namespaces
    nodes: Mapping[str, Node]
    database: Database
    cache: Cache
    logs: Logs
    around: Surroundings
    cloud: Cloud

    @property
    def outside(self) -> Node:
        """Where the load balancer's requests come from in these tests."""
        return self.nodes["outside"]

    @contextlib.contextmanager
    def task(self, node: str = "task-1", **changes: Any) -> Generator[Task]:  # noqa: ANN401 - whatever a container has
        """A task until the block ends. ``changes``: container → properties with another value."""
        wanted = changed(self.stack, changes) if changes else definition(self.stack)
        task = Task(wanted, self.nodes[node], self.around).start()
        try:
            yield task
        finally:
            task.stop("the test is over")
            assert task.join(130)


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
    task = stack.one(TASK_DEFINITION)
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
    """Start a database, a cache, a model and a bucket."""
    placed = nodes(stack, tasks)
    public, private = Authority.make(), databases.authority(stack)
    with (
        network(placed, vpc(stack)) as wiring,
        Database(stack, wiring, placed, private, login, metric_seconds=3600) as database,
        Cache(stack, wiring, placed, public, metric_seconds=3600) as cache,
        cloud(stack, wiring, placed["outside"], public) as outside,
        tempfile.TemporaryDirectory(prefix="twin-images-") as folder,
    ):
        Path(folder).chmod(0o755)
        logs = Logs()
        managed = dict([database.managed_secret()])

        def agents(_definition: Definition, node: Node, _task: str) -> StubAgent:
            return StubAgent(stack, wiring, node, logs, managed)

        around = Surroundings(
            stack=stack,
            wiring=wiring,
            images=Images(stack, Path(folder)),
            values=Values.of(stack, [private]),
            agents=agents,
            trust=public.certificate,
            resolver=str(placed["outside"].address),
            hosts={
                **database.names(),
                **cache.names(),
                **dict.fromkeys(outside.names, placed["outside"].address),
            },
            probe_seconds=0.2,
        )
        yield World(stack, wiring, placed, database, cache, logs, around, outside)
