"""Every limit, time and name that the settings hold reaches the part of the edge that keeps it."""

from __future__ import annotations

import json
from functools import cache

import pytest

from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import Json, unwrap
from settings.errors import SettingsError
from tests.once import main_program
from tests.settings.stack_files import OPEN_WEBUI, stack_file

CHOSEN: dict[str, Json] = {
    "limits": {
        "promptMebibytes": 3,
        "uploadMebibytes": 70,
        "cookieBytes": 12_001,
        "headerBytes": 20_480,
        "queryBytes": 3001,
        "uriBytes": 1001,
        "rates": {
            "pagesPerFiveMinutes": 1111,
            "uploadsPerFiveMinutes": 222,
            "modelCallsPerFiveMinutes": 333,
            "peopleBehindOneAddress": 10,
            "addressPagesPerFiveMinutes": 4444,
            "addressUploadsPerFiveMinutes": 555,
            "addressModelCallsPerFiveMinutes": 666,
            "addressStaticPerFiveMinutes": 7777,
        },
        "timeouts": {
            "deregistrationDelaySeconds": 900,
            "modelDeadlineSeconds": 80,
            "edgeIdleSeconds": 91,
            "keepAliveSeconds": 200,
            "clientKeepAliveSeconds": 1801,
        },
    },
    "retention": {"applicationLogDays": 30, "flowLogDays": 60, "firewallLogDays": 14, "edgeAccessLogDays": 7},
}
LOGIN = {"scopes": ["openid", "email", "groups"], "sessionCookieName": "chat", "sessionTimeoutSeconds": 7201}


@cache
def staging() -> Recording:
    """The real program with values that no default has."""
    config = stack_file("staging") | OPEN_WEBUI
    config |= {f"ai-interface:{name}": value for name, value in CHOSEN.items()}
    config["ai-interface:identity"] |= LOGIN
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    return main_program("staging", values)


def only(type_: str, name: str) -> RecordedResource:
    (found,) = [r for r in staging().of_type(type_) if r.name == name]
    return found


def test_the_firewall_tells_each_limit_to_whom_it_refuses() -> None:
    acl = only("aws:wafv2/webAcl:WebAcl", "firewall-acl").inputs

    assert {b["key"]: b["content"] for b in acl["customResponseBodies"] if "limit" in b["content"]} == {
        "body-too-large": "The request is larger than the limit of 3 MiB\n",
        "upload-too-large": "The file is larger than the limit of 70 MiB\n",
        "cookies-too-large": "The cookies are larger than the limit of 12001 bytes\n",
        "header-too-large": "A header is larger than the limit of 6144 bytes\n",
        "query-too-large": "The query is larger than the limit of 3001 bytes\n",
        "callback-query-too-large": "The query is larger than the limit of 8192 bytes\n",
        "path-too-long": "The path is longer than the limit of 1001 bytes\n",
    }


@pytest.mark.parametrize(
    ("kind", "who", "limit"),
    [
        ("pages", "session", 1111),
        ("uploads", "session", 222),
        ("model-calls", "session", 333),
        ("pages", "address", 4444),
        ("uploads", "address", 555),
        ("model-calls", "address", 666),
        ("static", "address", 7777),
    ],
)
def test_each_rate_is_kept_for_its_kind_of_request(kind: str, limit: int, who: str) -> None:
    rules = {rule["name"]: rule for rule in only("aws:wafv2/webAcl:WebAcl", "firewall-acl").inputs["rules"]}
    rate = rules[f"rate-{kind}-{who}"]["statement"]["rateBasedStatement"]

    assert rate["limit"] == limit
    assert [key["cookie"]["name"] for key in rate.get("customKeys", [])] == (["chat-0"] if who == "session" else [])


def test_the_load_balancer_and_its_targets_keep_the_times() -> None:
    balancer = only("aws:lb/loadBalancer:LoadBalancer", "edge-balancer").inputs
    targets = only("aws:lb/targetGroup:TargetGroup", "edge-targets").inputs

    assert (balancer["idleTimeout"], balancer["clientKeepAlive"], targets["deregistrationDelay"]) == (91, 1801, 900)


@pytest.mark.parametrize("rule", ["edge-page-1", "edge-api-1"])
def test_both_lanes_log_in_as_chosen(rule: str) -> None:
    login = unwrap(only("aws:lb/listenerRule:ListenerRule", rule).inputs["actions"])[0]["authenticateOidc"]

    assert login["clientId"] == "ai-interface-staging"
    assert (login["scope"], login["sessionCookieName"], login["sessionTimeout"]) == (
        "openid email groups",
        "chat",
        7201,
    )


def test_every_shard_of_the_session_and_the_application_s_own_cookies_stay_out_of_the_firewall_s_log() -> None:
    acl = only("aws:wafv2/webAcl:WebAcl", "firewall-acl").inputs
    fields = [p["field"] for p in acl["dataProtectionConfig"]["dataProtections"]]

    assert {key for field in fields if field["fieldType"] == "SINGLE_COOKIE" for key in field["fieldKeys"]} == {
        "chat-0",
        "chat-1",
        "chat-2",
        "chat-3",
        "token",
    }


def test_each_log_is_kept_as_long_as_its_own_setting_says() -> None:
    groups = {
        group.name: group.inputs["retentionInDays"]
        for group in staging().of_type("aws:cloudwatch/logGroup:LogGroup")
        if group.name in ("firewall-log", "network-flow", "network-dns")
    }
    (lifecycle,) = only("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "edge-logs").inputs["rules"]

    assert groups == {"firewall-log": 14, "network-flow": 60, "network-dns": 60}
    assert {g.inputs["kmsKeyId"] for g in staging().of_type("aws:cloudwatch/logGroup:LogGroup")} == {
        only("aws:kms/key:Key", "operations-key").outputs["arn"]
    }
    assert lifecycle["expiration"] == {"days": 7}


def test_more_people_than_an_address_may_serve_are_refused_with_the_number_that_would_do() -> None:
    config = stack_file("staging") | OPEN_WEBUI | {"ai-interface:limits": {"rates": {"peopleBehindOneAddress": 300}}}
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    with pytest.raises(SettingsError) as caught:
        main_program("staging", values)

    assert [(p.key.rpartition(".")[2], p.value, p.fix) for p in caught.value.problems] == [
        ("addressPagesPerFiveMinutes", "30000", "set it to 36000 or more, or lower peopleBehindOneAddress to 250"),
        ("addressUploadsPerFiveMinutes", "1000", "set it to 1200 or more, or lower peopleBehindOneAddress to 250"),
        ("addressStaticPerFiveMinutes", "60000", "set it to 72000 or more, or lower peopleBehindOneAddress to 250"),
    ]
