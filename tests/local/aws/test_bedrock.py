"""Bedrock behind its endpoint, called by the real Envoy with the recorded proxy configuration and by signed requests."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.aws.chat import Behaviour
from local.aws.credentials import TaskCredentials
from tests.local.around import until
from tests.local.aws.calls import task_of
from tests.local.aws.envoy import proxy
from tests.local.aws.world import STACKS, TASK_ID, World, stack, world

SECONDS = 20.0


@dataclass
class Asked:
    """A world and its proxy."""

    world: World
    url: str
    log: Path

    @property
    def models(self) -> list[str]:
        """What the application finds."""
        group = next(one for one in self.settings if one.startswith("http"))
        listed = httpx.get(f"{self.url}/{group.rsplit('/', 2)[1]}/v1/models", timeout=SECONDS).json()
        return [one["id"] for one in listed["data"]]

    @property
    def settings(self) -> list[str]:
        """The application's base URLs of its models."""
        variables = {one["name"]: one["value"] for one in self.world.container("interface")["environment"]}
        return str(variables["OPENAI_API_BASE_URLS"]).split(";")

    @property
    def base(self) -> str:
        """The application's base URL, where loopback has it."""
        return self.url + "/" + self.settings[0].split("/", 3)[3]

    def ask(self, question: str, *, stream: bool = False, **more: object) -> httpx.Response:
        """One chat."""
        messages = [{"role": "user", "content": question}]
        asked = {"model": self.models[0], "messages": messages, "stream": stream, **more}
        return httpx.post(f"{self.base}/chat/completions", json=asked, timeout=SECONDS)

    def emitted(self, name: str) -> list[float]:
        """The values of one metric of Bedrock for the first model."""
        dimensions = frozenset({("ModelId", self.models[0])})
        data = self.world.metrics.since(0)
        return [d.value for d in data if (d.namespace, d.name, d.dimensions) == ("AWS/Bedrock", name, dimensions)]


@pytest.fixture(scope="module", params=STACKS)
def asked(request: pytest.FixtureRequest) -> Generator[Asked]:
    """The real Envoy in front of the Bedrock of each stack."""
    with (
        world(stack(request.param)) as made,
        TaskCredentials(made.stack, made.wiring, made.task, TASK_ID, made.issuer, made.refusals) as credentials,
        proxy(made, credentials) as (url, log),
    ):
        yield Asked(made, url, log)


@pytest.fixture
def bedrock(asked: Asked) -> Generator[Asked]:
    """The same, answering again after the test."""
    asked.world.metrics.data.clear()
    asked.world.refusals.entries.clear()
    yield asked
    for one in asked.world.endpoints.bedrock.values():
        one.behaviours.of.clear()


def behave(asked: Asked, behaviour: Behaviour) -> None:
    region = asked.world.stack.region
    asked.world.endpoints.bedrock[region].behave(asked.models[0], behaviour)


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(one) for one in lines[:-1]]


def test_envoys_signature_is_taken_and_the_question_comes_back(bedrock: Asked) -> None:
    answer = bedrock.ask("why is the sky blue")
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "You said: why is the sky blue"
    assert answer.json()["usage"] == {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    assert bedrock.world.refusals.entries == []
    assert until(SECONDS, lambda: (bedrock.emitted("Invocations"), bedrock.emitted("OutputTokenCount")) == ([1], [7]))


def test_a_stream_arrives_word_by_word_with_the_usage_last(bedrock: Asked) -> None:
    answer = bedrock.ask("tell me", stream=True, stream_options={"include_usage": True})
    assert answer.headers["content-type"] == "text/event-stream"
    *chunks, last = events(answer)
    words = [one["choices"][0]["delta"].get("content", "") for one in chunks]
    assert words == ["You", " said:", " tell", " me", ""]
    assert [one["choices"][0]["finish_reason"] for one in chunks][-2:] == [None, "stop"]
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 6)
    without = events(bedrock.ask("tell me", stream=True))
    assert "usage" not in without[-1]


def test_an_answer_is_cut_at_the_limit_and_quotes_what_was_found(bedrock: Asked) -> None:
    cut = bedrock.ask("one two three four", max_tokens=3).json()["choices"][0]
    assert (cut["message"]["content"], cut["finish_reason"]) == ("You said: one", "length")
    question = "<context><source id='1'>The mast is 31 m high.</source></context> How high is the mast?"
    told = bedrock.ask(question).json()["choices"][0]["message"]["content"]
    assert told == "The document says: The mast is 31 m high."
    # Instructions may name the mark without being one.
    instructed = f"Cite only when the <source> tag includes an id (e.g., <source id='1'>).\n{question}"
    assert bedrock.ask(instructed).json()["choices"][0]["message"]["content"] == told


def test_a_throttled_model_is_tried_again_and_counted(bedrock: Asked) -> None:
    behave(bedrock, Behaviour(status=429, requests=1))
    assert bedrock.ask("hello").status_code == 200
    assert until(SECONDS, lambda: bedrock.emitted("InvocationThrottles") == [1])
    behave(bedrock, Behaviour(status=429))
    refused = bedrock.ask("hello")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "ThrottlingException")
    assert bedrock.emitted("InvocationClientErrors") == []


def test_a_failing_model_and_one_that_breaks_off_reach_the_application(bedrock: Asked) -> None:
    behave(bedrock, Behaviour(status=500))
    assert bedrock.ask("hello").status_code == 500
    assert until(SECONDS, lambda: len(bedrock.emitted("InvocationServerErrors")) >= 1)
    behave(bedrock, Behaviour(breaks_after=2))
    with pytest.raises(httpx.RemoteProtocolError):
        bedrock.ask("one two three", stream=True)


def test_a_slow_first_word_is_waited_for(bedrock: Asked) -> None:
    behave(bedrock, Behaviour(first_word_seconds=1))
    start = time.monotonic()
    assert bedrock.ask("hello").status_code == 200
    assert time.monotonic() - start >= 1


def test_a_hanging_model_sends_nothing_more(bedrock: Asked) -> None:
    behave(bedrock, Behaviour(hangs_after=1))
    asked = {"model": bedrock.models[0], "stream": True, "messages": [{"role": "user", "content": "one two"}]}
    with httpx.stream("POST", f"{bedrock.base}/chat/completions", json=asked, timeout=1) as answer:
        parts = answer.iter_bytes()
        assert next(parts).count(b"data: ") == 1
        with pytest.raises(httpx.ReadTimeout):
            next(parts)


@pytest.mark.parametrize("name", STACKS)
def test_a_request_without_the_graphs_guardrail_is_refused(name: str) -> None:
    made = task_of(stack(name))
    model = made.models()[0]
    assert made.ask(model) is None
    draft = made.ask(model, version="DRAFT")
    assert draft is not None
    assert "RefuseDraftGuardrails" in draft
    assert "has no version 2: it has 1, DRAFT" in str(made.ask(model, version="2"))
    assert "no guardrail other in eu-west-1" in str(made.ask(model, guardrail="other"))


@pytest.mark.parametrize("name", STACKS)
def test_a_model_that_no_policy_names_is_refused_by_the_endpoint_first(name: str) -> None:
    cause = task_of(stack(name)).ask("openai.gpt-oss-999b-1:0")
    assert "foundation-model/openai.gpt-oss-999b-1:0: no statement of endpoint policy" in str(cause)


def test_a_wildcard_grant_is_no_declaration_of_a_model() -> None:
    prod = stack("prod")
    wide = json.dumps(
        {"Statement": [{"Sid": "All", "Effect": "Allow", "Action": "bedrock:*", "Resource": "*", "Principal": "*"}]}
    )
    endpoint = next(one for one in prod.all("aws:ec2/vpcEndpoint:VpcEndpoint") if "bedrock" in one["serviceName"])
    opened = prod.changed(endpoint, policy=wide)
    policy = next(one for one in opened.all("aws:iam/rolePolicy:RolePolicy") if one.name == "models-task-policy")
    document = policy.document("policy")
    document["Statement"][0]["Resource"].append("arn:aws:bedrock:eu-west-1::foundation-model/*")
    cause = task_of(opened.changed(policy, policy=json.dumps(document))).ask("openai.gpt-oss-999b-1:0")
    assert cause == "model openai.gpt-oss-999b-1:0: no policy of prod covers it in eu-west-1"


FAULTS: list[tuple[str, str, str, str]] = [
    ('"region": "{region}"', '"region": "us-east-1"', "signed for the region us-east-1 instead of {region}", "bedrock-runtime"),
    ('"service_name": "bedrock"', '"service_name": "bedrock-mantle"', "signed for the service bedrock-mantle", "bedrock-runtime"),
    ("x-amzn-bedrock-guardrailidentifier", "x-other", "the guardrail models-guardrail-{region} would not be", "bedrock-runtime"),
    ('"prefix_rewrite": "/openai/v1"', '"prefix_rewrite": "/v1"', "no operation POST /v1/chat/completions", "bedrock-runtime"),
    ('"host_rewrite_literal": "bedrock', '"host_rewrite_literal": "other', "host other-runtime.{region}.amazonaws.com, wh", "bedrock-runtime"),
]  # fmt: skip
"""Text of the recorded configuration, the fault in its place, and the cause that names it."""


@pytest.mark.parametrize(("right", "wrong", "cause", "part"), FAULTS, ids=[one[1] for one in FAULTS])
def test_a_fault_of_the_proxys_configuration_is_refused_and_named(
    prod: World, right: str, wrong: str, cause: str, part: str
) -> None:
    region = prod.stack.region
    right = right.replace("{region}", region)

    def edit(text: str) -> str:
        assert right in text
        return text.replace(right, wrong)

    with (
        TaskCredentials(prod.stack, prod.wiring, prod.task, TASK_ID, prod.issuer, prod.refusals) as credentials,
        proxy(prod, credentials, edit) as (url, log),
    ):
        answer = Asked(prod, url, log).ask("hello")
    assert answer.status_code >= 400
    assert any(cause.replace("{region}", region) in one for one in prod.refusals.of(part)), prod.refusals.entries
