"""Upstreams that the settings accept have names of their own at the proxy, which would not start otherwise."""

from __future__ import annotations

import pytest

import assembly
from components.proxy import ProxySettings
from local import envoy
from local.certificate import self_signed
from tests.settings.stack_files import Values, changed, own_values, parse

AUTHORITY = self_signed("models.example.internal")


def private(host: str, port: int = 443) -> Values:
    return {
        "kind": "private",
        "hostName": host,
        "port": port,
        "securityGroupId": "sg-0123456789abcdef0",
        "caCertificate": AUTHORITY.certificate,
    }


def bedrock(region: str) -> Values:
    return {"kind": "bedrock", "region": region}


def group(name: str, *upstreams: Values, model: str = "openai.gpt-oss-120b-1:0") -> Values:
    return {"name": name, "models": [model], "upstreams": list(upstreams)}


def proxy(*groups: Values) -> ProxySettings:
    settings = parse(changed(own_values(), {"models.groups": list(groups)}))
    regions = {u.region for g in settings.models.groups for u in g.upstreams if u.kind == "bedrock"}
    return assembly.proxy(settings, assembly.preset(settings), "arn", dict.fromkeys(regions, ("guardrail", "1")))


OTHER = "openai.gpt-oss-20b-1:0"
LOOK_ALIKES = {
    "one host, two ports": (
        [group("general", private("llm.example.internal"), private("llm.example.internal", 9443))],
        ["general:llm.example.internal:443", "general:llm.example.internal:9443"],
    ),
    "group and host that join to the same text": (
        [
            group("general", private("eu-llm.example.internal")),
            group("general-eu", private("llm.example.internal"), model=OTHER),
        ],
        ["general:eu-llm.example.internal:443", "general-eu:llm.example.internal:443"],
    ),
    "one server in two groups": (
        [
            group("general", private("llm.example.internal"), bedrock("eu-west-1")),
            group("coding", private("llm.example.internal"), bedrock("eu-west-1"), model=OTHER),
        ],
        [
            "general:llm.example.internal:443",
            "general:bedrock-eu-west-1",
            "coding:llm.example.internal:443",
            "coding:bedrock-eu-west-1",
        ],
    ),
    "two groups of Bedrock, one named like the other's server": (
        [
            group("general", bedrock("eu-west-1")),
            group("general-bedrock-eu-west-1", bedrock("eu-west-1"), model=OTHER),
        ],
        ["general:bedrock-eu-west-1", "general-bedrock-eu-west-1:bedrock-eu-west-1"],
    ),
}


@pytest.mark.parametrize(("groups", "names"), LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_upstreams_that_look_alike_have_names_of_their_own(groups: list[Values], names: list[str]) -> None:
    assert [upstream.name for g in proxy(*groups).model_groups for upstream in g.upstreams] == names


@pytest.mark.parametrize("groups", [groups for groups, _ in LOOK_ALIKES.values()], ids=LOOK_ALIKES)
def test_envoy_accepts_upstreams_that_look_alike(groups: list[Values]) -> None:
    result = envoy.validate(proxy(*groups), AUTHORITY)

    assert (result.returncode, result.stderr.strip()) == (0, "")
