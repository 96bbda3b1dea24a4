"""The firewall as registered: what it answers, what it logs, and what never reaches a log."""

import json

import pytest
from pydantic import ValidationError

from components.waf import Firewall
from policies.guardrails.topology.graph.documents import Document
from policies.guardrails.topology.iam.statements import grants
from preflight.recording.recorder import record
from preflight.sdk.wire import Json
from tests.components.edge_fixtures import ACCOUNT, REGION, counts, firewall_args, named, recorded_firewall, untagged

ACL = "aws:wafv2/webAcl:WebAcl"


def acl_of(**changes: Json) -> dict[str, Json]:
    return named(record(lambda: Firewall("firewall", firewall_args(**changes))), "firewall-acl", ACL).inputs


def rules(inputs: dict[str, Json]) -> dict[str, Json]:
    return {rule["name"]: rule for rule in inputs["rules"]}


@pytest.fixture(scope="module")
def acl() -> dict[str, Json]:
    return named(recorded_firewall(), "firewall-acl", ACL).inputs


def test_a_web_acl_is_put_on_the_load_balancer_and_logged() -> None:
    recording = recorded_firewall()
    web_acl = named(recording, "firewall-acl", ACL)
    association = named(recording, "firewall-edge", "aws:wafv2/webAclAssociation:WebAclAssociation")

    assert counts(recording) == {
        "LogGroup": 1,
        "LogResourcePolicy": 1,
        "WebAcl": 1,
        "WebAclAssociation": 1,
        "WebAclLoggingConfiguration": 1,
    }
    assert association.inputs == {
        "resourceArn": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/edge/0123456789abcdef",
        "webAclArn": web_acl.outputs["arn"],
    }
    assert untagged(recording) == []


def test_what_no_rule_stops_goes_on_to_log_in(acl: dict[str, Json]) -> None:
    assert (acl["scope"], acl["defaultAction"]) == ("REGIONAL", {"allow": {}})


def test_every_rule_has_metrics_and_shows_no_samples(acl: dict[str, Json]) -> None:
    assert [
        rule["name"]
        for rule in acl["rules"]
        if rule["visibilityConfig"]
        != {"cloudwatchMetricsEnabled": True, "metricName": rule["name"], "sampledRequestsEnabled": False}
    ] == []
    assert acl["visibilityConfig"]["cloudwatchMetricsEnabled"] is True
    assert acl["visibilityConfig"]["sampledRequestsEnabled"] is False


def test_rules_are_registered_by_priority(acl: dict[str, Json]) -> None:
    priorities = [rule["priority"] for rule in acl["rules"]]

    assert priorities
    assert priorities == sorted(set(priorities))


def test_too_large_bodies_get_a_413_with_the_limit(acl: dict[str, Json]) -> None:
    bodies = {body["key"]: body["content"] for body in acl["customResponseBodies"]}

    for key, text in (
        ("body-too-large", "The request is larger than the limit of 2 MiB\n"),
        ("upload-too-large", "The file is larger than the limit of 50 MiB\n"),
    ):
        response = rules(acl)[key]["action"]["block"]["customResponse"]
        assert response == {"responseCode": 413, "customResponseBodyKey": key}
        assert bodies[key] == text


def test_the_declared_length_is_what_decides(acl: dict[str, Json]) -> None:
    upload, declared = rules(acl)["upload-too-large"]["statement"]["andStatement"]["statements"]

    assert upload == {"labelMatchStatement": {"scope": "LABEL", "key": "path:upload"}}
    assert declared["regexMatchStatement"]["fieldToMatch"] == {"singleHeader": {"name": "content-length"}}


@pytest.mark.parametrize(
    ("kind", "who", "limit"),
    [
        ("uploads", "address", 1000),
        ("model-calls", "address", 6000),
        ("pages", "address", 30_000),
        ("static", "address", 60_000),
        ("uploads", "session", 100),
        ("model-calls", "session", 300),
        ("pages", "session", 3000),
    ],
)
def test_too_many_requests_get_a_429_with_retry_after(acl: dict[str, Json], kind: str, who: str, limit: int) -> None:
    rule = rules(acl)[f"rate-{kind}-{who}"]
    rate = rule["statement"]["rateBasedStatement"]

    assert rule["action"]["block"]["customResponse"] == {
        "responseCode": 429,
        "customResponseBodyKey": f"rate-{kind}-{who}",
        "responseHeaders": [{"name": "retry-after", "value": "60"}],
    }
    assert (rate["limit"], rate["evaluationWindowSec"]) == (limit, 300)
    assert (rate["aggregateKeyType"], rate.get("customKeys")) == (
        ("IP", None)
        if who == "address"
        else (
            "CUSTOM_KEYS",
            [
                {
                    "cookie": {
                        "name": "AWSELBAuthSessionCookie-0",
                        "textTransformations": [{"priority": 0, "type": "NONE"}],
                    }
                }
            ],
        )
    )


def test_every_trusted_header_and_every_name_with_a_trusted_prefix_is_refused() -> None:
    statements = rules(acl_of(trusted_headers=["X-User-Email", "x-amzn-oidc-data"]))["forged-identity"]["statement"][
        "orStatement"
    ]["statements"]
    present = [s["sizeConstraintStatement"] for s in statements if "sizeConstraintStatement" in s]
    prefixed = [s["byteMatchStatement"] for s in statements if "byteMatchStatement" in s]

    assert [(s["fieldToMatch"], s["comparisonOperator"], s["size"]) for s in present] == [
        ({"singleHeader": {"name": "x-amzn-oidc-data"}}, "GE", 0),
        ({"singleHeader": {"name": "x-user-email"}}, "GE", 0),
    ]
    assert [(s["searchString"], s["positionalConstraint"]) for s in prefixed] == [
        ("x-amzn-oidc-", "STARTS_WITH"),
        ("x-envoy-", "STARTS_WITH"),
    ]


def test_managed_rules_that_take_prompts_for_attacks_only_count_and_block_by_label_elsewhere(
    acl: dict[str, Json],
) -> None:
    core = rules(acl)["core"]["statement"]["managedRuleGroupStatement"]

    assert [(o["name"], o["actionToUse"]) for o in core["ruleActionOverrides"]] == [
        (name, {"count": {}})
        for name in (
            "CrossSiteScripting_BODY",
            "CrossSiteScripting_QUERYARGUMENTS",
            "EC2MetaDataSSRF_BODY",
            "EC2MetaDataSSRF_QUERYARGUMENTS",
            "GenericLFI_BODY",
            "GenericLFI_QUERYARGUMENTS",
            "GenericRFI_BODY",
            "GenericRFI_QUERYARGUMENTS",
            "RestrictedExtensions_QUERYARGUMENTS",
            "SizeRestrictions_BODY",
            "SizeRestrictions_Cookie_HEADER",
            "SizeRestrictions_QUERYSTRING",
            "SizeRestrictions_URIPATH",
        )
    ]
    assert rules(acl)["metadata-body"]["statement"]["andStatement"]["statements"] == [
        {
            "labelMatchStatement": {
                "scope": "LABEL",
                "key": "awswaf:managed:aws:core-rule-set:EC2MetaDataSSRF_Body",
            }
        },
        {"notStatement": {"statement": {"labelMatchStatement": {"scope": "LABEL", "key": "path:free-text"}}}},
    ]


def test_managed_groups_decide_for_themselves_unless_they_are_watched() -> None:
    watched = rules(acl_of(count_only_rules=["core"]))

    assert watched["core"]["overrideAction"] == {"count": {}}
    assert watched["known-bad-inputs"]["overrideAction"] == {"none": {}}
    assert "action" not in watched["core"]


def test_a_watched_rule_counts(acl: dict[str, Json]) -> None:
    assert rules(acl_of(count_only_rules=["method"]))["method"]["action"] == {"count": {}}
    assert "block" in rules(acl)["method"]["action"]


def test_every_body_that_a_rule_names_exists(acl: dict[str, Json]) -> None:
    named_bodies = {
        rule["action"]["block"]["customResponse"]["customResponseBodyKey"]
        for rule in acl["rules"]
        if "block" in rule.get("action", {})
    }

    assert named_bodies == {body["key"] for body in acl["customResponseBodies"]}
    assert len(named_bodies) <= 50


def test_cookies_tokens_queries_and_bodies_are_substituted_wherever_aws_shows_requests(acl: dict[str, Json]) -> None:
    protections = acl["dataProtectionConfig"]["dataProtections"]

    assert {p["action"] for p in protections} == {"SUBSTITUTION"}
    assert [(p["field"]["fieldType"], p["field"].get("fieldKeys")) for p in protections] == [
        ("SINGLE_COOKIE", ["AWSELBAuthSessionCookie-0"]),
        ("SINGLE_COOKIE", ["AWSELBAuthSessionCookie-1"]),
        ("SINGLE_COOKIE", ["AWSELBAuthSessionCookie-2"]),
        ("SINGLE_COOKIE", ["AWSELBAuthSessionCookie-3"]),
        ("SINGLE_COOKIE", ["token"]),
        ("SINGLE_HEADER", ["authorization"]),
        ("SINGLE_HEADER", ["cookie"]),
        ("QUERY_STRING", None),
        ("BODY", None),
    ]


def test_the_log_is_named_as_aws_demands_redacted_and_keeps_blocks_and_detections() -> None:
    recording = recorded_firewall()
    group = named(recording, "firewall-log", "aws:cloudwatch/logGroup:LogGroup")
    log = named(recording, "firewall-log", "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration")

    assert group.inputs["name"] == "aws-waf-logs-ai-interface-test-firewall"
    assert log.inputs["logDestinationConfigs"] == [group.outputs["arn"]]
    assert log.inputs["redactedFields"] == [
        {"singleHeader": {"name": "authorization"}},
        {"singleHeader": {"name": "cookie"}},
        {"singleHeader": {"name": "x-amzn-oidc-accesstoken"}},
        {"singleHeader": {"name": "x-amzn-oidc-data"}},
        {"singleHeader": {"name": "x-amzn-oidc-identity"}},
        {"queryString": {}},
    ]
    assert log.inputs["loggingFilter"] == {
        "defaultBehavior": "DROP",
        "filters": [
            {
                "behavior": "KEEP",
                "requirement": "MEETS_ANY",
                "conditions": [
                    {"actionCondition": {"action": "BLOCK"}},
                    *({"labelNameCondition": {"labelName": f"awswaf:managed:aws:{label}"}} for label in DETECTIONS),
                ],
            }
        ],
    }


DETECTIONS = (
    "core-rule-set:CrossSiteScripting_Body",
    "core-rule-set:CrossSiteScripting_QueryArguments",
    "core-rule-set:EC2MetaDataSSRF_Body",
    "core-rule-set:EC2MetaDataSSRF_QueryArguments",
    "core-rule-set:GenericLFI_Body",
    "core-rule-set:GenericLFI_QueryArguments",
    "core-rule-set:GenericRFI_Body",
    "core-rule-set:GenericRFI_QueryArguments",
    "core-rule-set:RestrictedExtensions_QueryArguments",
    "known-bad-inputs:JavaDeserializationRCE_Body",
    "known-bad-inputs:JavaDeserializationRCE_QueryString",
    "known-bad-inputs:Log4JRCE_Body",
    "known-bad-inputs:Log4JRCE_QueryString",
    "known-bad-inputs:ReactJSRCE_Body",
)
"""Labels of AWS's rules that count: all but those about sizes, which ordinary prompts exceed."""


@pytest.mark.parametrize(
    ("watched", "condition"),
    [
        (
            "grpc",
            {
                "labelNameCondition": {
                    "labelName": f"awswaf:{ACCOUNT}:webacl:ai-interface-test-firewall:count-only:grpc"
                }
            },
        ),
        ("core", {"actionCondition": {"action": "COUNT"}}),
    ],
    ids=["a rule by its label", "a group by every count"],
)
def test_what_a_rule_that_only_counts_matches_is_logged(watched: str, condition: Json) -> None:
    recording = record(lambda: Firewall("firewall", firewall_args(count_only_rules=[watched])))
    log = named(recording, "firewall-log", "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration")

    assert condition in log.inputs["loggingFilter"]["filters"][0]["conditions"]


def test_the_log_is_kept_and_encrypted_as_asked() -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
    recording = record(lambda: Firewall("firewall", firewall_args(log_retention_days=7, log_key_arn=key)))
    group = named(recording, "firewall-log", "aws:cloudwatch/logGroup:LogGroup").inputs

    assert (group["retentionInDays"], group["kmsKeyId"]) == (7, key)


def test_every_shard_of_a_session_with_another_name_is_substituted_too() -> None:
    protections = acl_of(session_cookie_name="chat", protected_cookies=["token", "sid"])["dataProtectionConfig"]

    assert [
        p["field"]["fieldKeys"] for p in protections["dataProtections"] if p["field"]["fieldType"] == "SINGLE_COOKIE"
    ] == [
        ["chat-0"],
        ["chat-1"],
        ["chat-2"],
        ["chat-3"],
        ["sid"],
        ["token"],
    ]


def test_log_delivery_may_write_to_this_group_from_this_account_before_logging_starts() -> None:
    recording = recorded_firewall()
    group = named(recording, "firewall-log", "aws:cloudwatch/logGroup:LogGroup")
    permission = named(recording, "firewall-log", "aws:cloudwatch/logResourcePolicy:LogResourcePolicy")
    log = named(recording, "firewall-log", "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration")

    (delivery,) = grants(Document(json.loads(permission.inputs["policyDocument"])))
    assert delivery.principals == ("delivery.logs.amazonaws.com",)
    assert all(delivery.covers(f"logs:{action}") for action in ("CreateLogStream", "PutLogEvents"))
    assert not delivery.covers("logs:DeleteLogStream")
    assert delivery.resources == (f"{group.outputs['arn']}:log-stream:*",)
    assert {item.key: item.values for item in delivery.conditions if item.bounds} == {
        "aws:sourceaccount": (ACCOUNT,),
        "aws:sourcearn": (f"arn:aws:logs:{REGION}:{ACCOUNT}:*",),
    }
    assert permission.urn in log.dependencies


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"capacity_limit": 1000}, r"need \d+ capacity units, but 1000 are allowed"),
        ({"count_only_rules": ["nothing"]}, "contains unknown rules: nothing"),
        ({"limits": {"uploads_per_five_minutes": 9}}, "greater than or equal to 10"),
    ],
)
def test_what_aws_would_refuse_is_refused_first(changes: dict[str, Json], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        firewall_args(**changes)
