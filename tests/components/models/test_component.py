"""What the task may call: documents, guardrails, rules to private upstreams, and what they cost."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.models import ModelGroupArgs
from components.models.iam_documents import bedrock_regions, model_arns
from tests.components.task_fixtures import (
    ACCOUNT,
    REGION,
    RUNBOOK,
    TOPIC,
    bedrock,
    build,
    document,
    group,
    made,
    models_args,
    one,
    private,
)

GUARDRAIL = "aws:bedrock/guardrail:Guardrail"
VERSION = "aws:bedrock/guardrailVersion:GuardrailVersion"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
POLICY = "aws:iam/rolePolicy:RolePolicy"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]


def _groups(*declared: dict[str, Any]) -> list[ModelGroupArgs]:
    return [ModelGroupArgs.model_validate(each) for each in declared]


def test_one_region_makes_a_guardrail_its_version_and_one_policy() -> None:
    assert made(build("models")) == {GUARDRAIL: 1, VERSION: 1, POLICY: 1}


def test_the_task_calls_the_declared_models_with_the_guardrail_and_nothing_else() -> None:
    recording = build("models")
    guardrail = one(recording, GUARDRAIL).outputs["guardrailArn"]

    assert document(one(recording, POLICY)) == [
        {
            "Sid": "InvokeListedModelseuwest1",
            "Effect": "Allow",
            "Action": INVOKE,
            "Resource": [f"arn:aws:bedrock:{REGION}::foundation-model/openai.gpt-oss-120b-1:0"],
        },
        {
            "Sid": "ApplyGuardraileuwest1",
            "Effect": "Allow",
            "Action": ["bedrock:ApplyGuardrail"],
            "Resource": [guardrail],
        },
        {
            "Sid": "RefuseOtherGuardrails",
            "Effect": "Deny",
            "Action": INVOKE,
            "Resource": ["*"],
            "Condition": {
                "Null": {"bedrock:GuardrailIdentifier": ["false"]},
                "StringNotLike": {"bedrock:GuardrailIdentifier": [f"{guardrail}:*"]},
            },
        },
        {
            "Sid": "RefuseDraftGuardrails",
            "Effect": "Deny",
            "Action": INVOKE,
            "Resource": ["*"],
            "Condition": {"StringEquals": {"bedrock:GuardrailIdentifier": [f"{guardrail}:DRAFT"]}},
        },
        {
            "Sid": "RefuseBearerTokens",
            "Effect": "Deny",
            "Action": ["bedrock:CallWithBearerToken"],
            "Resource": ["*"],
        },
    ]


def test_the_endpoints_get_the_same_statements() -> None:
    recording = build("models")

    assert one(recording, "ai-interface:index:ModelAccess").outputs["statements"] == document(one(recording, POLICY))


@pytest.mark.parametrize(
    ("model", "destinations", "arns"),
    [
        ("openai.gpt-oss-120b-1:0", [], [f"{REGION}::foundation-model/openai.gpt-oss-120b-1:0"]),
        (
            "eu.amazon.nova-lite-v1:0",
            ["eu-west-3", "eu-central-1"],
            [
                "eu-central-1::foundation-model/amazon.nova-lite-v1:0",
                f"{REGION}:{ACCOUNT}:inference-profile/eu.amazon.nova-lite-v1:0",
                "eu-west-3::foundation-model/amazon.nova-lite-v1:0",
            ],
        ),
        (
            "global.amazon.nova-2-lite-v1:0",
            [],
            [
                "::foundation-model/amazon.nova-2-lite-v1:0",
                f"{REGION}:{ACCOUNT}:inference-profile/global.amazon.nova-2-lite-v1:0",
                f"{REGION}::foundation-model/amazon.nova-2-lite-v1:0",
            ],
        ),
    ],
)
def test_a_profile_is_allowed_with_every_destination_and_no_other_region(
    model: str, destinations: list[str], arns: list[str]
) -> None:
    declared = _groups(group(models=[model], destination_regions=destinations))

    assert model_arns(declared, REGION, ACCOUNT) == sorted(f"arn:aws:bedrock:{arn}" for arn in arns)


def test_a_profile_without_its_destinations_is_refused_with_the_setting_to_fill() -> None:
    with pytest.raises(ValueError, match=r"model group general: eu\.amazon\.nova.* destinationRegions"):
        model_arns(_groups(group(models=["eu.amazon.nova-lite-v1:0"])), REGION, ACCOUNT)


def test_each_region_has_a_guardrail_of_its_own_and_any_other_is_refused() -> None:
    recording = build("models", groups=[group(upstreams=[bedrock("eu-west-1"), bedrock("eu-central-1")])])
    arns = {r.inputs["region"]: r.outputs["guardrailArn"] for r in recording.of_type(GUARDRAIL)}
    (refused,) = [one for one in document(one(recording, POLICY)) if one["Sid"] == "RefuseOtherGuardrails"]

    assert sorted(arns) == ["eu-central-1", "eu-west-1"]
    assert sorted(refused["Condition"]["StringNotLike"]["bedrock:GuardrailIdentifier"]) == sorted(
        f"{arn}:*" for arn in arns.values()
    )


def test_without_bedrock_the_task_role_gets_no_policy() -> None:
    recording = build("models", groups=[group(upstreams=[private()])])

    assert made(recording) == {EGRESS: 1}
    assert bedrock_regions(_groups(group(upstreams=[private()]))) == []


def test_a_private_upstream_is_reached_by_its_group_and_port_only() -> None:
    rule = one(build("models", groups=[group(upstreams=[private(port=8443)])]), EGRESS)

    assert rule.name == "models-to-sg-0123456789abcdef0-8443"
    assert {key: rule.inputs[key] for key in rule.inputs if key != "tags"} == {
        "securityGroupId": "sg-00000000000000001",
        "referencedSecurityGroupId": "sg-0123456789abcdef0",
        "ipProtocol": "tcp",
        "fromPort": 8443,
        "toPort": 8443,
        "description": "Models at models.internal.example.com",
    }


def test_a_private_upstream_of_two_groups_is_one_rule() -> None:
    recording = build("models", groups=[group("a", upstreams=[private()]), group("b", upstreams=[private()])])

    assert made(recording) == {EGRESS: 1}


def test_removing_an_upstream_removes_its_permission_guardrail_and_rule() -> None:
    full = build("models", groups=[group(upstreams=[bedrock(), bedrock("eu-central-1"), private()])])
    less = build("models", groups=[group(upstreams=[bedrock()])])

    assert made(full) == {GUARDRAIL: 2, VERSION: 2, POLICY: 1, EGRESS: 1}
    assert made(less) == {GUARDRAIL: 1, VERSION: 1, POLICY: 1}
    assert "eu-central-1" not in json.dumps(document(one(less, POLICY)))


def test_the_guardrail_filters_content_attacks_and_sensitive_data() -> None:
    guardrail = one(build("models"), GUARDRAIL).inputs

    assert {
        f["type"]: (f["inputStrength"], f["outputStrength"]) for f in guardrail["contentPolicyConfig"]["filtersConfigs"]
    } == {
        "HATE": ("MEDIUM", "MEDIUM"),
        "INSULTS": ("MEDIUM", "MEDIUM"),
        "MISCONDUCT": ("MEDIUM", "MEDIUM"),
        "PROMPT_ATTACK": ("MEDIUM", "NONE"),
        "SEXUAL": ("MEDIUM", "MEDIUM"),
        "VIOLENCE": ("MEDIUM", "MEDIUM"),
    }
    assert guardrail["sensitiveInformationPolicyConfig"]["piiEntitiesConfigs"] == [
        {"type": "AWS_ACCESS_KEY", "action": "BLOCK"},
        {"type": "AWS_SECRET_KEY", "action": "BLOCK"},
        {"type": "CREDIT_DEBIT_CARD_NUMBER", "action": "ANONYMIZE"},
        {"type": "INTERNATIONAL_BANK_ACCOUNT_NUMBER", "action": "ANONYMIZE"},
    ]


def test_a_changed_guardrail_is_published_as_a_new_version_and_the_old_one_stays() -> None:
    before = one(build("models"), VERSION).inputs
    after = one(build("models", guardrail={"content_strength": "HIGH"}), VERSION).inputs

    assert before["description"] != after["description"]
    assert (before["skipDestroy"], after["skipDestroy"]) == (True, True)


@pytest.mark.parametrize(
    ("upstream", "message"),
    [
        ({"kind": "public"}, "use bedrock or private"),
        ({"kind": "bedrock"}, "a bedrock upstream needs region"),
        ({"kind": "private"}, "a private upstream needs host_name and security_group_id"),
    ],
)
def test_an_incomplete_upstream_is_refused(upstream: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        models_args(groups=[group(upstreams=[upstream])])


def test_tokens_of_all_declared_models_count_together() -> None:
    alarms = {
        r.inputs["name"]: r.inputs
        for r in build("model-alarms", groups=[group(models=["m.one", "m.two"])]).of_type(ALARM)
    }
    tokens = alarms["ai-interface test model-tokens"]
    metrics = [(q["metric"]["metricName"], q["metric"]["dimensions"]) for q in tokens["metricQueries"] if "metric" in q]

    assert metrics == [
        ("InputTokenCount", {"ModelId": "m.one"}),
        ("InputTokenCount", {"ModelId": "m.two"}),
        ("OutputTokenCount", {"ModelId": "m.one"}),
        ("OutputTokenCount", {"ModelId": "m.two"}),
    ]
    assert [q["expression"] for q in tokens["metricQueries"] if q["returnData"]] == [
        "FILL(m0, 0) + FILL(m1, 0) + FILL(m2, 0) + FILL(m3, 0)"
    ]
    assert (tokens["threshold"], tokens["alarmActions"]) == (5_000_000, [TOPIC])
    assert sorted(alarms) == ["ai-interface test model-throttled", "ai-interface test model-tokens"]


def test_more_models_than_an_alarm_can_add_up_make_more_alarms() -> None:
    recording = build("model-alarms", groups=[group(models=[f"m.{number}" for number in range(6)])])

    assert sorted(r.name for r in recording.of_type(ALARM)) == [
        "model-alarms-model-throttled",
        "model-alarms-model-throttled-2",
        "model-alarms-model-tokens",
        "model-alarms-model-tokens-2",
    ]
    assert max(len(r.inputs["metricQueries"]) for r in recording.of_type(ALARM)) == 11


def test_model_alarms_link_to_the_runbook() -> None:
    links = [r.inputs["alarmDescription"].split("What to do: ")[1] for r in build("model-alarms").of_type(ALARM)]

    assert sorted(links) == [f"{RUNBOOK}#model-throttled", f"{RUNBOOK}#model-tokens"]


def test_the_budget_tells_before_and_not_only_after() -> None:
    budget = one(build("model-alarms", monthly_budget_usd=500), "aws:budgets/budget:Budget").inputs

    assert (budget["limitAmount"], budget["limitUnit"], budget["timeUnit"]) == ("500", "USD", "MONTHLY")
    assert [(n["notificationType"], n["threshold"], n["subscriberSnsTopicArns"]) for n in budget["notifications"]] == [
        ("ACTUAL", 80, [TOPIC]),
        ("FORECASTED", 100, [TOPIC]),
    ]
