"""Models by cross-region inference profile: the documents of role and endpoint let each call through that Bedrock may
route, and no other way to the models behind the profiles."""

from __future__ import annotations

from functools import cache

import pytest

from local.stack import Stack
from tests.assembly.profiles import offering
from tests.local.aws.calls import task_of
from tests.local.aws.world import stack
from tests.settings.stack_files import own_values, parse

FIRST, SECOND = "openai.gpt-oss-120b-1:0", "openai.gpt-oss-20b-1:0"
GEOGRAPHIC, GLOBAL = f"eu.{FIRST}", f"global.{SECOND}"


@cache
def with_profiles() -> Stack:
    models = {FIRST: GEOGRAPHIC, SECOND: GLOBAL}
    recording = offering(stack("staging").recording, parse(own_values()), models, "eu-central-1", "eu-west-3")
    return Stack.of(recording)


@pytest.mark.parametrize("model", [GEOGRAPHIC, GLOBAL])
@pytest.mark.parametrize("stream", [False, True])
def test_a_declared_profile_answers(model: str, stream: bool) -> None:
    assert task_of(with_profiles()).models() == [GEOGRAPHIC, GLOBAL]
    assert task_of(with_profiles()).ask(model, stream=stream) is None


@pytest.mark.parametrize("model", [FIRST, SECOND])
def test_a_model_behind_a_profile_does_not_answer_by_its_own_id(model: str) -> None:
    assert f"foundation-model/{model}" in str(task_of(with_profiles()).ask(model))


@pytest.mark.parametrize("model", [f"eu.{SECOND}", f"global.{FIRST}"])
def test_another_profile_of_the_same_model_does_not_answer(model: str) -> None:
    assert f"inference-profile/{model}" in str(task_of(with_profiles()).ask(model))


@pytest.mark.parametrize("type_", ["aws:iam/rolePolicy:RolePolicy", "aws:ec2/vpcEndpoint:VpcEndpoint"])
@pytest.mark.parametrize(
    ("model", "missing"),
    [(GEOGRAPHIC, f"inference-profile/{GEOGRAPHIC}"), (GLOBAL, f"bedrock:::foundation-model/{SECOND}")],
)
def test_role_and_endpoint_both_decide(type_: str, model: str, missing: str) -> None:
    whole = with_profiles()
    role = whole.by_arn(str(task_of(whole).task["taskRoleArn"])).id
    (resource,) = [
        one for one in whole.all(type_) if missing in str(one.get("policy")) and one.get("role") in (None, role)
    ]
    broken = task_of(
        whole.changed(resource, policy=str(resource["policy"]).replace(missing, "inference-profile/other"))
    )
    assert missing in str(broken.ask(model))
