"""One kind of call: who makes it, where it goes, and what IAM is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TASK_DEFINITION = "ecs.TaskDefinition"
EXECUTION, TASK, REGISTRY = "executionRoleArn", "taskRoleArn", "registry"
"""Whose signature a call has: one of the task definition's two roles, or ECR's own."""
HTTPS = 443


@dataclass(frozen=True)
class Ask:
    """One question to IAM."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Lower-case condition keys of the request."""
    by_endpoint: bool = True
    """Whether the request passes the endpoint; a service's own request to the key does not."""


@dataclass(frozen=True)
class ClientCall:
    """One kind of call."""

    container: str
    what: str
    """What it is for, for people."""
    host: str
    port: int
    property: str
    """Where the task definition says so, below ``containerDefinitions[<container>]``."""
    role: str = ""
    """``EXECUTION``, ``TASK`` or ``REGISTRY``; empty where IAM is not asked."""
    asks: tuple[Ask, ...] = ()
