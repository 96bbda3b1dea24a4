"""Existing use counts against the quotas, for each call that reports it; and models by inference profile."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from preflight.account.lines import Line, Status
from preflight.analysis.edge_proxy import configuration
from preflight.ready.parts.models import CHAT_COMPLETIONS, GUARDRAIL_HEADERS
from preflight.ready.parts.needs import processors
from preflight.ready.parts.quotas import QUOTAS
from settings.upstreams import MantleUpstream
from tests.preflight.account.loopback import CHAT, Asked, Refusal, Result
from tests.preflight.conform.graphs import MANTLE, MANTLE_MODEL, program
from tests.preflight.ready.aws_responses import DEFAULT_QUOTAS, FARGATE
from tests.preflight.ready.faults import lines
from tests.preflight.ready.world import World

MODEL = "openai.gpt-oss-120b-1:0"
PROFILE = f"eu.{MODEL}"


def _profile(status: str, *regions: str) -> dict[str, Any]:
    arn = f"arn:aws:bedrock:eu-west-1:111122223333:inference-profile/{PROFILE}"
    name = {"inferenceProfileName": PROFILE, "inferenceProfileArn": arn, "inferenceProfileId": PROFILE}
    models = [{"modelArn": f"arn:aws:bedrock:{region}::foundation-model/{MODEL}"} for region in regions]
    return {**name, "status": status, "type": "SYSTEM_DEFINED", "models": models}


def _offer(world: World, model: str, *destinations: str) -> None:
    settings = world.wanted.settings
    (group,) = settings.models.groups
    (upstream,) = group.upstreams
    upstream = upstream.model_copy(update={"destination_regions": destinations})
    group = group.model_copy(update={"models": (model,), "upstreams": (upstream,)})
    models = settings.models.model_copy(update={"groups": (group,)})
    world.wanted = replace(world.wanted, settings=settings.model_copy(update={"models": models}))


def _quota(world: World, code: str) -> Line:
    name = next(quota.name for quota in QUOTAS if quota.code == code)
    return next(line for line in lines(world, "quotas") if line.subject == name)


def test_running_fargate_tasks_count_and_spot_tasks_do_not(staging: World) -> None:
    arn = "arn:aws:ecs:eu-west-1:111122223333:cluster/other"
    tasks = [{"cpu": "4096"}, {"cpu": "2048"}, {"cpu": "16384", "capacityProviderName": "FARGATE_SPOT"}]
    staging.cloud.answers["ecs", "ListClusters"] = {"clusterArns": [arn]}
    staging.cloud.answers["ecs", "ListTasks"] = {"taskArns": [f"{arn}/{number}" for number in range(3)]}
    staging.cloud.answers["ecs", "DescribeTasks"] = {"tasks": tasks}
    needed = processors(staging.wanted)
    for quota, status in ((needed + 6, Status.OK), (needed + 5, Status.MISSING)):
        staging.quotas[FARGATE] = quota
        line = _quota(staging, FARGATE)
        assert "in use 6," in line.found
        assert line.status is status


def test_a_quota_without_a_value_of_the_accounts_own_has_the_default(staging: World) -> None:
    own: Any = staging.cloud.answers["service-quotas", "GetServiceQuota"]
    staging.cloud.answers["service-quotas", "GetServiceQuota"] = Refusal("NoSuchResourceException")
    staging.cloud.answers["service-quotas", "GetAWSDefaultServiceQuota"] = own
    assert {line.status for line in lines(staging, "quotas")} == {Status.OK}


def test_each_quota_is_compared_with_what_the_stack_needs(staging: World) -> None:
    needs = {quota: quota.need(staging.wanted) for quota in QUOTAS}
    assert {quota.code for quota in QUOTAS} == {*DEFAULT_QUOTAS, FARGATE}
    staging.quotas = {quota.code: need - 1 for quota, need in needs.items()}
    found = {line.subject: line for line in lines(staging, "quotas")}
    for quota, need in needs.items():
        assert (quota.name in found) == bool(need)
        if need:
            assert found[quota.name].status is Status.MISSING
            assert f"--quota-code {quota.code}" in found[quota.name].fix


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (_profile("ACTIVE"), Status.OK),
        (Refusal("ResourceNotFoundException", "no", 404), Status.MISSING),
    ],
)
def test_a_model_by_inference_profile_is_asked_for_as_one(staging: World, answer: Result, status: Status) -> None:
    _offer(staging, PROFILE)
    staging.cloud.answers["bedrock", "GetInferenceProfile"] = answer
    found = [line for line in lines(staging, "models") if line.subject == f"{PROFILE} in eu-west-1"]
    assert [line.status for line in found] == [status]


@pytest.mark.parametrize(
    ("listed", "status", "found"),
    [
        (["eu-west-3", "eu-central-1"], Status.OK, "as listed: eu-central-1, eu-west-3"),
        (["eu-west-3"], Status.MISSING, "eu-central-1 is not listed"),
        (
            ["eu-central-1", "eu-west-3", "eu-north-1"],
            Status.MISSING,
            "eu-north-1 is listed, but no destination",
        ),
    ],
)
def test_the_destinations_of_a_profile_are_those_that_bedrock_reports(
    staging: World, listed: list[str], status: Status, found: str
) -> None:
    _offer(staging, PROFILE, *listed)
    staging.cloud.answers["bedrock", "GetInferenceProfile"] = _profile("ACTIVE", "eu-central-1", "eu-west-3")

    (line,) = [one for one in lines(staging, "models") if one.subject == f"destinations of {PROFILE} in eu-west-1"]

    assert (line.status, line.found) == (status, found)
    assert status is Status.OK or "destinationRegions of the upstream to [eu-central-1, eu-west-3]" in line.fix


def test_a_global_profile_has_no_destinations_to_compare(staging: World) -> None:
    _offer(staging, f"global.{MODEL}")
    staging.cloud.answers["bedrock", "GetInferenceProfile"] = _profile("ACTIVE", "eu-central-1")

    assert not [one for one in lines(staging, "models") if one.subject.startswith("destinations")]


@pytest.mark.parametrize(
    ("model", "quota"),
    [
        ("moonshotai.kimi-k2.5", "On-demand model inference tokens per minute for Moonshot AI Kimi K2.5"),
        ("eu.amazon.nova-lite-v1:0", "Cross-region model inference tokens per minute for Amazon Nova Lite"),
        ("global.zai.glm-5.3", "Global cross-region model inference tokens per minute for Z.AI GLM 5.3"),
    ],
)
def test_the_quota_is_the_one_for_how_the_model_is_called(staging: World, model: str, quota: str) -> None:
    _offer(staging, model)
    staging.cloud.answers["bedrock", "GetInferenceProfile"] = _profile("ACTIVE")
    ways = ("On-demand", "Cross-region", "Global cross-region")
    named = [f"{way} {quota[quota.index('model inference') :]}" for way in ways]
    for enough, status in ((True, Status.OK), (False, Status.MISSING)):
        quotas = [{"QuotaName": name, "Value": 1e9 if (name == quota) is enough else 1.0} for name in named]
        staging.cloud.answers["service-quotas", "ListServiceQuotas"] = {"Quotas": quotas}
        (line,) = [
            one for one in lines(staging, "models") if one.subject == f"tokens per minute of {model} in eu-west-1"
        ]
        assert line.status is status, line


def test_the_models_are_called_with_the_guardrail_that_an_earlier_up_has_made(staging: World) -> None:
    guardrail = {
        "id": "abcdefghij12",
        "arn": "arn:aws:bedrock:eu-west-1:111122223333:guardrail/abcdefghij12",
        "status": "READY",
        "name": staging.wanted.inputs("aws:bedrock/guardrail:Guardrail")[0]["name"],
        "version": "DRAFT",
        "createdAt": 1.0,
        "updatedAt": 1.0,
    }
    staging.cloud.answers["bedrock", "ListGuardrails"] = {"guardrails": [guardrail]}
    staging.cloud.asked.clear()
    calls = [line for line in lines(staging, "models") if line.subject.startswith("Chat Completions")]
    assert {(line.status, line.found) for line in calls} == {(Status.OK, "answers with the stack's guardrail")}
    sent = [call.parameters["headers"] for call in staging.cloud.asked if call.operation == CHAT]
    assert sent == [dict(zip(GUARDRAIL_HEADERS, ("abcdefghij12", "DRAFT"), strict=True))] * len(calls)


def _at_mantle(world: World, *names: str) -> None:
    """The variant of staging at bedrock-mantle, whose endpoint service has these private names in the account."""
    upstream = MantleUpstream.model_validate({"kind": "bedrockMantle", "region": "eu-west-1"})
    settings = world.wanted.settings
    (group,) = settings.models.groups
    group = group.model_copy(update={"models": (MANTLE_MODEL,), "upstreams": (upstream,)})
    models = settings.models.model_copy(update={"groups": (group,)})
    wanted = settings.model_copy(update={"models": models})
    world.wanted = replace(world.wanted, settings=wanted, graph=program(MANTLE))
    earlier: Any = world.cloud.answers["ec2", "DescribeVpcEndpointServices"]

    def answer(asked: Asked) -> Result:
        found = earlier(asked)
        if asked.parameters["ServiceName.1"].endswith("bedrock-mantle"):
            found["ServiceDetails"][0]["PrivateDnsNames"] = [{"PrivateDnsName": name} for name in names]
        return found

    world.cloud.answers["ec2", "DescribeVpcEndpointServices"] = answer


def test_a_model_at_bedrock_mantle_is_not_asked_for_and_said_to_be_unchecked(staging: World) -> None:
    _at_mantle(staging)
    staging.cloud.asked.clear()
    found = [(line.subject, line.status) for line in lines(staging, "models")]
    assert found == [(f"Chat Completions of {MANTLE_MODEL} at bedrock-mantle in eu-west-1", Status.CANNOT_TELL)]
    assert [call for call in staging.cloud.asked if call.service.startswith("bedrock")] == []


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["bedrock-mantle.eu-west-1.amazonaws.com", "bedrock-mantle.eu-west-1.api.aws"], Status.OK),
        (["bedrock-mantle.eu-west-1.amazonaws.com"], Status.MISSING),
        ([], Status.MISSING),
    ],
)
def test_the_private_name_of_bedrock_mantle_is_the_one_that_the_proxy_calls(
    staging: World, names: list[str], status: Status
) -> None:
    _at_mantle(staging, *names)
    found = {line.subject: line.status for line in lines(staging, "network and engines")}
    service = "com.amazonaws.eu-west-1.bedrock-mantle"
    assert (found[service], found[f"private name of {service}"]) == (Status.OK, status)
    assert "private name of com.amazonaws.eu-west-1.logs" not in found


def test_headers_and_path_are_those_of_the_tasks_proxy(staging: World) -> None:
    written = json.dumps(configuration(staging.wanted.graph))
    assert all(header in written for header in GUARDRAIL_HEADERS)
    assert CHAT_COMPLETIONS.removesuffix("/chat/completions") in written
