"""A preset in place of the application and the proxy's arguments."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.service import InterfaceServiceArgs
from components.service.component import InterfaceService
from preflight.recording.recorder import record
from tests.components.task_fixtures import (
    REGION,
    SECRET_REFERENCES,
    STATE_SECRETS,
    STATE_VALUES,
    bedrock,
    group,
    one,
    service_args,
    text,
)

BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:111122223333:loadbalancer/app/edge/0123456789abcdef"


def preset(**changes: object) -> dict[str, Any]:
    return {
        "host_names": ["chat.example.com"],
        "access": {
            "issuer": "https://login.example.com",
            "client_id": "consumer",
            "allowed": {"email_domains": ["example.com"]},
            "contact": "platform@example.com",
        },
        "groups": [group()],
        "load_balancer_arn": BALANCER,
        "guardrail_ids": {REGION: "0123456789ab"},
        "guardrail_versions": {REGION: "1"},
        **changes,
    }


def containers(**changes: object) -> dict[str, Any]:
    args: dict[str, Any] = {
        "application": None,
        "proxy_arguments": None,
        "preset": preset(**changes),
        "data_values": STATE_VALUES,
        "secret_references": {**SECRET_REFERENCES, **STATE_SECRETS},
    }
    recording = record(lambda: InterfaceService("service", service_args(**args)))
    definition = one(recording, "aws:ecs/taskDefinition:TaskDefinition")
    return {container["name"]: container for container in json.loads(text(definition.inputs["containerDefinitions"]))}


def test_the_preset_configures_application_and_proxy() -> None:
    found = containers(
        limits={"upload_bytes": 7 * 1024 * 1024}, groups=[group(), group("private", upstreams=[private()])]
    )
    environment = {entry["name"]: entry["value"] for entry in found["interface"]["environment"]}
    configuration = " ".join(found["proxy"]["command"])

    assert environment["OPENAI_API_BASE_URLS"] == "http://127.0.0.1:9080/general/v1;http://127.0.0.1:9080/private/v1"
    assert environment["RAG_FILE_MAX_SIZE"] == "7"
    assert [
        part for part in (BALANCER, "0123456789ab", "models.internal.example.com") if part not in configuration
    ] == []


def private() -> dict[str, Any]:
    return {"kind": "private", "host_name": "models.internal.example.com", "security_group_id": "sg-0123456789abcdef0"}


def test_no_prompt_is_sent_without_a_guardrail() -> None:
    with pytest.raises(ValueError, match=r"guardrail_ids has no guardrail in eu-west-1"):
        containers(guardrail_ids={})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": None, "application": None}, "application and proxy_arguments belong together"),
        ({}, "preset and application and proxy_arguments exclude each other"),
        ({"proxy_arguments": None}, "preset and application exclude each other"),
    ],
)
def test_preset_and_what_it_replaces_exclude_each_other(changes: dict[str, Any], message: str) -> None:
    def program() -> None:
        with pytest.raises(ValidationError, match=message):
            service_args(**{"preset": preset(), **changes})

    record(program)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"access": {**preset()["access"], "allowed": {}}}, "admits no one"),
        (
            {"groups": [group(upstreams=[{"kind": "gateway", "region": REGION}])]},
            "kind gateway: set environment, and gateway_authority",
        ),
        (
            {"groups": [group(upstreams=[{"kind": "external", "host_name": "api.example.com"}])]},
            "kind external: set environment, and egress_authority",
        ),
        ({"groups": [group(upstreams=[bedrock()])], "database_connections": 1}, "database_connections is 1"),
        ({"limits": {"keep_alive_seconds": 600}}, "keep_alive_seconds is 600, not above idle_seconds"),
        ({"limits": {"model_idle_seconds": 270}}, "model_idle_seconds is 270, half of model_deadline_seconds"),
        ({"application": "nothing"}, "unknown application 'nothing'"),
    ],
)
def test_a_preset_that_could_not_work_is_refused(changes: dict[str, Any], message: str) -> None:
    def program() -> None:
        with pytest.raises(ValidationError, match=message):
            InterfaceServiceArgs.model_validate(
                {
                    **service_args().model_dump(),
                    "application": None,
                    "proxy_arguments": None,
                    "preset": preset(**changes),
                }
            )

    record(program)
