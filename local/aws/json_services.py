"""CloudWatch Logs and ECR, as the ECS agent calls them: intake of log events, and who may pull which image."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from local.aws.gate import Arrival, Ask, Gate, tagged
from local.aws.sessions import Credentials
from local.server import Received
from local.stack import items

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
REPOSITORY = "aws:ecr/repository:Repository"
_LOGS_IN_THE_GROUP = frozenset(("CreateLogStream", "PutLogEvents"))


@dataclass
class Logs:
    """What arrived: log group → stream → messages."""

    events: dict[str, dict[str, list[str]]] = field(default_factory=dict[str, dict[str, list[str]]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, group: str, stream: str) -> bool:
        """A new stream; ``False`` where the group has it."""
        with self._lock:
            streams = self.events.setdefault(group, {})
            return streams.setdefault(stream, made := []) is made

    def put(self, group: str, stream: str, messages: list[str]) -> bool:
        """Keep messages; ``False`` where the group has no such stream."""
        with self._lock:
            found = self.events.get(group, {}).get(stream)
            if found is not None:
                found.extend(messages)
            return found is not None

    def of(self, group: str) -> list[str]:
        """Every message of a group, stream by stream."""
        with self._lock:
            return [one for _, messages in sorted(self.events.get(group, {}).items()) for one in messages]


@dataclass(frozen=True)
class CloudWatchLogs:
    """The service behind its endpoint."""

    gate: Gate
    logs: Logs

    def answer(self, request: Received, arrival: Arrival) -> dict[str, Any]:
        """CreateLogStream or PutLogEvents; ``ServiceError`` otherwise."""
        session, operation, asked = _called(self.gate, request)
        group, stream = str(asked.get("logGroupName") or ""), str(asked.get("logStreamName") or "")
        stack = self.gate.access.stack
        found = next((one for one in stack.all(LOG_GROUP) if one["name"] == group), None)
        arn = f"arn:aws:logs:{self.gate.region}:{stack.account}:log-group:{group}:log-stream:{stream}"
        context = tagged(found) if found else {}
        self.gate.ask(session, [Ask(f"logs:{operation}", arn, context)], arrival, request)
        if operation not in _LOGS_IN_THE_GROUP:
            raise self.gate.error(400, "UnrecognizedClientException", f"logs:{operation} is not played")
        if found is None:
            names = ", ".join(sorted(one["name"] for one in stack.all(LOG_GROUP)))
            cause = f"logs:{operation}: {stack.name} has no log group {group}: it has {names}"
            raise self.gate.error(400, "ResourceNotFoundException", cause)
        if operation == "CreateLogStream":
            if not self.logs.create(group, stream):
                raise self.gate.error(400, "ResourceAlreadyExistsException", f"{group} has a stream {stream}")
            return {}
        events = cast("list[Mapping[str, Any]]", asked.get("logEvents") or [])
        if not self.logs.put(group, stream, [str(one["message"]) for one in events]):
            raise self.gate.error(400, "ResourceNotFoundException", f"{group} has no stream {stream}")
        return {"nextSequenceToken": "0"}


@dataclass(frozen=True)
class Registry:
    """ECR behind its two endpoints: what the twin plays of a pull is who may do it; image layers are not transferred."""

    gate: Gate

    def answer(self, request: Received, arrival: Arrival) -> dict[str, Any]:
        """GetAuthorizationToken, BatchGetImage, BatchCheckLayerAvailability, GetDownloadUrlForLayer."""
        session, operation, asked = _called(self.gate, request)
        self.gate.ask(session, self._asks(operation, asked), arrival, request)
        if operation == "GetAuthorizationToken":
            token = base64.b64encode(b"AWS:twin").decode()
            stack = self.gate.access.stack
            endpoint = f"https://{stack.account}.dkr.ecr.{self.gate.region}.amazonaws.com"
            return {"authorizationData": [{"authorizationToken": token, "proxyEndpoint": endpoint}]}
        name = str(asked.get("repositoryName") or "")
        if not any(one["name"] == name for one in self.gate.access.bootstrap.all(REPOSITORY)):
            cause = f"ecr:{operation}: no repository {name} in the bootstrap stack {self.gate.access.bootstrap.name}"
            raise self.gate.error(400, "RepositoryNotFoundException", cause)
        return {"images": [{"repositoryName": name, "imageId": one} for one in items(asked.get("imageIds"))]}

    def _asks(self, operation: str, asked: Mapping[str, Any]) -> Iterator[Ask]:
        if operation == "GetAuthorizationToken":
            yield Ask(f"ecr:{operation}", "*")
            return
        stack, name = self.gate.access.stack, str(asked.get("repositoryName") or "")
        found = next((one for one in self.gate.access.bootstrap.all(REPOSITORY) if one["name"] == name), None)
        arn = f"arn:aws:ecr:{self.gate.region}:{stack.account}:repository/{name}"
        yield Ask(f"ecr:{operation}", arn, tagged(found, "ecr:resourcetag") if found else {})


def _called(gate: Gate, request: Received) -> tuple[Credentials, str, dict[str, Any]]:
    """Who called, the operation and its parameters."""
    session = gate.session(request)
    return session, (request.value("x-amz-target") or "").rpartition(".")[2], json.loads(request.body or b"{}")
