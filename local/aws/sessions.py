"""Temporary credentials in the twin: STS issues them to ECS for a role that trusts it, and each belongs to one
session."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from local.aws.access import Access, principal
from local.aws.iam import Context, Principal, Request
from local.wiring import Node

LIFETIME = timedelta(hours=6)
"""How long a task's credentials are valid
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html)."""
ECS = "ecs-tasks.amazonaws.com"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


class RefusedError(Exception):
    """A call that AWS refuses; the message is the cause."""


@dataclass(frozen=True)
class Credentials:
    """One session of a role."""

    key_id: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)
    expires: datetime
    issued: datetime
    principal: Principal
    tags: Context
    """The role's tags as condition keys, ``aws:principaltag/…``."""
    role_id: str
    session: str
    """The session's name: for a task, its id."""
    node: Node
    """The host on which the session is used."""

    def context(self) -> dict[str, tuple[str, ...]]:
        """The context keys about the caller in every request of this session
        (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html)."""
        return {
            "aws:principalarn": (self.principal.arn,),
            "aws:principalaccount": (self.principal.account,),
            "aws:principaltype": ("AssumedRole",),
            "aws:principalisawsservice": ("false",),
            "aws:userid": (f"{self.role_id}:{self.session}",),
            "aws:tokenissuetime": (self.issued.strftime("%Y-%m-%dT%H:%M:%SZ"),),
            **self.tags,
        }


@dataclass
class Issuer:
    """Issues credentials and finds the session that they belong to."""

    access: Access
    clock: Callable[[], datetime] = now
    lifetime: timedelta = LIFETIME
    _sessions: dict[str, Credentials] = field(default_factory=dict[str, Credentials])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def assume(self, role_arn: str, node: Node, session: str) -> Credentials:
        """Issue credentials of a role for a task, as ECS requests them. Raises ``RefusedError`` if the role does not
        trust ECS."""
        stack = self.access.stack
        context = {
            "aws:sourceaccount": (stack.account,),
            "aws:sourcearn": (f"arn:aws:ecs:{stack.region}:{stack.account}:*",),
            "aws:securetransport": ("true",),
            "aws:requestedregion": (stack.region,),
        }
        answer = self.access.decide(Request("sts:AssumeRole", role_arn, Principal(service=ECS), context))
        if not answer:
            raise RefusedError(f"ECS cannot assume {role_arn}: {answer.cause}")
        role = self.access.role(role_arn)
        tags = {
            f"aws:principaltag/{key}".lower(): (str(value),)
            for key, value in cast("dict[str, object]", role.resource.get("tags") or {}).items()
        }
        issued = self.clock()
        made = Credentials(
            "ASIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16)),
            secrets.token_urlsafe(30),
            secrets.token_urlsafe(120),
            issued + self.lifetime,
            issued,
            principal(role),
            tags,
            str(role.resource["uniqueId"]),
            session,
            node,
        )
        with self._lock:
            self._sessions[made.key_id] = made
        return made

    def find(self, key_id: str) -> Credentials | None:
        """Return the session with this access key id."""
        with self._lock:
            return self._sessions.get(key_id)
