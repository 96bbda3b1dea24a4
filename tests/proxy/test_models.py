"""The application's way to models: what is declared, signed and verified, and nothing else."""

from __future__ import annotations

import json
import time

import pytest

from tests.proxy import client
from tests.proxy.gateway import PROMPT_BYTES, Gateway
from tests.proxy.model_path import BODY, CHAT, FIRST, MANTLE, PRIVATE, SECOND, SECRET, Path
from tests.proxy.models import RESET_BEFORE
from tests.proxy.sigv4 import verified


def test_a_prompt_reaches_the_first_upstream_with_its_path_host_headers_and_signature(path: Path) -> None:
    assert path.chat().body == b"first"
    (request,) = path.first.received
    assert request.target == "/openai/v1/chat/completions"
    assert request.body == BODY
    assert request.value("x-amzn-bedrock-guardrailidentifier") == "gr-1"
    assert request.value("x-amz-security-token") == "session"
    signed = verified(request, SECRET)
    assert (signed["host"], signed["region"], signed["service"], signed["key"]) == (
        f"{FIRST}:{path.first.server.port}",
        "eu-west-1",
        "bedrock",
        "AKIDEXAMPLE",
    )
    assert path.second.received == []


def test_a_private_upstream_gets_its_own_path_and_no_credentials(path: Path) -> None:
    assert path.chat("/private/v1/chat/completions").body == b"private"
    (request,) = path.private.received
    assert (request.target, request.value("host")) == ("/v1/chat/completions", f"{PRIVATE}:{path.private.server.port}")
    for name in ("authorization", "cookie", "x-user-email", "x-amz-date"):
        assert request.value(name) is None


def test_a_private_upstream_takes_over_from_bedrock_without_its_signature(path: Path) -> None:
    path.second.behaviour = 503
    assert path.chat("/own-second/v1/chat/completions").body == b"private"
    verified(path.second.received[0], SECRET)
    (request,) = path.private.received
    assert (request.target, request.value("host")) == ("/v1/chat/completions", f"{PRIVATE}:{path.private.server.port}")
    names = {name for name, _ in request.headers}
    assert not names & {"authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}
    assert not {name for name in names if "guardrail" in name}


def test_bedrock_takes_over_from_a_private_upstream_with_a_signature_of_its_own(path: Path) -> None:
    path.private.behaviour = 503
    body = b"z" * PROMPT_BYTES
    assert path.chat("/own-first/v1/chat/completions", body).body == b"second"
    assert path.private.received[0].body == body
    (request,) = path.second.received
    assert (request.target, request.body) == ("/openai/v1/chat/completions", body)
    assert request.value("x-amzn-bedrock-guardrailidentifier") == "gr-1"
    assert verified(request, SECRET)["host"] == f"{SECOND}:{path.second.server.port}"


def test_bedrock_mantle_takes_over_with_its_own_path_and_signature_and_without_the_guardrail(path: Path) -> None:
    path.first.behaviour = 503
    assert path.chat("/mantle/v1/chat/completions").body == b"second"
    assert verified(path.first.received[0], SECRET)["service"] == "bedrock"
    (request,) = path.second.received
    assert (request.target, request.body) == ("/v1/chat/completions", BODY)
    signed = verified(request, SECRET)
    assert (signed["host"], signed["region"], signed["service"]) == (
        f"{MANTLE}:{path.second.server.port}",
        "eu-west-1",
        "bedrock-mantle",
    )
    assert not [name for name, _ in request.headers if "guardrail" in name or name == "cookie"]


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


def test_a_way_out_by_connect_is_403_and_logged(path: Path) -> None:
    before = _refusals(path.proxy)
    with client.opened(path.proxy.settings.model_port, tls=False) as connection:
        connection.sendall(b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 403 ")
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
    head = path.proxy.model("HEAD", "/general/v1/models")
    assert (head.status, head.body, head.value("content-length")) == (200, b"", answer.value("content-length"))


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


def test_a_machine_client_reads_every_refusal_as_an_openai_compatible_error(path: Path) -> None:
    def refused(*headers: tuple[str, str], target: str = CHAT, body: bytes = b"") -> tuple[int, str]:
        answer = path.proxy.send("POST", target, headers, body, claims=None, host="api.example.com")
        assert answer.value("content-type") == "application/json"
        return answer.status, json.loads(answer.body)["error"]["type"]

    bearer = ("authorization", "Bearer machine")
    assert refused(body=BODY) == (401, "machine_unauthorized")
    assert refused(bearer) == (411, "length_required")
    assert refused(bearer, ("content-length", str(PROMPT_BYTES + 1))) == (413, "prompt_too_large")
    assert refused(bearer, target="/elsewhere", body=BODY) == (403, "undeclared")
    path.first.behaviour = path.second.behaviour = RESET_BEFORE
    assert refused(bearer, body=BODY) == (503, "upstream_unavailable")
    answer = path.proxy.send("POST", CHAT, [], BODY, claims=None, host="api.example.com:443")
    assert (answer.status, answer.value("www-authenticate")) == (401, "Bearer")


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
    assert verified(path.first.received[0], SECRET)["host"] == f"{FIRST}:{path.first.server.port}"
