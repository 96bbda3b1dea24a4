"""Data protection of the recorded stacks' log groups, and what its patterns find."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from assembly.logs import FIREWALL
from components.data.component import LOG_GROUPS
from components.egress.task_definition import CONTAINERS as EGRESS
from components.gateway.task_definition import CONTAINERS as GATEWAY
from components.monitoring.log_protection import CUSTOM, IDENTIFIERS
from components.monitoring.operations import CONTAINERS
from components.synthetic.settings import CONTAINERS as SYNTHETIC
from preflight.recording.recorder import Recording
from tests.preflight.conform.graphs import EXTERNAL, STACKS, environment, program
from tests.preflight.conform.graphs import GATEWAY as WITH_GATEWAY

POLICY = "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy"
GROUP, ALARM = "aws:cloudwatch/logGroup:LogGroup", "aws:cloudwatch/metricAlarm:MetricAlarm"
DELIVERY = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
WRITTEN = {*CONTAINERS, *LOG_GROUPS, FIREWALL, *SYNTHETIC}


def _roles(recording: Recording) -> set[str]:
    return {one.name.removeprefix("log-protection-") for one in recording.of_type(POLICY)}


def _documents(recording: Recording) -> list[dict[str, Any]]:
    return [json.loads(one.inputs["policyDocument"]) for one in recording.of_type(POLICY)]


@pytest.mark.parametrize("stack", STACKS)
def test_each_log_group_of_what_users_write_has_a_policy(stack: str) -> None:
    recording = environment(stack)
    assert _roles(recording) == WRITTEN
    names = {one.outputs["name"] for one in recording.of_type(GROUP)}
    assert {one.inputs["logGroupName"] for one in recording.of_type(POLICY)} <= names


@pytest.mark.parametrize(("variant", "more"), [(WITH_GATEWAY, GATEWAY), (EXTERNAL, EGRESS)])
def test_so_have_those_of_an_optional_service(variant: str, more: tuple[str, ...]) -> None:
    assert _roles(program(variant)) == {*WRITTEN, *more}


@pytest.mark.parametrize("stack", STACKS)
def test_a_detection_is_masked_and_reported_to_a_group_that_may_receive_it(stack: str) -> None:
    recording = environment(stack)
    (findings,) = [one for one in recording.of_type(GROUP) if one.name == "log-protection-findings"]
    (delivery,) = [one for one in recording.of_type(DELIVERY) if one.name == "log-protection-findings"]
    assert findings.outputs["arn"] in delivery.inputs["policyDocument"]
    assert findings.inputs["kmsKeyId"]
    for document in _documents(recording):
        report, mask = document["Statement"]
        assert report["Operation"] == {
            "Audit": {"FindingsDestination": {"CloudWatchLogs": {"LogGroup": findings.outputs["name"]}}}
        }
        assert mask["Operation"] == {"Deidentify": {"MaskConfig": {}}}
        assert report["DataIdentifier"] == mask["DataIdentifier"]
        assert len(mask["DataIdentifier"]) == len(IDENTIFIERS) + len(CUSTOM)
    (alarm,) = [one for one in recording.of_type(ALARM) if one.name == "log-protection-log-findings"]
    assert alarm.inputs["dimensions"] == {"LogGroupName": findings.outputs["name"]}
    assert alarm.inputs["threshold"] == 0


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0xMjM0NTY3.c2ln", True),
        ("Authorization: Bearer sk-proj-0123456789abcdefghij", True),
        ("open_webui.routers.chats:create_new_chat:796 - IntegrityError (…)", False),
        ('{"request_id":"Root=1-67891233-abcdef012345678912345678","route":"request","status":200}', False),
    ],
)
def test_the_custom_patterns_find_tokens_and_not_lines_of_the_logs(line: str, *, found: bool) -> None:
    (patterns,) = {json.dumps(one["Configuration"]) for one in _documents(environment("staging"))}
    own = [one["Regex"] for one in json.loads(patterns)["CustomDataIdentifier"]]
    assert any(re.search(pattern, line) for pattern in own) is found
