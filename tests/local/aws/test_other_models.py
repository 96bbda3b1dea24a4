"""A private upstream behind Bedrock, and model invocation logging: prod's settings with both, recorded."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from local.authority import Authority
from local.aws.chat import Behaviour
from local.aws.credentials import TaskCredentials
from local.private_model import PrivateModel
from local.stack import Stack, recorded
from local.wiring import Node
from tests.local.around import until
from tests.local.aws.calls import task_of
from tests.local.aws.envoy import proxy
from tests.local.aws.world import TASK_ID, World, world
from tests.settings.stack_files import stack_file

HOST, PORT = "models.internal.example.com", 9443
KEY = "ai-interface:models"


@dataclass(frozen=True)
class Declared:
    """A stack with a private upstream, and the authority that its settings declare."""

    stack: Stack
    authority: Authority


def given_models() -> dict[str, Any]:
    """Prod's own declaration."""
    return stack_file("prod")[KEY]


@pytest.fixture(scope="module")
def declared() -> Declared:
    """Prod, whose first group fails over to a private server, and which records prompts."""
    authority = Authority.make("CN=models")
    given = given_models()
    group = given["groups"][0]
    group["upstreams"].append(
        {
            "kind": "private",
            "hostName": HOST,
            "port": PORT,
            "securityGroupId": "sg-0123456789abcdef0",
            "caCertificate": authority.certificate,
        }
    )
    records = {"days": 7, "readerArns": ["arn:aws:iam::444455556666:role/auditor"]}
    return Declared(recorded("prod", settings={KEY: {**given, "recordPrompts": records}}), authority)


@pytest.fixture
def made(declared: Declared) -> Generator[World]:
    """Its endpoints."""
    with world(declared.stack) as served:
        served.addresses[HOST] = "10.30.99.1"
        yield served


def asked(world: World, url: str) -> httpx.Response:
    variables = {one["name"]: one["value"] for one in world.container("interface")["environment"]}
    base = url + "/" + str(variables["OPENAI_API_BASE_URLS"]).split("/", 3)[3]
    model = httpx.get(f"{base}/models").json()["data"][0]["id"]
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    return httpx.post(f"{base}/chat/completions", json=body, timeout=20)


def private(made: World, authority: Authority, *names: str) -> PrivateModel:
    """The server at its declared place, with a certificate of this authority."""
    models = [model for group in given_models()["groups"] for model in group["models"]]
    node = Node("models", made.addresses[HOST])
    return PrivateModel(made.wiring, [node], PORT, HOST, authority.issue(*(names or (HOST,))), models, made.refusals)


@pytest.mark.parametrize("fault", ["", "authority", "name"])
def test_a_throttled_bedrock_fails_over_to_the_declared_server_and_to_no_other(
    declared: Declared, made: World, fault: str
) -> None:
    authority = Authority.make("CN=models") if fault == "authority" else declared.authority
    names = ("other.example.com",) if fault == "name" else ()
    bedrock = made.endpoints.bedrock[made.stack.region]
    bedrock.behaviours.default = Behaviour(status=429)
    with (
        private(made, authority, *names),
        TaskCredentials(made.stack, made.wiring, made.task, TASK_ID, made.issuer, made.refusals) as credentials,
        proxy(made, credentials) as (url, _),
    ):
        answer = asked(made, url)
    if not fault:
        assert (answer.status_code, answer.json()["choices"][0]["message"]["content"]) == (200, "You said: hello")
    else:
        assert answer.status_code == 429  # after the private server Bedrock is asked again
        assert until(10, lambda: made.refusals.of(HOST)), made.refusals.entries
        assert any(one.startswith("TLS with 127.0.0.1 failed") for one in made.refusals.of(HOST)), made.refusals.entries


def test_prompts_are_recorded_where_the_bucket_and_its_key_let_bedrock_write(declared: Declared, made: World) -> None:
    with (
        private(made, declared.authority),
        TaskCredentials(made.stack, made.wiring, made.task, TASK_ID, made.issuer, made.refusals) as credentials,
        proxy(made, credentials) as (url, _),
    ):
        assert asked(made, url).status_code == 200
    (record,) = made.endpoints.bedrock[made.stack.region].log.records
    assert (record["input"], record["output"]) == ([{"role": "user", "content": "hello"}], "You said: hello")
    assert made.refusals.entries == []


@pytest.mark.parametrize(
    ("type_", "action"),
    [("aws:s3/bucketPolicy:BucketPolicy", "s3:PutObject"), ("aws:kms/key:Key", "kms:GenerateDataKey")],
)
def test_a_bucket_or_key_that_does_not_let_bedrock_write_is_named(declared: Declared, type_: str, action: str) -> None:
    resource = next(
        one
        for one in declared.stack.all(type_)
        if "bedrock.amazonaws.com" in str(one.get("policy")) and "prompt" in one.name
    )
    text = str(resource["policy"]).replace("bedrock.amazonaws.com", "other.amazonaws.com")
    broken = task_of(declared.stack.changed(resource, policy=text))
    assert broken.ask(broken.models()[0]) is None
    (cause,) = broken.refusals.of("bedrock invocation logging")
    assert f"{action} on" in cause
    assert "allows it for bedrock.amazonaws.com" in cause
