"""What a task finds around it: each part comes from somewhere else of the twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from local.authority import Authority
from local.stack import Stack
from local.task.image import Images
from local.wiring import Node, Wiring

CREDENTIALS_ADDRESS = "169.254.170.2"
"""Where a task finds its role's credentials (ECS developer guide, task IAM role)."""


class EcsAgent(Protocol):
    """The ECS agent of one task: what it does with the execution role, and what it serves to the containers.

    Raises ``local.aws.sessions.RefusedError`` for whatever AWS refuses.
    """

    def pull(self, image: str) -> None:
        """Ask the registry for an image."""
        ...

    def secret(self, value_from: str) -> str:
        """The value for ``valueFrom``."""
        ...

    def stream(self, container: Mapping[str, Any]) -> AbstractContextManager[Callable[[str], None]]:
        """A new log stream for a container definition, which takes lines."""
        ...

    def credentials(self) -> AbstractContextManager[Mapping[str, str]]:
        """Serve the task role's credentials at ``CREDENTIALS_ADDRESS``; the variables by which an SDK finds them."""
        ...


AgentOf = Callable[[Stack, Node, str], EcsAgent]
"""Stack, network interface and task id → the task's agent."""


@dataclass(frozen=True)
class Surroundings:
    """Everything that a task needs of the twin."""

    stack: Stack
    wiring: Wiring
    images: Images
    agents: AgentOf
    authorities: Sequence[Authority]
    """Those that stand in for AWS's in the containers' variables (``local.task.replaced``)."""
    trust: str
    """The public certificate authorities of every image: PEM."""
    resolver: str
    """The address of the network's DNS server."""
    hosts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names that ``/etc/hosts`` of a task has besides its own. A task on Fargate has none."""
    probe_seconds: float | None = None
    """Time between two health checks of a container during its start period, in which none counts, to start quicker than
    with the graph's interval. Whatever counts has the graph's interval."""
