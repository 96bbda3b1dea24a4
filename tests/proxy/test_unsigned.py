"""Without credentials of the task role, no prompt leaves the task unsigned: the call fails over, or ends with a 503."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from components.proxy import ProxyModelGroup, ProxyUpstream
from local.certificate import self_signed
from local.ports import held_ports
from tests.proxy.gateway import SETTINGS, Gateway, gateway
from tests.proxy.model_path import EJECTED_AFTER
from tests.proxy.models import Model, model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.certificate import Certificate
    from local.server import Server
    from tests.proxy.client import Answer

BEDROCK, PRIVATE = "bedrock-runtime.eu-west-1.amazonaws.com", "llm.example.internal"


@dataclass(frozen=True)
class Unsigned:
    """A proxy that gets no credentials, with Bedrock alone and with a private server that takes over."""

    proxy: Gateway
    bedrock: Model
    private: Model

    def chat(self, group: str) -> Answer:
        """Ask for a completion as the application does, with a separate key."""
        headers = [("authorization", "Bearer application")]
        return self.proxy.model("POST", f"/{group}/v1/chat/completions", headers, b'{"model":"m"}')


@pytest.fixture(scope="module")
def running(server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unsigned]:
    folder = tmp_path_factory.mktemp("unsigned")
    authority = self_signed(BEDROCK, PRIVATE)
    ca_file, _ = authority.write(folder)
    with (
        model("bedrock", authority) as bedrock,
        model("private", authority) as private,
        held_ports(0) as (closed,),
    ):

        def signed(name: str) -> ProxyUpstream:
            return ProxyUpstream(
                name=name,
                host_name=BEDROCK,
                address="127.0.0.1",
                port=bedrock.server.port,
                path_prefix="/openai/v1",
                signing_region="eu-west-1",
            )

        own = ProxyUpstream(name="own", host_name=PRIVATE, address="127.0.0.1", port=private.server.port)
        settings = replace(
            SETTINGS,
            limits=replace(SETTINGS.limits, ejection_seconds=1),
            model_groups=(
                ProxyModelGroup(name="alone", models=("m",), upstreams=(signed("alone"),)),
                ProxyModelGroup(name="both", models=("m",), upstreams=(signed("first"), own)),
            ),
            ca_file=str(ca_file),
        )
        env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{closed}/credentials"}
        with gateway(settings, server.port, certificate, folder, env) as proxy:
            yield Unsigned(proxy, bedrock, private)


def test_an_unsigned_prompt_is_a_503_and_reaches_no_server(running: Unsigned) -> None:
    answer = running.chat("alone")

    assert answer.status == 503
    assert json.loads(answer.body)["error"]["type"] == "upstream_unavailable"
    assert running.bedrock.received == []


def test_another_server_of_the_group_takes_over(running: Unsigned) -> None:
    running.private.received.clear()
    answer = running.chat("both")

    assert (answer.status, answer.body) == (200, b"private")
    assert len(running.private.received) == 1
    assert running.bedrock.received == []


def test_unsigned_calls_count_against_the_upstream_until_it_is_ejected(running: Unsigned) -> None:
    for _ in range(EJECTED_AFTER):
        assert running.chat("alone").status == 503

    deadline = time.monotonic() + 10
    while not any(call["flags"] == "UH" for call in logged(running)) and time.monotonic() < deadline:
        time.sleep(0.1)
    calls = logged(running)
    assert (calls[0]["upstream"], calls[0]["flags"]) == ("envoy://upstream-alone/", "URX")
    assert (None, "UH") in {(call["upstream"], call["flags"]) for call in calls}


def logged(running: Unsigned) -> list[dict[str, Any]]:
    """The access log of the group with Bedrock alone; Envoy also prints that it has no credentials."""
    printed = running.proxy.log.read_text(encoding="utf-8").splitlines()
    return [line for text in printed if text.startswith("{") and (line := json.loads(text))["route"] == "alone"]
