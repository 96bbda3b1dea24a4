"""A committed stack whose gateway serves embeddings: the application embeds with the declared model, the proxy forwards only the
declared operation, and only the embedding model is exempt from the guardrail."""

from __future__ import annotations

import json
from typing import Any

import pytest

import assembly
from assembly.task import application
from components.proxy.outbound import model_routes
from local.stack import Stack, recorded
from policies.guardrails.rules.bedrock import calls_require_the_guardrail
from policies.guardrails.topology.graph.resources import Graph
from preflight.conform import reach
from settings import StackSettings
from tests.settings.stack_files import changed, own_values, parse, stack_file

STACK = "staging"
EMBED = "amazon.titan-embed-text-v2:0"
GROUP = {
    "name": "documents",
    "models": [EMBED],
    "serves": ["embeddings"],
    "upstreams": [{"kind": "gateway", "region": "eu-west-1"}],
}
MODELS = "ai-interface:models"


def settings(*groups: dict[str, Any]) -> StackSettings:
    own = own_values(STACK)["models"]["groups"]
    return parse(changed(own_values(STACK), {"application": "open-webui", "models.groups": [*own, *groups]}))


@pytest.fixture(scope="module")
def stack() -> Stack:
    """Staging, whose second model the stack file wrongly declares to be an embedding model: its release lists no real one."""
    given = stack_file(STACK)[MODELS]
    (group,) = given["groups"]
    chat, other = group["models"]
    known = {"id": other, "kind": "gateway", "serves": "embeddings", "source": "a mistake of the stack file"}
    groups = [{**group, "models": [chat], "upstreams": GROUP["upstreams"]}, {**GROUP, "models": [other]}]
    return recorded(STACK, settings={MODELS: {**given, "groups": groups, "known": [known]}})


def test_a_chat_model_that_is_declared_to_embed_is_reported(stack: Stack) -> None:
    graph = Graph.from_recorded(stack.recording.resources)
    found = list(calls_require_the_guardrail.evaluate(graph, {}))
    assert {(one.urn.rpartition("::")[2], one.property) for one in found} == {
        ("endpoints-bedrock-runtime-eu-west-1", "policy[GatewayEmbedWithListedModelseuwest1].Condition"),
        ("models-gateway-policy", "policy[EmbedWithListedModelseuwest1].Condition"),
    }


def test_every_call_has_a_name_a_path_and_a_permission(stack: Stack) -> None:
    assert reach.findings(stack.recording) == []


def test_the_gateway_calls_each_model_for_its_use_and_embeds_without_the_guardrail(stack: Stack) -> None:
    task = next(one for one in stack.all("aws:ecs/taskDefinition:TaskDefinition") if "gateway" in one.name)
    text = task["containerDefinitions"]
    assert ("/v1/embeddings" in text, "/v1/chat/completions" in text) == (True, True)
    litellm = next(one for one in json.loads(text) if one["name"] == "gateway")
    files = json.loads(next(one["value"] for one in litellm["environment"] if one["name"] == "GATEWAY_FILES"))
    chat, embedding = json.loads(next(one for path, one in files.items() if path.endswith("config.yaml")))["model_list"]
    assert embedding["model_info"] == {"mode": "embedding"}
    assert ["guardrailConfig" in one["litellm_params"] for one in (chat, embedding)] == [True, False]


def environment(declared: StackSettings) -> dict[str, str]:
    return application(declared).environment


def test_open_webui_embeds_with_the_first_model_of_the_first_such_group() -> None:
    found = environment(settings(GROUP, {**GROUP, "name": "more", "models": ["cohere.embed-english-v3"]}))
    assert {key: value for key, value in found.items() if key.startswith("RAG_") and "FILE" not in key} == {
        "RAG_EMBEDDING_ENGINE": "openai",
        "RAG_EMBEDDING_MODEL": EMBED,
        "RAG_OPENAI_API_BASE_URL": "http://127.0.0.1:9080/documents/v1",
    }
    assert found["OPENAI_API_BASE_URLS"] == "http://127.0.0.1:9080/general/v1"


def test_without_such_a_group_the_application_keeps_its_own_model() -> None:
    assert not [key for key in environment(settings()) if "EMBEDDING" in key]


def test_the_proxy_forwards_what_each_group_serves_and_nothing_else() -> None:
    private = {
        "name": "own",
        "models": ["both"],
        "serves": ["embeddings", "chat"],
        "upstreams": [{"kind": "private", "hostName": "llm.example.com", "securityGroupId": "sg-0123456789abcdef0"}],
    }
    declared = settings(GROUP, private)
    proxy = assembly.proxy(declared, assembly.preset(declared), "arn", {"eu-west-1": ("guardrail", "1")}, "authority")
    paths = [route["match"].get("path") for route in model_routes(proxy) if "route" in route]
    assert paths == [
        "/general/v1/chat/completions",
        "/documents/v1/embeddings",
        "/own/v1/chat/completions",
        "/own/v1/embeddings",
    ]
