"""The ECS agent of a task, connected to the twin's AWS services: each call comes from the task's network interface."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.authority import Authority
from local.aws.agent import Agent as ServiceAgent
from local.aws.agent import LogStream, Resolve
from local.aws.credentials import TaskCredentials
from local.aws.sessions import Issuer, RefusedError
from local.refusals import Refusals
from local.stack import Stack
from local.task.definition import Definition
from local.wiring import Node, Wiring

FLUSH_SECONDS = 0.5
"""How long log lines are collected before they are sent; the ``awslogs`` driver waits longer."""


@dataclass(frozen=True)
class Agents:
    """Creates the agent of each task: see ``Surroundings.agents``."""

    wiring: Wiring
    issuer: Issuer
    authority: Authority
    """The public authority, which issues the endpoints' certificates."""
    resolve: Resolve
    refusals: Refusals

    def __call__(self, stack: Stack, definition: Definition, node: Node, task: str) -> TaskAgent:
        """The agent of a task of this definition on a node."""
        of = definition.resource
        asking = ServiceAgent(
            stack, self.wiring, node, task, self.issuer, self.authority, self.resolve, self.refusals, of
        )
        served = TaskCredentials(stack, self.wiring, node, task, self.issuer, self.refusals, definition=of)
        return TaskAgent(asking, served)


@dataclass(frozen=True)
class TaskAgent:
    """The ECS agent of one task (``local.task.surroundings.EcsAgent``)."""

    agent: ServiceAgent
    served: TaskCredentials

    def pull(self, image: str) -> None:
        """Pull an image from the registry."""
        self.agent.pull(image)

    def secret(self, value_from: str) -> str:
        """Return the value for ``valueFrom``."""
        return self.agent.secret(value_from)

    @contextlib.contextmanager
    def stream(self, container: Mapping[str, Any]) -> Generator[Callable[[str], None]]:
        """Create a log stream (see ``EcsAgent``). A thread sends the lines, so a container never waits for its log
        (``mode: non-blocking``)."""
        sender = _Sender(self.agent.log_stream(container), self.agent.refusals)
        thread = threading.Thread(target=sender.run, name="log", daemon=True)
        thread.start()
        try:
            yield sender.lines.put
        finally:
            sender.lines.put(None)
            thread.join(10)

    @contextlib.contextmanager
    def credentials(self) -> Generator[Mapping[str, str]]:
        """Serve the task role's credentials."""
        with self.served as served:
            yield served.environment


@dataclass
class _Sender:
    """Collects lines and sends them together."""

    stream: LogStream
    refusals: Refusals
    lines: queue.Queue[str | None] = field(default_factory=queue.Queue[str | None])

    def run(self) -> None:
        """Until the end of the stream."""
        ended = False
        while not ended:
            batch = [self.lines.get()]
            with contextlib.suppress(queue.Empty):
                while batch[-1] is not None:
                    batch.append(self.lines.get(timeout=FLUSH_SECONDS))
            ended = batch[-1] is None
            texts = [one for one in batch if one]
            if texts:
                # A refusal is kept by the agent that was refused; the container goes on without its log.
                with contextlib.suppress(RefusedError):
                    self.stream.put(texts)
