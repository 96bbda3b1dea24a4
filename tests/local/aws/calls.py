"""Every AWS call that a task of a stack makes, from its start to a deleted upload, as signed requests to the services."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth  # pyright: ignore[reportMissingTypeStubs] - it has none
from botocore.awsrequest import AWSRequest  # pyright: ignore[reportMissingTypeStubs]
from botocore.credentials import Credentials as Signer  # pyright: ignore[reportMissingTypeStubs]

from components.synthetic.settings import PROXY
from local.aws.access import ENDPOINT, Access
from local.aws.agent import ValueFrom
from local.aws.bedrock import IDENTIFIER_HEADER, PATH, VERSION_HEADER, Bedrock
from local.aws.chat import Behaviour, Behaviours
from local.aws.database_login import DatabaseLogin
from local.aws.endpoints import region_of, service_of
from local.aws.gate import Arrival, Gate, ServiceError
from local.aws.http import Exchange
from local.aws.logs import CloudWatchLogs, Logs
from local.aws.registry import Logins, Registry, layer_bucket
from local.aws.s3 import S3, Buckets
from local.aws.secrets import Secrets, SecretsManager
from local.aws.sessions import Credentials, Issuer, RefusedError
from local.refusals import Refusals
from local.server import Received
from local.signals import Metrics
from local.stack import Resource, Stack
from local.task.services import task_definition
from local.wiring import Node
from preflight.conform.reaching import sdk
from tests.local.aws.envoy import configuration_in
from tests.local.aws.world import TASK_ID, bootstrap

TASK = "aws:ecs/taskDefinition:TaskDefinition"
NODE = Node("task-1", "10.0.0.1")
Call = tuple[str, frozenset[str], Callable[[], str | None]]
STS, ECR, BEDROCK = frozenset({"sts"}), frozenset({"ecr"}), frozenset({"bedrock"})
ALL = STS | ECR | BEDROCK | {"kms", "logs", "rds-db", "s3", "secretsmanager"}
JSON = {"Content-Type": "application/x-amz-json-1.1"}


def signed(
    session: Credentials, service: str, method: str, url: str, *, region: str, body: bytes = b"", **headers: str
) -> Received:
    """A request that botocore has signed."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest(method, url, {**named, "Host": str(urlsplit(url).netloc)}, body)
    signer = Signer(session.key_id, session.secret_key, session.token)
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    cast("Any", kind(signer, service, region)).add_auth(request)
    return received(method, url, cast("Any", request.headers), body)


def received(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Received:
    """The request as a server has it."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Received(method, target, tuple((k.lower(), str(v)) for k, v in headers.items()), body)


class Sink:
    """A writer that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    async def drain(self) -> None:
        return


@dataclass
class Task:
    """The services as one task of a stack finds them: the interface's, or one that starts from ``definition``."""

    access: Access
    secrets: Secrets
    buckets: Buckets
    definition: Resource | None = None
    refusals: Refusals = field(default_factory=Refusals)
    sessions: dict[str, Credentials] = field(default_factory=dict[str, Credentials])

    def __post_init__(self) -> None:
        self.stack = self.access.stack
        self.task = self.definition or task_definition(self.stack)
        self.issuer = Issuer(self.access)
        self.metrics = Metrics()

    def outcomes(self, prefixes: frozenset[str] = ALL) -> dict[str, str]:
        """Call → the reason for its refusal, empty if it is allowed; for calls that need actions with these
        prefixes."""
        return {name: _cause(call) for name, asked, call in self.calls() if asked & prefixes}

    def calls(self) -> Iterator[Call]:
        """Every call: its name, the prefixes of the actions that it asks for, and itself."""
        yield "assume the execution role", STS, lambda: self.assume("executionRoleArn")
        yield "assume the task role", STS, lambda: self.assume("taskRoleArn")
        for container in self.containers:
            yield from self._start(container)
        yield "pull a layer", frozenset({"s3"}), self._layer
        for name, method, path, body in _S3_CALLS if "S3_BUCKET_NAME" in self.variables else ():
            yield f"s3 {name}", frozenset({"s3", "kms"}), lambda m=method, p=path, b=body: self._s3(m, p, b)
        for model in self.models():
            for stream in (False, True):
                yield f"bedrock {model} stream {stream}", BEDROCK, lambda m=model, s=stream: self.ask(m, stream=s)
        if "DATABASE_USER" in self.variables:
            yield "log in to the database", frozenset({"rds-db"}), self._database

    def session(self, role: str) -> Credentials:
        """Of one of the task definition's roles."""
        if role not in self.sessions:
            self.sessions[role] = self.issuer.assume(str(self.task[role]), NODE, TASK_ID)
        return self.sessions[role]

    def assume(self, role: str) -> None:
        """What ECS does at the start of a task."""
        self.issuer.assume(str(self.task[role]), NODE, TASK_ID)

    def gate(self, service: str, signing: str) -> tuple[Gate, Arrival]:
        """The gate of a service, and an arrival at its endpoint."""
        (endpoint,) = [one for one in self.stack.all(ENDPOINT) if service_of(one) == service]
        arrival = Arrival(endpoint, self.access.endpoint(endpoint), NODE.address)
        region = region_of(endpoint)
        return Gate(service, self.access, self.issuer, self.refusals, signing, region, lambda _: True), arrival

    def json(self, service: str, operation: str, asked: Mapping[str, object], session: Credentials) -> Received:
        """A signed call of a service with JSON."""
        url = f"https://{service}.{self.stack.region}.amazonaws.com/"
        return signed(
            session, service, "POST", url, region=self.stack.region, body=json.dumps(asked).encode(),
            X_Amz_Target=f"any.{operation}", **JSON,
        )  # fmt: skip

    def _start(self, container: Mapping[str, Any]) -> Iterator[Call]:
        name = container["name"]
        image = str(container["image"]).partition("/")[2].partition("@")
        yield f"{name}: login", ECR, lambda: self._registry("GetAuthorizationToken", {})
        for operation in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"):
            yield f"{name}: {operation}", ECR, lambda o=operation: self._registry(o, {"repositoryName": image[0]})
        for kind in ("manifests", "blobs"):
            yield f"{name}: {kind}", ECR, lambda k=kind: self._docker(f"/v2/{image[0]}/{k}/{image[2]}")
        group = container["logConfiguration"]["options"]["awslogs-group"]
        for operation in ("CreateLogStream", "PutLogEvents"):
            yield f"{name}: {operation}", frozenset({"logs"}), lambda o=operation: self._log(o, group)
        for secret in container.get("secrets", []):
            yield (
                f"{name}: {secret['name']}",
                frozenset({"secretsmanager", "kms"}),
                lambda s=secret: self._secret(str(s["valueFrom"])),
            )

    def _registry(self, operation: str, asked: Mapping[str, object]) -> None:
        gate, arrival = self.gate("ecr.api", "ecr")
        Registry(gate, Logins()).answer(self.json("ecr", operation, asked, self.session("executionRoleArn")), arrival)

    def _docker(self, target: str) -> None:
        gate, arrival = self.gate("ecr.dkr", "ecr")
        logins = Logins()
        token = base64.b64encode(f"AWS:{logins.issue(self.session('executionRoleArn'))}".encode()).decode()
        request = Received("GET", target, (("host", "x"), ("authorization", f"Basic {token}")), b"")
        Registry(gate, logins).docker(Exchange(request, "", cast("asyncio.StreamWriter", Sink())), arrival)

    def _log(self, operation: str, group: str) -> None:
        gate, arrival = self.gate("logs", "logs")
        logs = Logs({group: {"s": []}} if operation == "PutLogEvents" else {})
        asked = {"logGroupName": group, "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]}
        CloudWatchLogs(gate, logs, Metrics()).answer(
            self.json("logs", operation, asked, self.session("executionRoleArn")), arrival
        )

    def _secret(self, value_from: str) -> None:
        wanted = ValueFrom.parse(value_from)
        asked = {"SecretId": wanted.arn, **({"VersionId": wanted.version} if wanted.version else {})}
        gate, arrival = self.gate("secretsmanager", "secretsmanager")
        request = self.json("secretsmanager", "GetSecretValue", asked, self.session("executionRoleArn"))
        SecretsManager(gate, self.secrets).answer(request, arrival)

    def _layer(self) -> None:
        gate, arrival = self.gate("s3", "s3")
        host = f"{layer_bucket(gate.region)}.s3.{gate.region}.amazonaws.com"
        S3(gate, self.buckets).answer(Received("GET", "/sha256:0", (("host", host),), b""), arrival)

    @property
    def bucket(self) -> str:
        """Where the application keeps uploads."""
        return self.variables["S3_BUCKET_NAME"]

    @property
    def containers(self) -> list[dict[str, Any]]:
        """The container definitions."""
        return cast("list[dict[str, Any]]", self.task.document("containerDefinitions"))

    @property
    def variables(self) -> dict[str, str]:
        """Of all containers."""
        return {str(one["name"]): str(one["value"]) for c in self.containers for one in c.get("environment", [])}

    def _s3(self, method: str, path: str, body: bytes) -> None:
        gate, arrival = self.gate("s3", "s3")
        url = f"https://{self.bucket}.s3.{gate.region}.amazonaws.com{path}"
        request = signed(self.session("taskRoleArn"), "s3", method, url, region=gate.region, body=body)
        S3(gate, self.buckets).answer(request, arrival)

    def models(self) -> list[str]:
        """The models that the proxy offers."""
        (proxy,) = [one["name"] for one in self.containers if one["name"] in ("proxy", PROXY)]
        listed = str(configuration_in(self.task, proxy)).partition('{"object":"list"')[2].partition("}]}")[0]
        return sorted({part.partition('"')[0] for part in listed.split('"id":"')[1:]})

    def ask(self, model: str, *, stream: bool = False, version: str = "1", guardrail: str = "") -> str | None:
        """A question to a model; the cause of what is no answer."""
        gate, arrival = self.gate("bedrock-runtime", "bedrock")
        known = self.stack.one("aws:bedrock/guardrail:Guardrail")["guardrailId"]
        body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hello"}]}
        request = signed(
            self.session("taskRoleArn"), "bedrock", "POST", f"https://bedrock-runtime.{gate.region}.amazonaws.com{PATH}",
            region=gate.region, body=json.dumps(body).encode(),
            **{IDENTIFIER_HEADER: guardrail or known, VERSION_HEADER: version},
        )  # fmt: skip
        sink = Sink()
        bedrock = Bedrock(gate, self.metrics, Behaviours(Behaviour(seconds_a_word=0)))
        _run(bedrock.serve(Exchange(request, "", cast("asyncio.StreamWriter", sink)), arrival))
        if b"HTTP/1.1 200" in sink.written:
            return None
        return str(json.loads(sink.written.partition(b"\r\n\r\n")[2])["error"]["message"])

    def _database(self) -> str | None:
        (cluster,) = self.stack.all("aws:rds/cluster:Cluster")
        user = self.variables["DATABASE_USER"]
        token = database_token(
            self.session("taskRoleArn"), cluster["endpoint"], int(cluster["port"]), user, self.stack.region
        )
        return DatabaseLogin(self.access, self.issuer, cluster).refusal(token, user)


def task_of(stack: Stack) -> Task:
    """The services of a stack, with the bootstrap stack of its account."""
    access = Access(stack, bootstrap(stack.name))
    return Task(access, Secrets(access), Buckets(access))


def database_token(session: Credentials, host: str, port: int, user: str, region: str) -> str:
    """A login token as botocore makes it."""
    made = sdk.session()
    made.set_credentials(session.key_id, session.secret_key, session.token)
    client = made.create_client("rds", region_name=region)
    return str(client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user, Region=region))


_S3_CALLS = (
    ("PutObject", "PUT", "/file", b"content"),
    ("GetObject", "GET", "/file", b""),
    ("HeadObject", "HEAD", "/file", b""),
    ("ListObjectsV2", "GET", "/?list-type=2", b""),
    ("CreateMultipartUpload", "POST", "/large?uploads", b""),
    ("ListMultipartUploads", "GET", "/?uploads", b""),
    ("ListParts", "GET", "/large?uploadId=1", b""),
    ("AbortMultipartUpload", "DELETE", "/large?uploadId=1", b""),
    ("DeleteObject", "DELETE", "/file", b""),
)


def _run(coroutine: Coroutine[Any, Any, object]) -> None:
    """Run to its end on a separate loop; ``asyncio.run`` would take the thread's loop away from Pulumi."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(coroutine)
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


def _cause(call: Callable[[], object]) -> str:
    try:
        return str(call() or "")
    except ServiceError as error:
        return error.cause
    except (RefusedError, LookupError) as error:
        return str(error)
