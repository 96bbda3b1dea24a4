"""What the task may call: documents, guardrails, rules to private upstreams, and what they cost."""

import json
import re
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data
from pydantic import ValidationError

from components.models import ModelGroupArgs
from components.models.iam_documents import UpstreamKind, bedrock_regions, model_arns
from tests.components.task_fixtures import (
    ACCOUNT,
    REGION,
    RUNBOOK,
    TICKETS,
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


MODEL = "openai.gpt-oss-120b-1:0"
NOVA, NOVA_2 = "amazon.nova-lite-v1:0", "amazon.nova-2-lite-v1:0"
DESTINATIONS = ["eu-west-3", "eu-central-1"]
NONE: list[str] = []


@pytest.mark.parametrize(
    ("model", "destinations", "arns"),
    [
        (MODEL, NONE, ([f"{REGION}::foundation-model/{MODEL}"], NONE, NONE)),
        (
            f"eu.{NOVA}",
            DESTINATIONS,
            (
                NONE,
                [f"{REGION}:{ACCOUNT}:inference-profile/eu.{NOVA}"],
                [f"eu-central-1::foundation-model/{NOVA}", f"eu-west-3::foundation-model/{NOVA}"],
            ),
        ),
        (
            f"global.{NOVA_2}",
            NONE,
            (
                NONE,
                [f"{REGION}:{ACCOUNT}:inference-profile/global.{NOVA_2}"],
                [f"::foundation-model/{NOVA_2}", f"{REGION}::foundation-model/{NOVA_2}"],
            ),
        ),
    ],
)
def test_a_profile_is_allowed_with_every_destination_and_no_other_region(
    model: str, destinations: list[str], arns: tuple[list[str], list[str], list[str]]
) -> None:
    found = model_arns(_groups(group(models=[model], upstreams=[bedrock(REGION, *destinations)])), REGION, ACCOUNT)

    full = [[f"arn:aws:bedrock:{arn}" for arn in part] for part in arns]
    assert [found.models, found.profiles, found.behind_profiles] == full


def test_a_model_behind_a_profile_may_be_called_through_the_declared_profiles_only() -> None:
    declared = [MODEL, f"eu.{NOVA}", f"global.{NOVA_2}"]
    recording = build("models", groups=[group(models=declared, upstreams=[bedrock(REGION, *DESTINATIONS)])])
    allowed = {s["Sid"].removesuffix("euwest1"): s for s in document(one(recording, POLICY)) if s["Effect"] == "Allow"}
    profiles = [f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile/{model}" for model in declared[1:]]

    assert allowed["InvokeListedModels"]["Resource"] == [f"arn:aws:bedrock:{REGION}::foundation-model/{MODEL}"]
    assert allowed["InvokeListedProfiles"] == {
        "Sid": "InvokeListedProfileseuwest1",
        "Effect": "Allow",
        "Action": INVOKE,
        "Resource": profiles,
    }
    behind = allowed["InvokeModelsOfProfiles"]
    assert behind["Condition"] == {"ArnLike": {"bedrock:InferenceProfileArn": profiles}}
    assert behind["Resource"] == [
        f"arn:aws:bedrock:::foundation-model/{NOVA_2}",
        f"arn:aws:bedrock:eu-central-1::foundation-model/{NOVA}",
        f"arn:aws:bedrock:{REGION}::foundation-model/{NOVA_2}",
        f"arn:aws:bedrock:eu-west-3::foundation-model/{NOVA}",
    ]


def test_aws_authorizes_these_resources_with_this_condition() -> None:
    """Held against the Service Authorization Reference: every ARN has the form of a resource type of the action, and the
    action knows the condition key, for the models."""
    recording = build("models", groups=[group(models=[MODEL, f"eu.{NOVA}"], upstreams=[bedrock(REGION, "eu-west-3")])])
    for statement in document(one(recording, POLICY)):
        for action in statement["Action"]:
            rows = get_action_data(*action.split(":"))["bedrock"]
            forms = {"[^/]*".join(map(re.escape, re.split(r"\$\{\w+\}", r["resource_arn_format"]))): r for r in rows}
            for arn in statement["Resource"]:
                matching = [row for form, row in forms.items() if re.fullmatch(form, arn)]
                assert matching or arn == "*", (action, arn)
                for key in statement.get("Condition", {}).get("ArnLike", {}):
                    assert [key in row["condition_keys"] for row in matching] == [True]


def test_a_profile_without_its_destinations_is_refused_with_the_setting_to_fill() -> None:
    with pytest.raises(ValueError, match=r"model group general: eu\.amazon\.nova.* destinationRegions"):
        model_arns(_groups(group(models=[f"eu.{NOVA}"])), REGION, ACCOUNT)


def test_the_destinations_of_one_region_are_not_those_of_another() -> None:
    upstreams = [bedrock(REGION, "eu-west-3"), bedrock("eu-central-1", "eu-north-1")]
    declared = _groups(group(models=[f"eu.{NOVA}"], upstreams=upstreams))

    assert {region: model_arns(declared, region, ACCOUNT).behind_profiles for region in bedrock_regions(declared)} == {
        REGION: [f"arn:aws:bedrock:eu-west-3::foundation-model/{NOVA}"],
        "eu-central-1": [f"arn:aws:bedrock:eu-north-1::foundation-model/{NOVA}"],
    }


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
        ({"kind": "public"}, f"use {' or '.join(UpstreamKind)}"),
        ({"kind": "bedrock"}, "an upstream of kind bedrock needs region"),
        ({"kind": "external"}, "an upstream of kind external needs host_name"),
        ({"kind": "private"}, "an upstream of kind private needs host_name"),
        (
            {"kind": "private", "host_name": "llm.example.com"},
            "an upstream of kind private needs either security_group_id or endpoint_service",
        ),
        (
            {
                "kind": "private",
                "host_name": "llm.example.com",
                "security_group_id": "sg-0123456789abcdef0",
                "endpoint_service": "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0",
            },
            "an upstream of kind private needs either security_group_id or endpoint_service",
        ),
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
    assert (tokens["threshold"], tokens["alarmActions"]) == (5_000_000, [TICKETS])
    assert sorted(name.rpartition(" ")[2] for name in alarms) == [
        *("model-outage", "model-server-errors", "model-throttled", "model-tokens")
    ]


def test_refused_calls_are_a_share_of_all_calls() -> None:
    def expression(models: list[str]) -> tuple[list[str], str]:
        made = one(build("model-alarms", groups=[group(models=models)]), ALARM, "model-alarms-model-outage")
        *counted, value = made.inputs["metricQueries"]
        return [query["metric"]["metricName"] for query in counted], value["expression"]

    refused, answered = "InvocationThrottles", "Invocations"
    assert expression(["m.one"]) == ([refused, answered], "100 * m1 / SUM([m1, m2])")
    two = [refused, refused, answered, answered]
    assert expression(["m.one", "m.two"]) == (two, "100 * SUM([m1, m2]) / SUM([m1, m2, m3, m4])")


def test_more_models_than_an_alarm_can_add_up_make_more_alarms() -> None:
    recording = build("model-alarms", groups=[group(models=[f"m.{number}" for number in range(6)])])

    assert sorted(r.name.removeprefix("model-alarms-model-") for r in recording.of_type(ALARM)) == [
        *("outage", "outage-2", "server-errors", "server-errors-2", "throttled", "throttled-2", "tokens", "tokens-2")
    ]
    assert max(len(r.inputs["metricQueries"]) for r in recording.of_type(ALARM)) == 11


def test_model_alarms_link_to_the_runbook() -> None:
    links = {r.inputs["alarmDescription"].split("What to do: ")[1] for r in build("model-alarms").of_type(ALARM)}
    assert sorted(links) == [f"{RUNBOOK}#model-{one}" for one in ("server-errors", "throttled", "tokens")]


def test_the_budget_tells_before_and_not_only_after() -> None:
    budget = one(build("model-alarms", monthly_budget_usd=500), "aws:budgets/budget:Budget").inputs

    assert (budget["limitAmount"], budget["limitUnit"], budget["timeUnit"]) == ("500", "USD", "MONTHLY")
    assert [(n["notificationType"], n["threshold"], n["subscriberSnsTopicArns"]) for n in budget["notifications"]] == [
        ("ACTUAL", 80, [TICKETS]),
        ("FORECASTED", 100, [TICKETS]),
    ]


EMBED = "amazon.titan-embed-text-v2:0"
GATEWAY = {"kind": "gateway", "region": REGION}


def test_exactly_the_embedding_models_are_exempt_from_the_guardrail() -> None:
    chat = "amazon.nova-lite-v1:0"
    recording = build(
        "models",
        groups=[
            group(models=[chat], upstreams=[GATEWAY]),
            group("embed", models=[EMBED], upstreams=[GATEWAY], serves=["embeddings"]),
        ],
        gateway_role_name="gateway-task",
    )
    arn, versions = one(recording, GUARDRAIL).outputs["guardrailArn"], "bedrock:GuardrailIdentifier"
    found = {statement["Sid"]: statement for statement in document(one(recording, POLICY))}
    models = f"arn:aws:bedrock:{REGION}::foundation-model"
    assert found["EmbedWithListedModelseuwest1"] == {
        "Sid": "EmbedWithListedModelseuwest1",
        "Effect": "Allow",
        "Action": ["bedrock:InvokeModel"],
        "Resource": [f"{models}/{EMBED}"],
    }
    assert found["InvokeListedModelseuwest1"]["Resource"] == [f"{models}/{chat}"]
    assert found["InvokeListedModelseuwest1"]["Condition"] == {"StringLike": {versions: [f"{arn}:*"]}}
    assert found["RefuseOtherGuardrails"] == {
        "Sid": "RefuseOtherGuardrails",
        "Effect": "Deny",
        "Action": INVOKE,
        "NotResource": [f"{models}/{EMBED}"],
        "Condition": {"StringNotLike": {versions: [f"{arn}:*"]}},
    }
    assert found["RefuseDraftGuardrails"]["Resource"] == ["*"]


@pytest.mark.parametrize(
    ("upstream", "serves"), [(bedrock(), ["embeddings"]), (GATEWAY, ["chat", "embeddings"])], ids=["bedrock", "gateway"]
)
def test_embeddings_that_would_open_a_chat_without_the_guardrail_are_refused(
    upstream: dict[str, Any], serves: list[str]
) -> None:
    with pytest.raises(ValidationError, match="embeddings of Bedrock need a separate group"):
        _groups(group(upstreams=[upstream], serves=serves))


def test_a_model_key_without_the_role_that_reads_it_is_refused() -> None:
    key = {
        "name": "llm",
        "secret_arn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:llm-AbCdEf",
        "kms_key_arn": "k",
    }
    with pytest.raises(ValidationError, match="an upstream with an api_key needs execution_role_name and region"):
        build("models", groups=[group(upstreams=[{**private(), "api_key": key}])])
