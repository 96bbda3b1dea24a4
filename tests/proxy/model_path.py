"""The way to models that the tests share: two signed upstreams, a private one, and servers that are not the declared."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from components.proxy import ProxyModelGroup, ProxyUpstream
from local.certificate import Certificate, self_signed
from local.ports import held_ports
from local.server import Received, Server, answer
from tests.proxy import client
from tests.proxy.gateway import SETTINGS, Gateway, gateway
from tests.proxy.models import Model, model

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

FIRST, SECOND, PRIVATE = (
    "bedrock-runtime.eu-west-1.amazonaws.com",
    "bedrock-runtime.eu-central-1.amazonaws.com",
    "llm.example.internal",
)
MANTLE = "bedrock-mantle.eu-west-1.api.aws"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CHAT = "/general/v1/chat/completions"
BODY = b'{"model":"m1","messages":[]}'
EJECTED_AFTER = 5
DEADLINE_SECONDS = 4


@dataclass(frozen=True)
class Path:
    """The proxy and the model servers behind it."""

    proxy: Gateway
    first: Model
    second: Model
    private: Model
    stranger: Model

    def chat(self, target: str = CHAT, body: bytes = BODY) -> client.Answer:
        """Ask for a completion as the application does."""
        headers = [("authorization", "Bearer application"), ("cookie", "token=x"), ("x-user-email", "ann@example.com")]
        return self.proxy.model("POST", target, headers, body)


async def credentials(request: Received, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as the task's credential endpoint."""
    assert request.method == "GET"
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    body = {"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": SECRET, "Token": "session", "Expiration": until}
    writer.write(answer(200, json.dumps(body).encode(), ("content-type", "application/json")))


@pytest.fixture(scope="module")
def running(server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two signed upstreams that stand in for each other, a private one, and one with another's certificate."""
    folder = tmp_path_factory.mktemp("models")
    authority, other = self_signed(FIRST, SECOND, PRIVATE, MANTLE), self_signed("other.example.internal")
    ca_file, _ = authority.write(folder)
    with (
        model("first", authority) as first,
        model("second", authority) as second,
        model("private", authority) as private,
        model("stranger", other) as stranger,
        Server(credentials) as container,
        held_ports(0) as (closed,),
    ):
        guardrail = (("x-amzn-bedrock-guardrailidentifier", "gr-1"), ("x-amzn-bedrock-guardrailversion", "7"))

        def bedrock(name: str, host: str, region: str, port: int) -> ProxyUpstream:
            return ProxyUpstream(
                name=name,
                host_name=host,
                address="127.0.0.1",
                port=port,
                path_prefix="/openai/v1",
                signing_region=region,
                headers=guardrail,
            )

        def mantle(name: str) -> ProxyUpstream:
            return ProxyUpstream(
                name=name,
                host_name=MANTLE,
                address="127.0.0.1",
                port=second.server.port,
                signing_region="eu-west-1",
                signing_service="bedrock-mantle",
            )

        def own(name: str) -> ProxyUpstream:
            return ProxyUpstream(
                name=name,
                host_name=PRIVATE,
                address="127.0.0.1",
                port=private.server.port,
                ca_certificate=authority.certificate,
            )

        def group(name: str, *upstreams: ProxyUpstream) -> ProxyModelGroup:
            return ProxyModelGroup(name=name, models=("x",), upstreams=upstreams)

        region = "eu-central-1"
        mixed = (
            group("own-first", own("own-1"), bedrock("bedrock-2", SECOND, region, second.server.port)),
            group("own-second", bedrock("bedrock-1", SECOND, region, second.server.port), own("own-2")),
        )
        groups = (
            *mixed,
            group("mantle", bedrock("bedrock-3", FIRST, "eu-west-1", first.server.port), mantle("mantle-1")),
            ProxyModelGroup(
                name="general",
                models=("m1", "m2:0"),
                upstreams=(
                    bedrock("one", FIRST, "eu-west-1", first.server.port),
                    bedrock("two", SECOND, "eu-central-1", second.server.port),
                ),
            ),
            group("private", own("private")),
            group(
                "stranger",
                replace(own("stranger"), port=stranger.server.port),
                replace(own("wrong-name"), host_name="elsewhere.example.internal"),
            ),
        )
        refused = group(
            "refused",
            bedrock("refused", FIRST, "eu-west-1", closed),
            bedrock("three", SECOND, region, second.server.port),
        )
        limits = replace(
            SETTINGS.limits, model_idle_seconds=2, model_deadline_seconds=DEADLINE_SECONDS, ejection_seconds=1
        )
        settings = replace(
            SETTINGS,
            limits=limits,
            model_groups=(*groups, refused),
            ca_file=str(ca_file),
            machine_host_names=("api.example.com",),
        )
        env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{container.port}/credentials"}
        with gateway(settings, server.port, certificate, folder, env) as proxy:
            path = Path(proxy, first, second, private, stranger)
            _wait_for_credentials(path)
            yield path


def _wait_for_credentials(path: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if path.chat().status == 200 and path.first.received[-1].value("authorization"):
            return
        time.sleep(0.1)
    raise AssertionError("no signed request within 10 s")


@pytest.fixture
def path(running: Path) -> Iterator[Path]:
    """The same servers, healthy and with nothing received, before each test; nothing ejected after it."""
    models = (running.first, running.second, running.private, running.stranger)
    for one in models:
        one.behaviour = 200
        one.received.clear()
    yield running
    for one in models:
        one.behaviour = 200
    deadline = time.monotonic() + 30
    while running.chat().body != b"first" and time.monotonic() < deadline:
        time.sleep(0.2)
