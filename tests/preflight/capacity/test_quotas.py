"""The quotas of the models on the capacity sheet, for each way to call a model."""

from __future__ import annotations

import json

import pytest

from preflight.capacity.facts import read
from preflight.capacity.limits import Effect, Load, first, limits, stages
from preflight.capacity.quotas import quotas
from preflight.capacity.sheet import data, markdown, text
from settings.use import Use
from tests.preflight.conform.graphs import EXTERNAL, GATEWAY, MANTLE, MANTLE_MODEL, STACKS, program, with_input
from tests.settings.stack_files import own_values

POLICY = "aws:iam/rolePolicy:RolePolicy"


def declared_models(stack: str) -> set[str]:
    groups = own_values(stack)["models"]["groups"]
    return {model for group in groups for model in group["models"]}


@pytest.mark.parametrize("stack", STACKS)
def test_every_model_of_the_stack_file_has_a_quota_with_the_tokens_of_a_message(stack: str) -> None:
    found = quotas(program(stack))
    use = Use.model_validate(own_values(stack).get("use", {}))
    assert {one.model for one in found} == declared_models(stack)
    assert {one.tokens_per_message for one in found} == {use.input_tokens_per_message + use.output_tokens_per_message}
    assert all(one.name == f"On-demand InvokeModel tokens per minute for {one.model}" for one in found)


def test_the_gateway_s_models_have_the_same_quotas_and_providers_on_the_internet_none() -> None:
    assert quotas(program(GATEWAY)) == quotas(program("staging"))
    assert {one.model for one in quotas(program(EXTERNAL))} <= declared_models("staging")


def test_mantle_counts_prompts_and_answers_separately() -> None:
    use = Use()
    found = {one.name: one.tokens_per_message for one in quotas(program(MANTLE))}
    assert found == {
        f"Bedrock Mantle input tokens per minute for {MANTLE_MODEL}": use.input_tokens_per_message,
        f"Bedrock Mantle output tokens per minute for {MANTLE_MODEL}": use.output_tokens_per_message,
    }


def test_a_model_behind_a_profile_is_counted_for_the_profile_alone() -> None:
    profile, model = "eu.anthropic.claude-x-v1:0", "anthropic.claude-x-v1:0"
    call = {"Effect": "Allow", "Action": ["bedrock:InvokeModel"]}
    document = {
        "Statement": [
            {**call, "Resource": [f"arn:aws:bedrock:eu-west-1:111122223333:inference-profile/{profile}"]},
            {
                **call,
                "Resource": [f"arn:aws:bedrock:*::foundation-model/{model}"],
                "Condition": {
                    "ArnLike": {"bedrock:InferenceProfileArn": [f"arn:aws:bedrock:*:*:inference-profile/{profile}"]}
                },
            },
            {
                "Effect": "Deny",
                "Action": ["bedrock:InvokeModel"],
                "Resource": ["arn:aws:bedrock:*::foundation-model/denied"],
            },
        ]
    }
    recording = with_input(program("staging"), POLICY, ("policy",), json.dumps(document))
    assert {one.name for one in quotas(recording)} >= {f"Cross-Region InvokeModel tokens per minute for {profile}"}
    assert {one.model for one in quotas(recording)} & {model, "denied"} == set()


@pytest.mark.parametrize("stack", STACKS)
def test_the_need_is_that_of_the_streams_at_which_tasks_are_added(stack: str) -> None:
    facts = read(program(stack))
    found = {one["name"]: one for one in data(facts)["quotas"]}
    (step, *_) = stages(facts)
    limit = first(limits(facts), Load.CHATS, step, Effect.SCALES)
    assert limit is not None
    for one in facts.quotas:
        needed = found[one.name]["needed"][step.name]
        assert needed == limit.total(step.tasks[limit.service]) * one.tokens_per_message > 0
        assert f"{needed:,.0f}" in markdown(facts)
        assert f"{needed:,.0f}" in text(facts)
