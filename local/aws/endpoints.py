"""The servers at the addresses of the VPC endpoints: TLS for the names that resolve to each, with one service behind
it."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

from local.authority import Authority
from local.aws import mantle
from local.aws.access import ENDPOINT, Access
from local.aws.bedrock import Bedrock
from local.aws.gate import Arrival, Gate, ServiceError
from local.aws.http import Exchange, Handler, Listener, Servers
from local.aws.logs import CloudWatchLogs, Logs
from local.aws.registry import Logins, Registry
from local.aws.s3 import S3, Buckets, error_body
from local.aws.secrets import Secrets, SecretsManager
from local.aws.sessions import Issuer, now
from local.refusals import Refusals
from local.server import Received
from local.signals import Metrics
from local.stack import Resource, items
from local.wiring import Node, Wiring
from preflight.conform.reaching.names import private_names

PORT = 443
_REQUEST_ID = "x-amzn-requestid"


def region_of(endpoint: Resource) -> str:
    """An endpoint's service in the form ``com.amazonaws.<region>.<service>``."""
    return str(endpoint["serviceName"]).split(".", 3)[2]


def service_of(endpoint: Resource) -> str:
    """The service without the region: ``secretsmanager``, ``ecr.dkr``."""
    return str(endpoint["serviceName"]).split(".", 3)[3]


def own_names(endpoint: Resource) -> list[str]:
    """The endpoint-specific names that AWS assigns."""
    return [str(one["dnsName"]) for one in items(endpoint.get("dnsEntries"))]


def is_of_aws(endpoint: Resource) -> bool:
    """Whether it leads to an AWS service, and not to one of another VPC."""
    return not str(endpoint["serviceName"]).startswith("com.amazonaws.vpce.")


def names_of(endpoint: Resource) -> list[str]:
    """The names that resolve to an endpoint; ``*.`` stands for all names below one. A gateway endpoint adds none: S3's
    regular names resolve to it."""
    if not is_of_aws(endpoint):
        return own_names(endpoint)
    region, service = region_of(endpoint), service_of(endpoint)
    if endpoint["vpcEndpointType"] == "Gateway":
        return [f"{service}.{region}.amazonaws.com", f"*.{service}.{region}.amazonaws.com"]
    private = list(private_names(service, region)) if endpoint.get("privateDnsEnabled") else []
    return [*private, *own_names(endpoint)]


@dataclass
class Endpoints:
    """Run every endpoint to an AWS service until the block ends. Nothing listens behind an endpoint to another VPC's."""

    wiring: Wiring
    nodes: Mapping[str, Sequence[Node]]
    """Endpoint id → its interfaces, one in each subnet; for a gateway endpoint, the service's own address."""
    authority: Authority
    """The authority that replaces the public ones, which every client trusts."""
    access: Access
    issuer: Issuer
    metrics: Metrics
    refusals: Refusals = field(default_factory=Refusals)
    replaced: dict[str, str] = field(default_factory=dict[str, str])
    """Value in the graph → the twin's replacement, as in ``Secrets``."""
    clock: Callable[[], datetime] = now
    secrets: Secrets = field(init=False)
    buckets: Buckets = field(init=False)
    logs: Logs = field(init=False, default_factory=Logs)
    bedrock: dict[str, Bedrock] = field(init=False, default_factory=dict[str, Bedrock])
    """Region → ``bedrock-runtime`` in that region."""
    mantle: dict[str, mantle.Mantle] = field(init=False, default_factory=dict[str, mantle.Mantle])
    """Region → ``bedrock-mantle`` in that region."""
    _logins: Logins = field(init=False, default_factory=Logins)
    _stack: contextlib.ExitStack = field(init=False, default_factory=contextlib.ExitStack)

    def __post_init__(self) -> None:
        self.secrets = Secrets(self.access, self.replaced)
        self.buckets = Buckets(self.access)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as made:
            made.callback(self.buckets.close)
            folder = Path(made.enter_context(tempfile.TemporaryDirectory()))
            made.enter_context(Servers(list(self._listeners(folder)), self.refusals))
            self._stack = made.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _listeners(self, folder: Path) -> Iterator[Listener]:
        for endpoint in filter(is_of_aws, self.access.stack.all(ENDPOINT)):
            names = names_of(endpoint)
            certificate = self.authority.issue(*names)
            context = certificate.server_context(folder / endpoint.id)
            handler = self._handler(endpoint)
            for node in self.nodes[endpoint.id]:
                listening = self.wiring.listen(node.host, node.address, PORT)
                yield Listener(service_of(endpoint), listening, handler, context)

    def _handler(self, endpoint: Resource) -> Handler:
        service = service_of(endpoint)
        policy = self.access.endpoint(endpoint)

        def arrive(exchange: Exchange) -> Arrival:
            # On loopback every client has the same address; then the session identifies its owner.
            return Arrival(endpoint, policy, exchange.source if self.wiring.isolated else "")

        if service in {"bedrock-runtime", mantle.SERVICE}:
            bedrock = self._bedrock(endpoint)

            async def converse(exchange: Exchange) -> bool:
                return await bedrock.serve(exchange, arrive(exchange))

            return converse
        if service == "s3":
            s3 = S3(self._gate(endpoint, "s3"), self.buckets)

            async def store(exchange: Exchange) -> None:
                await _stored(s3, exchange, arrive(exchange))

            return store
        if service == "ecr.dkr":
            registry = Registry(self._gate(endpoint, "ecr"), self._logins)

            async def pull(exchange: Exchange) -> None:
                await _pulled(registry, exchange, arrive(exchange))

            return pull
        answers: dict[str, Callable[[Received, Arrival], dict[str, Any]]] = {
            "secretsmanager": SecretsManager(self._gate(endpoint, "secretsmanager"), self.secrets).answer,
            "logs": CloudWatchLogs(self._gate(endpoint, "logs"), self.logs, self.metrics).answer,
            "ecr.api": Registry(self._gate(endpoint, "ecr"), self._logins).answer,
        }
        answer = answers.get(service, self._not_emulated(service))

        async def call(exchange: Exchange) -> None:
            await _called(answer, exchange, arrive(exchange))

        return call

    def _bedrock(self, endpoint: Resource) -> Bedrock:
        region = region_of(endpoint)
        if service_of(endpoint) == mantle.SERVICE:
            gate = self._gate(endpoint, mantle.SERVICE, mantle.OTHER_SIGNING_NAMES)
            made = self.mantle[region] = mantle.Mantle(gate, self.metrics)
            return made
        self.bedrock[region] = Bedrock(self._gate(endpoint, "bedrock"), self.metrics)
        return self.bedrock[region]

    def _gate(self, endpoint: Resource, service: str, also: tuple[str, ...] = ()) -> Gate:
        patterns = names_of(endpoint)

        def ours(host: str) -> bool:
            name = host.removesuffix(f":{PORT}")
            return any(fnmatchcase(name, pattern) for pattern in patterns)

        part, region = service_of(endpoint), region_of(endpoint)
        return Gate(part, self.access, self.issuer, self.refusals, service, region, ours, self.clock, also)

    def _not_emulated(self, service: str) -> Callable[[Received, Arrival], dict[str, Any]]:
        def refuse(request: Received, arrival: Arrival) -> dict[str, Any]:
            cause = f"{request.method} {request.target} at {arrival.endpoint.name}: the twin does not support {service}"
            self.refusals.add(service, cause)
            raise ServiceError(501, "NotImplemented", cause)

        return refuse


async def _called(answer: Callable[[Received, Arrival], dict[str, Any]], exchange: Exchange, arrival: Arrival) -> None:
    kind = ("content-type", "application/x-amz-json-1.1")
    try:
        content = await asyncio.to_thread(answer, exchange.request, arrival)
    except ServiceError as error:
        content = {"__type": error.code, "message": error.cause, "Message": error.cause}
        exchange.answer_json(error.status, content, kind)
    else:
        exchange.answer_json(200, content, kind)


async def _pulled(registry: Registry, exchange: Exchange, arrival: Arrival) -> None:
    try:
        await asyncio.to_thread(registry.docker, exchange, arrival)
    except ServiceError as error:
        exchange.answer_json(error.status, {"errors": [{"code": error.code, "message": error.cause}]})


async def _stored(s3: S3, exchange: Exchange, arrival: Arrival) -> None:
    try:
        status, headers, body = await asyncio.to_thread(s3.answer, exchange.request, arrival)
    except ServiceError as error:
        exchange.answer(error.status, error_body(error), ("content-type", "application/xml"))
    else:
        exchange.answer(status, body, *headers)
