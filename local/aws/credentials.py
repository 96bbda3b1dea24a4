"""The task credentials endpoint at 169.254.170.2: the task role's credentials in the form that every AWS SDK and Envoy
request them.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
"""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from local.aws.http import Exchange, Listener, Servers
from local.aws.sessions import Credentials, Issuer, RefusedError
from local.refusals import Refusals
from local.stack import Resource, Stack
from local.task.services import task_definition
from local.wiring import Node, Wiring

ADDRESS, PORT = "169.254.170.2", 80
PART = "task credentials"
RENEWED = timedelta(minutes=15)
"""How long before their expiry ECS renews the credentials."""


@dataclass
class TaskCredentials:
    """Serve one task's credentials until the block ends."""

    stack: Stack
    wiring: Wiring
    node: Node
    """The task's network interface; the server listens on the task's host at the link-local address."""
    task_id: str
    issuer: Issuer
    refusals: Refusals = field(default_factory=Refusals)
    path: str = field(init=False, default_factory=lambda: f"/v2/credentials/{uuid.uuid4()}")
    current: Credentials | None = None
    definition: Resource | None = None
    """The task definition; the interface's if it is not given."""
    _stack: contextlib.ExitStack = field(init=False, default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        listening = self.wiring.listen(self.node.host, ADDRESS, PORT)
        self._stack.enter_context(Servers([Listener(PART, listening, self._serve)], self.refusals))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that Fargate adds to every container of a task with a task role."""
        region = self.stack.region
        return {
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            **self._where(),
        }

    def renew(self) -> Credentials:
        """Issue new credentials, as a rotation does."""
        task = self.definition or task_definition(self.stack)
        role = task.get("taskRoleArn")
        if role is None:
            raise RefusedError(f"task definition {task.name} has no taskRoleArn: its containers have no credentials")
        self.current = self.issuer.assume(str(role), self.node, self.task_id)
        return self.current

    def _where(self) -> dict[str, str]:
        address, port = self.wiring.target(self.node.host, ADDRESS, PORT)
        if (address, port) == (ADDRESS, PORT):
            return {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": self.path}
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{address}:{port}{self.path}"}

    async def _serve(self, exchange: Exchange) -> None:
        if exchange.request.target != self.path:
            exchange.answer_json(404, {"code": "NoIdInRequest", "message": "no credentials there"})
            return
        try:
            found = self.current
            if found is None or found.expires - RENEWED <= self.issuer.clock():
                found = self.renew()
        except RefusedError as error:
            self.refusals.add(PART, str(error))
            exchange.answer_json(400, {"code": "AccessDenied", "message": str(error)})
            return
        exchange.answer_json(
            200,
            {
                "RoleArn": found.principal.arn,
                "AccessKeyId": found.key_id,
                "SecretAccessKey": found.secret_key,
                "Token": found.token,
                "Expiration": found.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        )
