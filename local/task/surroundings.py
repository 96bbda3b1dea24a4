"""The context of a task: each field is provided by another part of the twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from local.authority import Authority
from local.stack import Stack
from local.task.definition import Definition
from local.task.image import Images
from local.wiring import Node, Wiring

CREDENTIALS_ADDRESS = "169.254.170.2"
"""The address of the task credentials endpoint (ECS developer guide, task IAM role)."""


class EcsAgent(Protocol):
    """The ECS agent of one task: its calls with the execution role, and the endpoint that it serves to the containers.

    Raises ``local.aws.sessions.RefusedError`` for every call that AWS refuses.
    """

    def pull(self, image: str) -> None:
        """Pull an image from the registry."""
        ...

    def secret(self, value_from: str) -> str:
        """Return the value for ``valueFrom``."""
        ...

    def stream(self, container: Mapping[str, Any]) -> AbstractContextManager[Callable[[str], None]]:
        """Create a log stream for a container definition; the returned function adds a line."""
        ...

    def credentials(self) -> AbstractContextManager[Mapping[str, str]]:
        """Serve the task role's credentials at ``CREDENTIALS_ADDRESS``. Returns the variables from which an SDK reads
        the address."""
        ...


AgentOf = Callable[[Stack, Definition, Node, str], EcsAgent]
"""Stack, task definition, network interface and task id → the task's agent."""


@dataclass(frozen=True)
class Surroundings:
    """The parts of the twin that a task needs."""

    stack: Stack
    wiring: Wiring
    images: Images
    agents: AgentOf
    authorities: Sequence[Authority]
    """The authorities that replace AWS's in the containers' variables (``local.task.replaced``)."""
    trust: str
    """The public certificate authorities of every image, as PEM."""
    resolver: str
    """The address of the network's DNS server."""
    hosts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names that ``/etc/hosts`` of a task has besides its own. A task on Fargate has none."""
    resolve: Callable[[str, str], str] | None = None
    """The address of a name for a task's address, on loopback, which has no DNS server; raises
    ``LookupError`` if there is none."""
    replaced: Mapping[str, str] = field(default_factory=dict[str, str])
    """Key or certificate of the recording → the real one, in commands and variables: see ``local.computed``."""
    probe_seconds: float | None = None
    """Time between two health checks of a container during its start period, in which none counts, to start quicker than
    with the graph's interval. A check that counts has the graph's interval."""
