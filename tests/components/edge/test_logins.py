"""Who gets past the edge: every lane's rule, what it asks for, and what it never shows."""

import pytest

from components.edge import ClaimFormat, Edge
from preflight.recording.recorder import record
from preflight.sdk.wire import SECRET as SECRET_SIGNATURE
from preflight.sdk.wire import is_signed, unwrap
from tests.components.edge_fixtures import (
    LISTENER_RULE,
    MACHINE,
    OIDC,
    SECRET,
    edge_args,
    named,
    recorded_edge,
    rule_actions,
)


def test_pages_redirect_to_log_in_and_api_paths_return_401_with_the_same_session() -> None:
    recording = recorded_edge()
    target = named(recording, "edge-targets", "aws:lb/targetGroup:TargetGroup").outputs["arn"]
    login = {
        "issuer": "https://login.example.com",
        "authorizationEndpoint": "https://login.example.com/authorize",
        "tokenEndpoint": "https://login.example.com/token",
        "userInfoEndpoint": "https://login.example.com/userinfo",
        "clientId": "ai-interface",
        "clientSecret": SECRET,
        "scope": "openid email profile",
        "sessionCookieName": "AWSELBAuthSessionCookie",
        "sessionTimeout": 28_800,
    }
    forward = {"type": "forward", "order": 2, "targetGroupArn": target}

    for key, answer in (("page-1", "authenticate"), ("api-1", "deny")):
        assert rule_actions(recording, key) == [
            {
                "type": "authenticate-oidc",
                "order": 1,
                "authenticateOidc": {**login, "onUnauthenticatedRequest": answer},
            },
            forward,
        ]


def test_the_choices_of_a_login_reach_both_lanes() -> None:
    chosen = {
        **OIDC,
        "scopes": ["openid", "groups"],
        "session_cookie_name": "session",
        "session_timeout_seconds": 3600,
        "extra_parameters": {"prompt": "select_account"},
    }
    recording = record(lambda: Edge("edge", edge_args(oidc=chosen)))

    for key in ("page-1", "api-1"):
        login = rule_actions(recording, key)[0]["authenticateOidc"]
        assert {name: login[name] for name in ("scope", "sessionCookieName", "sessionTimeout")} == {
            "scope": "openid groups",
            "sessionCookieName": "session",
            "sessionTimeout": 3600,
        }
        assert login["authenticationRequestExtraParams"] == {"prompt": "select_account"}


def test_blocked_paths_come_before_tokens_and_tokens_before_logins() -> None:
    recording = recorded_edge(machine=True)
    https = named(recording, "edge-https", "aws:lb/listener:Listener").outputs["arn"]
    rules = [r for r in recording.of_type(LISTENER_RULE) if r.inputs["listenerArn"] == https]
    ordered = sorted(rules, key=lambda rule: rule.inputs["priority"])
    kinds = [unwrap(rule.inputs["actions"])[0]["type"] for rule in ordered]
    order = ("fixed-response", "jwt-validation", "authenticate-oidc")

    assert set(kinds) == set(order)
    assert kinds == sorted(kinds, key=order.index)


@pytest.mark.parametrize("zone", [True, False])
@pytest.mark.parametrize("machine", [True, False])
def test_every_forward_comes_after_an_authentication_in_the_same_rule(zone: bool, machine: bool) -> None:
    recording = recorded_edge(zone=zone, machine=machine)
    forwarding = 0
    for one in recording.of_type(LISTENER_RULE):
        kinds = [action["type"] for action in unwrap(one.inputs["actions"])]
        if "forward" in kinds:
            forwarding += 1
            assert kinds in (["authenticate-oidc", "forward"], ["jwt-validation", "forward"])
            assert [action["order"] for action in unwrap(one.inputs["actions"])] == [1, 2]

    assert forwarding == (11 if machine else 10)


def test_blocked_paths_get_a_404_from_the_edge_itself() -> None:
    assert rule_actions(recorded_edge(), "blocked-1") == [
        {
            "type": "fixed-response",
            "order": 1,
            "fixedResponse": {"contentType": "text/plain", "messageBody": "Not found\n", "statusCode": "404"},
        }
    ]


def test_every_rule_requires_a_declared_host_and_a_listed_path() -> None:
    recording = recorded_edge(machine=True)

    for one in recording.of_type(LISTENER_RULE):
        if one.name != "edge-redirect":
            host, path = one.inputs["conditions"]
            expected = ["models.example.com"] if "machine" in one.name else ["chat.example.com"]
            assert host == {"hostHeader": {"values": expected}}
            assert path["pathPattern"]["values"]


def test_machine_clients_need_a_token_with_audience_and_claims() -> None:
    machine = {
        **MACHINE,
        "claims": [
            {"name": "scope", "values": ["models.call"], "format": ClaimFormat.SPACE_SEPARATED_VALUES},
            {"name": "groups", "values": ["a", "b"]},
        ],
        "audience_format": ClaimFormat.STRING_ARRAY,
    }
    recording = record(lambda: Edge("edge", edge_args(machine_clients=machine)))
    validation, forward = rule_actions(recording, "machine-1")

    assert validation == {
        "type": "jwt-validation",
        "order": 1,
        "jwtValidation": {
            "issuer": "https://login.example.com",
            "jwksEndpoint": "https://login.example.com/keys",
            "additionalClaims": [
                {"name": "aud", "format": "string-array", "values": ["models"]},
                {"name": "scope", "format": "space-separated-values", "values": ["models.call"]},
                {"name": "groups", "format": "string-array", "values": ["a", "b"]},
            ],
        },
    }
    assert forward["type"] == "forward"


@pytest.mark.parametrize("preview", [True, False])
def test_the_client_secret_is_a_secret_in_every_rule_even_when_given_as_plain_text(preview: bool) -> None:
    recording = record(lambda: Edge("edge", edge_args()), preview=preview)
    secrets = [
        action["authenticateOidc"]["clientSecret"]
        for one in recording.of_type(LISTENER_RULE)
        for action in one.inputs["actions"]
        if action["type"] == "authenticate-oidc"
    ]

    assert len(secrets) == 10
    assert all(is_signed(value, SECRET_SIGNATURE) for value in secrets)
