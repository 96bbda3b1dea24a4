"""CloudWatch Logs, as a container's log driver calls it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from local.aws.embedded_metrics import extract
from local.aws.gate import Arrival, Ask, Gate, tagged
from local.aws.sessions import Credentials
from local.server import Received
from local.signals import Metrics

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
_LOGS_IN_THE_GROUP = frozenset(("CreateLogStream", "PutLogEvents"))


@dataclass
class Logs:
    """The received messages: log group → stream → messages."""

    events: dict[str, dict[str, list[str]]] = field(default_factory=dict[str, dict[str, list[str]]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, group: str, stream: str) -> bool:
        """Create a stream. Returns ``False`` if the group already has it."""
        with self._lock:
            streams = self.events.setdefault(group, {})
            return streams.setdefault(stream, made := []) is made

    def put(self, group: str, stream: str, messages: list[str]) -> bool:
        """Store messages. Returns ``False`` if the group has no such stream."""
        with self._lock:
            found = self.events.get(group, {}).get(stream)
            if found is not None:
                found.extend(messages)
            return found is not None

    def write(self, group: str, stream: str, message: str) -> None:
        """Store a message of an AWS service, which creates its stream if necessary."""
        self.create(group, stream)
        self.put(group, stream, [message])

    def of(self, group: str) -> list[str]:
        """Return every message of a group, stream by stream."""
        with self._lock:
            return [one for _, messages in sorted(self.events.get(group, {}).items()) for one in messages]


@dataclass(frozen=True)
class CloudWatchLogs:
    """CloudWatch Logs behind its VPC endpoint."""

    gate: Gate
    logs: Logs
    metrics: Metrics
    """Where the metrics in messages go."""

    def answer(self, request: Received, arrival: Arrival) -> dict[str, Any]:
        """Handle CreateLogStream and PutLogEvents. Raises ``ServiceError`` for every other operation."""
        session, operation, asked = called(self.gate, request)
        group, stream = str(asked.get("logGroupName") or ""), str(asked.get("logStreamName") or "")
        stack = self.gate.access.stack
        found = next((one for one in stack.all(LOG_GROUP) if one["name"] == group), None)
        arn = f"arn:aws:logs:{self.gate.region}:{stack.account}:log-group:{group}:log-stream:{stream}"
        context = tagged(found) if found else {}
        self.gate.ask(session, [Ask(f"logs:{operation}", arn, context)], arrival, request)
        if operation not in _LOGS_IN_THE_GROUP:
            raise self.gate.error(400, "UnrecognizedClientException", f"the twin does not support logs:{operation}")
        if found is None:
            names = ", ".join(sorted(one["name"] for one in stack.all(LOG_GROUP)))
            cause = f"logs:{operation}: {stack.name} has no log group {group}: it has {names}"
            raise self.gate.error(400, "ResourceNotFoundException", cause)
        if operation == "CreateLogStream":
            if not self.logs.create(group, stream):
                raise self.gate.error(400, "ResourceAlreadyExistsException", f"{group} has a stream {stream}")
            return {}
        events = cast("list[Mapping[str, Any]]", asked.get("logEvents") or [])
        messages = [str(one["message"]) for one in events]
        if not self.logs.put(group, stream, messages):
            raise self.gate.error(400, "ResourceNotFoundException", f"{group} has no stream {stream}")
        for one in messages:
            extract(one, self.metrics)
        return {"nextSequenceToken": "0"}


def called(gate: Gate, request: Received) -> tuple[Credentials, str, dict[str, Any]]:
    """Return the caller, the operation and its parameters."""
    session = gate.session(request)
    return session, (request.value("x-amz-target") or "").rpartition(".")[2], json.loads(request.body or b"{}")
