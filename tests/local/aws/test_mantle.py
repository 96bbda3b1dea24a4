"""``bedrock-mantle`` behind its endpoint, called by the real Envoy with the recorded proxy configuration and by signed
requests."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Generator
from typing import cast

import pytest

from local.aws.chat import Behaviour, Behaviours
from local.aws.credentials import TaskCredentials
from local.aws.http import Exchange
from local.aws.mantle import SERVICE, Mantle
from local.stack import Stack
from tests.local.around import until
from tests.local.aws.calls import Sink, signed, task_of
from tests.local.aws.envoy import Edit, proxy
from tests.local.aws.test_bedrock import SECONDS, Asked, events
from tests.local.aws.world import TASK_ID, world
from tests.preflight.conform.graphs import MANTLE, MANTLE_MODEL, program

HOST = "bedrock-mantle.eu-west-1.api.aws"
POLICY, ENDPOINT = "aws:iam/rolePolicy:RolePolicy", "aws:ec2/vpcEndpoint:VpcEndpoint"
GEMMA = "google.gemma-4-31b"


def stack() -> Stack:
    return Stack.of(program(MANTLE))


@contextlib.contextmanager
def served(edit: Edit = str) -> Generator[Asked]:
    """Staging at bedrock-mantle, and the real Envoy in front of it."""
    with (
        world(stack()) as made,
        TaskCredentials(made.stack, made.wiring, made.task, TASK_ID, made.issuer, made.refusals) as credentials,
        proxy(made, credentials, edit) as (url, log),
    ):
        yield Asked(made, url, log)


@pytest.fixture(scope="module")
def asked() -> Generator[Asked]:
    """The same for several tests."""
    with served() as made:
        yield made


@pytest.fixture
def mantle(asked: Asked) -> Generator[Asked]:
    """The same, answering again after the test."""
    asked.world.metrics.data.clear()
    asked.world.refusals.entries.clear()
    yield asked
    for one in asked.world.endpoints.mantle.values():
        one.behaviours.of.clear()


def emitted(asked: Asked) -> dict[str, float]:
    """Name → sum of each metric of the model."""
    found: dict[str, float] = {}
    for one in asked.world.metrics.since(0):
        if (one.namespace, one.dimensions) == ("AWS/BedrockMantle", frozenset({("Model", MANTLE_MODEL)})):
            found[one.name] = found.get(one.name, 0) + one.value
    return found


def behave(asked: Asked, behaviour: Behaviour) -> None:
    asked.world.endpoints.mantle[asked.world.stack.region].behave(MANTLE_MODEL, behaviour)


def test_envoys_signature_is_taken_without_a_guardrail_and_counted(mantle: Asked) -> None:
    answer = mantle.ask("why is the sky blue")
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "You said: why is the sky blue"
    assert mantle.world.refusals.entries == []
    counted = {"Inferences": 1, "TotalInputTokens": 5, "TotalOutputTokens": 7}
    assert until(SECONDS, lambda: emitted(mantle) == counted), emitted(mantle)


def test_an_answer_streams(mantle: Asked) -> None:
    answer = mantle.ask("tell me", stream=True)
    assert answer.headers["content-type"] == "text/event-stream"
    words = [one["choices"][0]["delta"].get("content", "") for one in events(answer)]
    assert words == ["You", " said:", " tell", " me", ""]


def test_a_throttled_model_is_tried_again_and_counted_as_the_clients_error(mantle: Asked) -> None:
    behave(mantle, Behaviour(status=429, requests=1))
    assert mantle.ask("hello").status_code == 200
    assert until(SECONDS, lambda: emitted(mantle).get("InferenceClientErrors") == 1), emitted(mantle)
    behave(mantle, Behaviour(status=429))
    assert mantle.ask("hello").status_code == 429
    behave(mantle, Behaviour(status=503))
    assert mantle.ask("hello").status_code == 503


FAULTS = [
    ('"region": "eu-west-1"', '"region": "us-east-1"', "signed for the region us-east-1 instead of eu-west-1"),
    ('"service_name": "bedrock-mantle"', '"service_name": "mantle"', "signed for the service mantle instead of bedrock-mantle"),
    ('"prefix_rewrite": "/v1"', '"prefix_rewrite": "/openai/v1"', f"model `{MANTLE_MODEL}` isn't supported on this route"),
    ('"prefix_rewrite": "/v1"', '"prefix_rewrite": "/v2"', "no operation POST /v2/chat/completions"),
    (f'"host_rewrite_literal": "{HOST}"', '"host_rewrite_literal": "bedrock-runtime.eu-west-1.amazonaws.com"', "the request is for host"),
]  # fmt: skip
"""Text of the recorded configuration, the fault in its place, and the cause that names it."""


@pytest.mark.parametrize(("right", "wrong", "cause"), FAULTS, ids=[one[1] for one in FAULTS])
def test_a_fault_of_the_proxys_configuration_is_refused_and_named(right: str, wrong: str, cause: str) -> None:
    def edit(text: str) -> str:
        assert right in text
        return text.replace(right, wrong)

    with served(edit) as made:
        answer = made.ask("hello")
        causes = made.world.refusals.of(SERVICE)
    assert answer.status_code >= 400
    assert any(cause in one for one in causes), causes


def test_the_signing_name_of_bedrock_is_taken_too() -> None:
    def edit(text: str) -> str:
        return text.replace('"service_name": "bedrock-mantle"', '"service_name": "bedrock"')

    with served(edit) as made:
        assert made.ask("hello").status_code == 200


def refusal(of: Stack, model: str = MANTLE_MODEL, path: str = "/v1/chat/completions", project: str = "") -> str:
    """The cause of the refusal of one signed request; empty if it is answered."""
    task = task_of(of)
    gate, arrival = task.gate(SERVICE, SERVICE)
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]}).encode()
    headers = {"OpenAI_Project": project} if project else {}
    request = signed(
        task.session("taskRoleArn"), SERVICE, "POST", f"https://{HOST}{path}", region="eu-west-1", body=body, **headers
    )
    sink = Sink()
    made = Mantle(gate, task.metrics, Behaviours(Behaviour(seconds_a_word=0)))
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(made.serve(Exchange(request, "", cast("asyncio.StreamWriter", sink)), arrival))
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    if b"HTTP/1.1 200" in sink.written:
        return ""
    return str(json.loads(sink.written.partition(b"\r\n\r\n")[2])["error"]["message"])


def test_another_model_and_another_project_are_denied_by_the_endpoint_first() -> None:
    assert refusal(stack()) == ""
    assert "no statement of endpoint policy" in refusal(stack(), "openai.gpt-oss-20b")
    assert "project/proj_1: no statement of endpoint policy" in refusal(stack(), project="proj_1")


def changed(of: Stack, kind: str, name: str, right: str, wrong: str) -> Stack:
    """The stack with another text in one policy."""
    (found,) = [one for one in of.all(kind) if one.name == name]
    assert right in found["policy"]
    return of.changed(found, policy=str(found["policy"]).replace(right, wrong))


def test_role_and_endpoint_are_asked_both() -> None:
    model, other = f'"{MANTLE_MODEL}"', '"another"'
    role = refusal(changed(stack(), POLICY, "models-mantle-policy", model, other))
    endpoint = refusal(changed(stack(), ENDPOINT, "endpoints-bedrock-mantle-eu-west-1", model, other))
    assert "no statement of role workload-task" in role
    assert "no statement of endpoint policy of endpoints-bedrock-mantle-eu-west-1" in endpoint
    assert role.endswith(f"StringEquals bedrock-mantle:Model another, the request contains {MANTLE_MODEL})")


def test_a_model_has_one_path() -> None:
    of = stack()
    for kind, name in ((POLICY, "models-mantle-policy"), (ENDPOINT, "endpoints-bedrock-mantle-eu-west-1")):
        of = changed(of, kind, name, MANTLE_MODEL, GEMMA)
    assert "isn't supported on this route" in refusal(of, GEMMA)
    assert refusal(of, GEMMA, "/openai/v1/chat/completions") == ""
