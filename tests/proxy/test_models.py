"""The application's way to models: what is declared, signed, verified and failed over, and nothing else."""

from __future__ import annotations

import concurrent.futures
import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from components.proxy import ProxyModelGroup, ProxyUpstream
from local import envoy
from local.certificate import Certificate, self_signed
from local.server import Received, Server, answer
from tests.proxy import client
from tests.proxy.gateway import PROMPT_BYTES, SETTINGS, Gateway, gateway
from tests.proxy.models import ENDLESS, RESET_BEFORE, RESET_IN_ANSWER, SILENT, SLOW, Model, model
from tests.proxy.sigv4 import verified

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

FIRST, SECOND, PRIVATE = (
    "bedrock-runtime.eu-west-1.amazonaws.com",
    "bedrock-runtime.eu-central-1.amazonaws.com",
    "llm.example.internal",
)
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
    authority, other = self_signed(FIRST, SECOND, PRIVATE), self_signed("other.example.internal")
    ca_file, _ = authority.write(folder)
    with (
        model("first", authority) as first,
        model("second", authority) as second,
        model("private", authority) as private,
        model("stranger", other) as stranger,
        Server(credentials) as container,
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

        groups = (
            ProxyModelGroup(
                name="general",
                models=("m1", "m2:0"),
                upstreams=(
                    bedrock("one", FIRST, "eu-west-1", first.server.port),
                    bedrock("two", SECOND, "eu-central-1", second.server.port),
                ),
            ),
            ProxyModelGroup(
                name="private",
                models=("llama",),
                upstreams=(
                    ProxyUpstream(
                        name="private",
                        host_name=PRIVATE,
                        address="127.0.0.1",
                        port=private.server.port,
                        ca_certificate=authority.certificate,
                    ),
                ),
            ),
            ProxyModelGroup(
                name="stranger",
                models=("x",),
                upstreams=(
                    ProxyUpstream(
                        name="stranger",
                        host_name=PRIVATE,
                        address="127.0.0.1",
                        port=stranger.server.port,
                        ca_certificate=authority.certificate,
                    ),
                    ProxyUpstream(
                        name="wrong-name",
                        host_name="elsewhere.example.internal",
                        address="127.0.0.1",
                        port=private.server.port,
                        ca_certificate=authority.certificate,
                    ),
                ),
            ),
        )
        (closed,) = envoy.free_ports(1)
        refused = ProxyModelGroup(
            name="refused",
            models=("x",),
            upstreams=(
                bedrock("refused", FIRST, "eu-west-1", closed),
                bedrock("three", SECOND, "eu-central-1", second.server.port),
            ),
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


def test_a_prompt_reaches_the_first_upstream_with_its_path_host_headers_and_signature(path: Path) -> None:
    assert path.chat().body == b"first"
    (request,) = path.first.received
    assert request.target == "/openai/v1/chat/completions"
    assert request.body == BODY
    assert request.value("x-amzn-bedrock-guardrailidentifier") == "gr-1"
    assert request.value("x-amz-security-token") == "session"
    signed = verified(request, SECRET)
    assert (signed["host"], signed["region"], signed["service"], signed["key"]) == (
        FIRST,
        "eu-west-1",
        "bedrock",
        "AKIDEXAMPLE",
    )
    assert path.second.received == []


def test_a_private_upstream_gets_its_own_path_and_no_credentials(path: Path) -> None:
    assert path.chat("/private/v1/chat/completions").body == b"private"
    (request,) = path.private.received
    assert (request.target, request.value("host")) == ("/v1/chat/completions", PRIVATE)
    for name in ("authorization", "cookie", "x-user-email", "x-amz-date"):
        assert request.value(name) is None


def test_a_server_whose_certificate_is_not_the_declared_ones_gets_no_prompt(path: Path) -> None:
    answer = path.chat("/stranger/v1/chat/completions")
    assert answer.status == 503
    assert json.loads(answer.body)["error"]["type"] == "upstream_unavailable"
    assert path.stranger.received == []
    assert path.private.received == []


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", CHAT),
        ("POST", "/general/v1/completions"),
        ("POST", "/general/v1/chat/completions/"),
        ("POST", "/general/v1/../../openai/v1/chat/completions"),
        ("POST", "/other/v1/chat/completions"),
        ("POST", "/general/v1/chat%2Fcompletions"),
        ("POST", "http://169.254.170.2/v2/credentials"),
        ("GET", "http://169.254.169.254/latest/meta-data/"),
        ("DELETE", "/general/v1/models"),
    ],
)
def test_what_is_not_declared_is_403_and_logged(path: Path, method: str, target: str) -> None:
    before = _refusals(path.proxy)
    answer = path.proxy.model(method, target, [("content-length", "0")])
    assert answer.status == 403
    assert json.loads(answer.body)["error"]["type"] == "undeclared"
    assert [*path.first.received, *path.second.received] == []
    deadline = time.monotonic() + 5
    while _refusals(path.proxy) == before:
        assert time.monotonic() < deadline, "nothing logged"
        time.sleep(0.05)


def _refusals(proxy: Gateway) -> int:
    return sum(
        (line["side"], line["route"], line["status"]) == ("models", "undeclared", 403) for line in proxy.logged()
    )


def test_the_model_list_is_the_declaration(path: Path) -> None:
    answer = path.proxy.model("GET", "/general/v1/models")
    assert answer.value("content-type") == "application/json"
    assert [one["id"] for one in json.loads(answer.body)["data"]] == ["m1", "m2:0"]


def test_a_prompt_of_the_limit_is_signed_and_one_byte_more_is_413(path: Path) -> None:
    body = b"x" * PROMPT_BYTES
    assert path.chat(body=body).status == 200
    verified(path.first.received[-1], SECRET)
    assert path.first.received[-1].body == body
    assert path.chat(body=body + b"x").status == 413


def test_a_large_prompt_survives_a_failover(path: Path) -> None:
    path.first.behaviour = 503
    body = b"y" * PROMPT_BYTES
    assert path.chat(body=body).body == b"second"
    assert path.second.received[0].body == body
    assert verified(path.second.received[0], SECRET)["region"] == "eu-central-1"


@pytest.mark.parametrize("failure", [429, 500, 502, 503, 504, RESET_BEFORE])
def test_a_failing_upstream_is_replaced_by_the_next_with_its_own_host_and_signature(
    path: Path, failure: int | str
) -> None:
    path.first.behaviour = failure
    assert path.chat().body == b"second"
    assert (len(path.first.received), len(path.second.received)) == (1, 1)
    signed = verified(path.second.received[0], SECRET)
    assert (signed["host"], signed["region"]) == (SECOND, "eu-central-1")


def test_an_upstream_that_refuses_connections_is_replaced_by_the_next(path: Path) -> None:
    assert path.chat("/refused/v1/chat/completions").body == b"second"
    assert verified(path.second.received[0], SECRET)["host"] == SECOND


def test_a_silent_upstream_is_replaced_after_the_idle_limit(path: Path) -> None:
    path.first.behaviour = SILENT
    started = time.monotonic()
    assert path.chat().body == b"second"
    assert 1.5 < time.monotonic() - started < 4


def test_a_slow_upstream_is_waited_for(path: Path) -> None:
    path.first.behaviour = SLOW
    assert path.chat().body == b"first"
    assert path.second.received == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_an_answer_that_would_be_the_same_elsewhere_is_passed_on(path: Path, status: int) -> None:
    path.first.behaviour = status
    answer = path.chat()
    assert (answer.status, answer.body, path.second.received) == (status, b"first", [])


def test_an_answer_that_breaks_off_shows_as_broken_at_once_and_is_not_repeated(path: Path) -> None:
    path.first.behaviour = RESET_IN_ANSWER
    with client.opened(path.proxy.settings.model_port, tls=False) as connection:
        connection.sendall(client.head("POST", CHAT, {"content-length": "2"}) + b"{}")
        started, received = time.monotonic(), b""
        while data := connection.recv(65_536):
            received += data
    assert time.monotonic() - started < 1.5
    assert b"data: 1" in received
    assert not received.endswith(b"0\r\n\r\n")
    assert (len(path.first.received), len(path.second.received)) == (1, 0)


def test_an_answer_longer_than_the_deadline_is_cut(path: Path) -> None:
    path.first.behaviour = ENDLESS
    with client.opened(path.proxy.settings.model_port, tls=False) as connection:
        connection.sendall(client.head("POST", CHAT, {"content-length": "2"}) + b"{}")
        started, received = time.monotonic(), b""
        while data := connection.recv(65_536):
            received += data
    assert DEADLINE_SECONDS - 0.5 < time.monotonic() - started < DEADLINE_SECONDS + 1.5
    assert received.count(b"data: 1") > DEADLINE_SECONDS
    assert not received.endswith(b"0\r\n\r\n")
    assert path.second.received == []


def test_an_upstream_that_keeps_failing_is_left_alone_and_comes_back(path: Path) -> None:
    path.first.behaviour = 500
    for _ in range(EJECTED_AFTER + 3):
        assert path.chat().body == b"second"
    assert len(path.first.received) == EJECTED_AFTER
    path.first.behaviour = 200
    deadline = time.monotonic() + 20
    while path.chat().body != b"first":
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_too_many_requests_ejects_no_one(path: Path) -> None:
    path.first.behaviour = 429
    for _ in range(EJECTED_AFTER + 3):
        assert path.chat().body == b"second"
    assert len(path.first.received) == EJECTED_AFTER + 3


def test_with_every_upstream_down_the_answer_is_a_clear_503_soon(path: Path) -> None:
    path.first.behaviour = path.second.behaviour = RESET_BEFORE
    seconds: list[float] = []
    for _ in range(10):
        started = time.monotonic()
        answer = path.chat()
        seconds.append(time.monotonic() - started)
        assert answer.status == 503
        assert json.loads(answer.body)["error"]["type"] == "upstream_unavailable"
    assert max(seconds) < 3
    assert (len(path.first.received), len(path.second.received)) == (EJECTED_AFTER, EJECTED_AFTER)


def test_failover_holds_under_load(path: Path) -> None:
    path.first.behaviour = 503

    def body(_: int) -> bytes:
        return path.chat().body

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        bodies = list(pool.map(body, range(300)))
    assert bodies == [b"second"] * 300


def test_machine_clients_reach_the_models_alone_and_need_a_token(path: Path) -> None:
    def status(method: str, target: str, *headers: tuple[str, str], body: bytes = b"") -> int:
        return path.proxy.send(method, target, headers, body, claims=None, host="api.example.com").status

    bearer = ("authorization", "Bearer machine")
    assert status("POST", CHAT, bearer, body=BODY) == 200
    assert status("POST", CHAT, body=BODY) == 401
    assert status("POST", CHAT, bearer, ("content-length", str(PROMPT_BYTES + 1))) == 413
    assert status("GET", "/general/v1/models", bearer) == 200
    assert status("GET", "/", bearer) == 403
    assert status("GET", "/health", bearer) == 403
    assert status("GET", "/logout", bearer) == 403
    assert verified(path.first.received[0], SECRET)["host"] == FIRST
