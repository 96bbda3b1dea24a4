"""What a task finds around it: each part comes from somewhere else of the twin."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from local.stack import Stack
from local.task.image import Images
from local.wiring import Wiring

CREDENTIALS_ADDRESS, CREDENTIALS_PORT = "169.254.170.2", 80
"""Where a task finds its role's credentials (ECS developer guide, task IAM role)."""


class RefusedError(Exception):
    """Something that AWS refuses a task; the message says what and why."""


class Logs(Protocol):
    """CloudWatch Logs, as the log driver of a task uses it."""

    def stream(self, group: str, name: str, role: str) -> Callable[[str], None]:
        """A new stream that takes lines, written as the execution role. Raises ``RefusedError``."""
        ...


Secrets = Callable[[str, str], str]
"""Execution role and ``valueFrom`` → the value. Raises ``RefusedError``."""
Credentials = Callable[[str, socket.socket], AbstractContextManager[str]]
"""Task role and a listening socket of the task → serves credentials there; the relative URI."""


def no_credentials(role: str, listening: socket.socket) -> AbstractContextManager[str]:
    """A task without a role."""
    del role
    listening.close()
    return nullcontext("")


@dataclass(frozen=True)
class Surroundings:
    """Everything that a task needs of the twin."""

    stack: Stack
    wiring: Wiring
    images: Images
    values: Callable[[str], str]
    """Text of the graph → the same with what this machine replaces (``local.task.replaced``)."""
    secrets: Secrets
    credentials: Credentials
    logs: Logs
    trust: str
    """The public certificate authorities of every image: PEM."""
    resolver: str
    """The address of the network's DNS server."""
    hosts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names that ``/etc/hosts`` of a task has besides its own. A task on Fargate has none."""
    probe_seconds: float | None = None
    """Time between two health checks of a container, to start quicker than the graph's interval. The number of failures
    and the start period are the graph's."""
