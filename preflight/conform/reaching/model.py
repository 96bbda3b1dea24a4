"""One call: its caller, its destination, and its IAM requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TASK_DEFINITION = "ecs.TaskDefinition"
EXECUTION, TASK, REGISTRY = "executionRoleArn", "taskRoleArn", "registry"
"""The signer of a call: one of the task definition's two roles, or ECR."""
HTTPS = 443


@dataclass(frozen=True)
class Ask:
    """One request to IAM."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Lower-case condition keys of the request."""
    by_endpoint: bool = True
    """Whether the request goes through the endpoint; a service's own request to the key does not."""


@dataclass(frozen=True)
class ClientCall:
    """One call."""

    container: str
    what: str
    """Its purpose, for display."""
    host: str
    port: int
    property: str
    """The property that causes it, below ``containerDefinitions[<container>]``."""
    role: str = ""
    """``EXECUTION``, ``TASK`` or ``REGISTRY``; empty if the call needs no IAM permission."""
    asks: tuple[Ask, ...] = ()
    internet: bool = False
    """Whether the host is on the internet, so that there has to be a route to it."""
