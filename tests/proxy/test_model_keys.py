"""API keys of model servers: each server gets its own and no other, on every attempt, and no log has one."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from components.proxy import ProxyModelGroup, ProxyUpstream
from local import envoy
from local.certificate import Certificate, self_signed
from local.ports import held_ports
from local.server import Server
from tests.proxy.gateway import SETTINGS, Gateway, gateway
from tests.proxy.model_path import BODY, SECRET, credentials
from tests.proxy.models import Model, model
from tests.proxy.sigv4 import verified

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.server import Received

BEDROCK, ALPHA, BETA, OPEN = (
    "bedrock-runtime.eu-west-1.amazonaws.com",
    "alpha.example.internal",
    "beta.example.internal",
    "open.example.internal",
)
ALPHA_KEY, BETA_KEY = "sk-alpha-%REQ(:path)%-0123456789", "sk-beta-9876543210"
VARIABLES = {"MODEL_KEY_ALPHA": ALPHA_KEY, "MODEL_KEY_BETA": BETA_KEY}


@dataclass(frozen=True)
class Keyed:
    """The proxy and the model servers behind it."""

    proxy: Gateway
    bedrock: Model
    alpha: Model
    beta: Model
    open: Model

    @property
    def servers(self) -> tuple[Model, ...]:
        return (self.bedrock, self.alpha, self.beta, self.open)

    def chat(self, group: str) -> tuple[int, bytes]:
        """Ask as an application that sends its own key."""
        answer = self.proxy.model(
            "POST", f"/{group}/v1/chat/completions", [("authorization", "Bearer application"), ("cookie", "a=b")], BODY
        )
        return answer.status, answer.body


def keyed(name: str, host: str, server: Model, authority: Certificate, variable: str = "") -> ProxyUpstream:
    return ProxyUpstream(
        name=name,
        host_name=host,
        address="127.0.0.1",
        port=server.server.port,
        ca_certificate=authority.certificate,
        api_key_variable=variable,
    )


@pytest.fixture(scope="module")
def running(server: Server, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """Two servers with keys, Bedrock and a server without one, in groups in which each stands in for another."""
    folder = tmp_path_factory.mktemp("keys")
    authority = self_signed(BEDROCK, ALPHA, BETA, OPEN)
    with (
        model("bedrock", authority) as bedrock,
        model("alpha", authority) as alpha,
        model("beta", authority) as beta,
        model("open", authority) as open_,
        Server(credentials) as container,
    ):

        def to_alpha(name: str) -> ProxyUpstream:
            return keyed(f"{name}-alpha", ALPHA, alpha, authority, "MODEL_KEY_ALPHA")

        def to_beta(name: str) -> ProxyUpstream:
            return keyed(f"{name}-beta", BETA, beta, authority, "MODEL_KEY_BETA")

        signed = replace(keyed("signed", BEDROCK, bedrock, authority), signing_region="eu-west-1")
        groups = {
            "both": (to_alpha("both"), to_beta("both")),
            "other": (to_beta("other"), to_alpha("other")),
            "ending-open": (to_alpha("ending-open"), keyed("open", OPEN, open_, authority)),
            "ending-bedrock": (to_alpha("ending-bedrock"), signed),
        }
        settings = replace(
            SETTINGS,
            limits=replace(SETTINGS.limits, model_idle_seconds=2, model_deadline_seconds=6, ejection_seconds=1),
            model_groups=tuple(
                ProxyModelGroup(name=name, models=("x",), upstreams=upstreams) for name, upstreams in groups.items()
            ),
        )
        env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{container.port}/credentials", **VARIABLES}
        with gateway(settings, server.port, certificate, folder, env) as proxy:
            yield Keyed(proxy, bedrock, alpha, beta, open_)


@pytest.fixture
def servers(running: Keyed) -> Iterator[Keyed]:
    """The same servers, healthy and with nothing received; nothing ejected after the test."""
    for one in running.servers:
        one.behaviour = 200
        one.received.clear()
    yield running
    for one in running.servers:
        one.behaviour = 200
    deadline = time.monotonic() + 30
    while (running.chat("both"), running.chat("other")) != ((200, b"alpha"), (200, b"beta")):
        assert time.monotonic() < deadline, "a server is still ejected"
        time.sleep(0.2)


def presented(requests: list[Received]) -> list[list[str]]:
    """Every Authorization header of each request."""
    return [[value for name, value in one.headers if name.lower() == "authorization"] for one in requests]


def test_each_server_gets_its_own_key_in_place_of_the_applications(servers: Keyed) -> None:
    assert (servers.chat("both"), servers.chat("other")) == ((200, b"alpha"), (200, b"beta"))
    assert presented(servers.alpha.received) == [[f"Bearer {ALPHA_KEY}"]]
    assert presented(servers.beta.received) == [[f"Bearer {BETA_KEY}"]]
    assert not [name for name, _ in servers.alpha.received[0].headers if name == "cookie"]


@pytest.mark.parametrize("behaviour", [429, 503, "reset-before", "silent"])
def test_the_server_that_takes_over_gets_its_own_key_and_not_the_first_ones(
    servers: Keyed, behaviour: int | str
) -> None:
    servers.alpha.behaviour = behaviour
    assert servers.chat("both") == (200, b"beta")
    assert presented(servers.beta.received) == [[f"Bearer {BETA_KEY}"]]
    assert {key for keys in presented(servers.alpha.received) for key in keys} == {f"Bearer {ALPHA_KEY}"}


def test_the_first_server_gets_its_own_key_again_when_the_second_fails_too(servers: Keyed) -> None:
    servers.alpha.behaviour = servers.beta.behaviour = 503
    assert servers.chat("both")[0] == 503
    assert len(servers.alpha.received) + len(servers.beta.received) == 3
    assert {key for keys in presented(servers.alpha.received) for key in keys} == {f"Bearer {ALPHA_KEY}"}
    assert {key for keys in presented(servers.beta.received) for key in keys} == {f"Bearer {BETA_KEY}"}


def test_a_server_without_a_key_that_takes_over_gets_none(servers: Keyed) -> None:
    servers.alpha.behaviour = 503
    assert servers.chat("ending-open") == (200, b"open")
    assert presented(servers.open.received) == [[]]


def test_bedrock_that_takes_over_gets_a_signature_and_no_key(servers: Keyed) -> None:
    servers.alpha.behaviour = 503
    assert servers.chat("ending-bedrock") == (200, b"bedrock")
    (request,) = servers.bedrock.received
    verified(request, SECRET)
    assert ALPHA_KEY not in str(request.headers)


def test_a_key_that_a_server_refuses_is_the_answer(servers: Keyed) -> None:
    servers.alpha.behaviour = 401
    assert servers.chat("both") == (401, b"alpha")
    assert servers.beta.received == []


def test_no_key_is_in_the_log_the_command_or_a_list_of_models(servers: Keyed) -> None:
    servers.alpha.behaviour = 503
    servers.chat("both")
    listed = servers.proxy.model("GET", "/both/v1/models")
    command = json.dumps([*envoy.envoy_arguments(servers.proxy.settings)])
    log = servers.proxy.log.read_text(encoding="utf-8")
    assert "MODEL_KEY_ALPHA" in command
    for key in (ALPHA_KEY, BETA_KEY):
        assert key not in command + log + str((listed.headers, listed.body))


@pytest.mark.parametrize(
    ("key", "status"), [("", 401), ("sk-alpha\n", 503), ("sk\r\nx-other: 1", 503)], ids=["empty", "line end", "header"]
)
def test_a_key_that_cannot_be_a_header_is_never_sent(
    server: Server, certificate: Certificate, tmp_path: Path, key: str, status: int
) -> None:
    authority = self_signed(ALPHA)
    with model("alpha", authority) as alpha:
        upstream = keyed("alpha", ALPHA, alpha, authority, "MODEL_KEY_ALPHA")
        settings = replace(SETTINGS, model_groups=(ProxyModelGroup(name="a", models=("x",), upstreams=(upstream,)),))
        with gateway(settings, server.port, certificate, tmp_path, {"MODEL_KEY_ALPHA": key}) as proxy:
            answer = proxy.model("POST", "/a/v1/chat/completions", [("authorization", "Bearer application")], BODY)
            assert answer.status == status
            assert alpha.received == []


def test_the_proxy_does_not_start_without_a_key(server: Server, certificate: Certificate, tmp_path: Path) -> None:
    authority = self_signed(ALPHA)
    with held_ports(0) as (port,):
        upstream = ProxyUpstream(
            name="alpha",
            host_name=ALPHA,
            port=port,
            ca_certificate=authority.certificate,
            api_key_variable="MODEL_KEY_ALPHA",
        )
    settings = replace(SETTINGS, model_groups=(ProxyModelGroup(name="a", models=("x",), upstreams=(upstream,)),))
    with pytest.raises(RuntimeError, match="exited immediately"), gateway(settings, server.port, certificate, tmp_path):
        pass
    (log,) = tmp_path.glob("envoy-*.log")
    assert "Environment variable doesn't exist: MODEL_KEY_ALPHA" in log.read_text(encoding="utf-8")


def test_a_key_next_to_a_signature_is_refused() -> None:
    with pytest.raises(ValueError, match="api_key_variable sets Authorization, and so does a signature"):
        ProxyUpstream(name="a", host_name=ALPHA, api_key_variable="MODEL_KEY_ALPHA", signing_region="eu-west-1")
