"""The ECS agent of a task: with the execution role, it pulls images, reads secrets and sends logs.

On Fargate it does so through the task's own network interface
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html), so every call is a real
connection from the task's host: a closed security group, a missing endpoint or a blocked name stops the task as on AWS.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth  # pyright: ignore[reportMissingTypeStubs] - it has none
from botocore.awsrequest import AWSRequest  # pyright: ignore[reportMissingTypeStubs]
from botocore.credentials import Credentials as Signer  # pyright: ignore[reportMissingTypeStubs]

from local.authority import Authority
from local.aws.sessions import Credentials, Issuer, RefusedError
from local.refusals import Refusals
from local.stack import Resource, Stack
from local.task.services import task_definition
from local.wiring import Node, Wiring
from preflight.conform.reaching.sdk import host

PART = "ecs agent"
SECONDS = 5.0
_ARN_PARTS, _VALUE_FROM_PARTS = 7, 10
_OK, _ERRORS = 200, 400
_PULL = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")
_TARGETS = {
    "secretsmanager": "secretsmanager",
    "logs": "Logs_20140328",
    "ecr": "AmazonEC2ContainerRegistry_V20150921",
}
"""Service → what precedes the operation in ``X-Amz-Target`` (botocore's service models)."""
Resolve = Callable[[str], str]
"""Return the address of a name. Raises ``LookupError`` with the reason if there is none."""


@dataclass(frozen=True)
class ValueFrom:
    """A reference to a container's secret
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html)."""

    arn: str
    key: str
    stage: str
    version: str

    @classmethod
    def parse(cls, text: str) -> ValueFrom:
        """``arn:aws:secretsmanager:region:account:secret:name[:json-key:version-stage:version-id]``."""
        parts = text.split(":")
        if parts[2:3] != ["secretsmanager"] or len(parts) not in {_ARN_PARTS, _VALUE_FROM_PARTS}:
            raise RefusedError(
                f"valueFrom {text} is not a secret's ARN, optionally followed by :json-key:version-stage:version-id"
            )
        return cls(":".join(parts[:_ARN_PARTS]), *(parts[_ARN_PARTS:] or ("", "", "")))


@dataclass(frozen=True)
class _Sent:
    """One request of the agent."""

    what: str
    method: str
    host: str
    path: str
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class LogStream:
    """The log stream of one container."""

    agent: Agent
    group: str
    name: str
    region: str

    def put(self, lines: Sequence[str]) -> None:
        """Send lines to the stream. Raises ``RefusedError`` if CloudWatch Logs refuses them."""
        at = int(time.time() * 1000)
        events = [{"timestamp": at, "message": line} for line in lines]
        asked = {"logGroupName": self.group, "logStreamName": self.name, "logEvents": events}
        self.agent.call("logs", "PutLogEvents", asked, self.region)


@dataclass
class Agent:
    """The agent of one task."""

    stack: Stack
    wiring: Wiring
    node: Node
    """The task's network interface."""
    task_id: str
    issuer: Issuer
    authority: Authority
    """The servers at the addresses of the VPC endpoints."""
    resolve: Resolve
    refusals: Refusals = field(default_factory=Refusals)
    definition: Resource | None = None
    """The task definition; the interface's if it is not given."""
    _session: Credentials | None = None

    def secret(self, value_from: str) -> str:
        """Return the value that a container gets for ``valueFrom``. Raises ``RefusedError`` with the reason why the
        task does not start."""
        try:
            wanted = ValueFrom.parse(value_from)
        except RefusedError as error:
            raise self._refused(str(error)) from None
        asked = {"SecretId": wanted.arn}
        asked |= {"VersionId": wanted.version} if wanted.version else {}
        asked |= {"VersionStage": wanted.stage} if wanted.stage else {}
        text = str(self.call("secretsmanager", "GetSecretValue", asked, wanted.arn.split(":")[3])["SecretString"])
        if not wanted.key:
            return text
        try:
            content: Any = json.loads(text)
        except ValueError:
            content = None
        value = cast("dict[str, object]", content).get(wanted.key) if isinstance(content, dict) else None
        if value is None:
            raise self._refused(
                f"the secret {wanted.arn} has no JSON key {wanted.key}, which valueFrom {value_from} refers to"
            )
        return value if isinstance(value, str) else json.dumps(value)

    def secrets(self, container: Mapping[str, Any]) -> dict[str, str]:
        """Return every variable that a container definition takes from a secret."""
        found = cast("list[dict[str, str]]", container.get("secrets") or [])
        return {one["name"]: self.secret(one["valueFrom"]) for one in found}

    def pull(self, image: str) -> None:
        """Pull an image from this account's registry. Raises ``RefusedError`` if ECR refuses."""
        registry, _, path = image.partition("/")
        name, _, digest = path.partition("@")
        parts = registry.split(".")
        if parts[1:3] != ["dkr", "ecr"]:
            raise self._refused(f"image {image} is not in an ECR registry")
        given = self.call("ecr", "GetAuthorizationToken", {}, parts[3])["authorizationData"][0]
        asked = {"repositoryName": name, "registryId": parts[0], "imageIds": [{"imageDigest": digest}]}
        for operation in _PULL:
            self.call("ecr", operation, asked, parts[3])
        login = {"Authorization": f"Basic {given['authorizationToken']}"}
        self._get(registry, f"/v2/{name}/manifests/{digest}", login)
        layer = urlsplit(self._get(registry, f"/v2/{name}/blobs/{digest}", login)["location"])
        self._get(str(layer.hostname), layer.path, {})

    def log_stream(self, container: Mapping[str, Any]) -> LogStream:
        """Create and return the log stream of a container with the ``awslogs`` driver
        (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html)."""
        configuration = container["logConfiguration"]
        options: Mapping[str, str] = configuration["options"]
        if configuration["logDriver"] != "awslogs":
            raise self._refused(
                f"container {container['name']}: the twin does not support the log driver {configuration['logDriver']}"
            )
        name = f"{options['awslogs-stream-prefix']}/{container['name']}/{self.task_id}"
        group, region = options["awslogs-group"], options["awslogs-region"]
        self.call("logs", "CreateLogStream", {"logGroupName": group, "logStreamName": name}, region)
        return LogStream(self, group, name, region)

    def call(self, service: str, operation: str, asked: Mapping[str, object], region: str) -> dict[str, Any]:
        """Send one signed call from the task's host. Raises ``RefusedError`` for every error response."""
        name = host(service, region)
        target = f"{_TARGETS[service]}.{operation}"
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target, "Host": name}
        request = AWSRequest("POST", f"https://{name}/", headers, json.dumps(asked))
        session = self._role()
        signer = Signer(session.key_id, session.secret_key, session.token)
        cast("Any", SigV4Auth(signer, service, region)).add_auth(request)
        signed = dict(cast("Any", request.headers).items())
        sent = _Sent(f"{service}:{operation}", "POST", name, "/", json.dumps(asked), signed)
        status, _, body = self._send(sent)
        content: dict[str, Any] = json.loads(body or b"{}")
        if status != _OK:
            cause = content.get("message") or body.decode(errors="replace")
            raise self._refused(f"{sent.what}: {content.get('__type')}: {cause}")
        return content

    def _get(self, name: str, path: str, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers of an answer that is no error."""
        sent = _Sent(f"pull of {name}{path}", "GET", name, path, "", {**headers, "Host": name})
        status, answered, body = self._send(sent)
        if status >= _ERRORS:
            raise self._refused(f"{sent.what}: {status}: {body.decode(errors='replace')}")
        return answered

    def _send(self, sent: _Sent) -> tuple[int, dict[str, str], bytes]:
        try:
            return self._exchange(sent)
        except LookupError as error:
            raise self._refused(f"{sent.what}: {error}") from None
        except OSError as error:
            where = f"{self.node.host} ({self.node.address})"
            raise self._refused(f"{sent.what}: {where} does not reach {sent.host}:443: {error}") from None

    def _role(self) -> Credentials:
        """The execution role's session, renewed before it expires."""
        if self._session is None or self._session.expires <= self.issuer.clock():
            task = self.definition or task_definition(self.stack)
            try:
                self._session = self.issuer.assume(str(task["executionRoleArn"]), self.node, self.task_id)
            except RefusedError as error:
                raise self._refused(f"executionRoleArn: {error}") from None
        return self._session

    def _exchange(self, sent: _Sent) -> tuple[int, dict[str, str], bytes]:
        context = ssl.create_default_context(cadata=self.authority.certificate)
        with self.wiring.open(self.node.host) as plain:
            plain.settimeout(SECONDS)
            plain.connect(self.wiring.target(self.node.host, self.resolve(sent.host), 443))
            with context.wrap_socket(plain, server_hostname=sent.host) as spoken:
                connection = _Connected(spoken)
                connection.request(sent.method, sent.path, sent.body, dict(sent.headers))
                answer = connection.getresponse()
                return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()

    def _refused(self, cause: str) -> RefusedError:
        self.refusals.add(PART, cause)
        return RefusedError(cause)


class _Connected(http.client.HTTPConnection):
    """HTTP on a socket that is open already."""

    def __init__(self, opened: socket.socket) -> None:
        super().__init__("twin")
        self.sock = opened
