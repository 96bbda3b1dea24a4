"""Private search and tool servers: the tasks' egress to them and the keys that Fargate reads."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.components.task_fixtures import REGION, bedrock, build, document, group, made, one, private

EGRESS, POLICY = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "aws:iam/rolePolicy:RolePolicy"
TOOL: dict[str, Any] = {**private(), "host_name": "tools.internal.example.com"}
KEY = {
    "name": "tools",
    "secret_arn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:tools-AbCdEf",
    "kms_key_arn": "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000001",
}


def test_a_tool_server_is_reached_by_its_group_and_port_only() -> None:
    rule = one(build("models", tool_servers=[{**TOOL, "port": 8000}]), EGRESS)
    assert rule.name == "models-to-sg-0123456789abcdef0-8000"
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (8000, 8000)
    assert rule.inputs["description"] == "Tools at tools.internal.example.com"


def test_a_group_and_port_of_a_model_and_a_tool_is_the_models_rule() -> None:
    """So that declaring a tool changes no resource of a model."""
    with_model = group(upstreams=[bedrock(), private()])
    rule = one(build("models", groups=[with_model], tool_servers=[TOOL]), EGRESS)
    assert rule.inputs == one(build("models", groups=[with_model]), EGRESS).inputs


def test_a_server_behind_an_endpoint_needs_no_rule_here() -> None:
    service = "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"
    recording = build("models", tool_servers=[{**TOOL, "security_group_id": "", "endpoint_service": service}])
    assert made(recording) == made(build("models"))


def test_fargate_may_read_the_key_of_a_tool_server() -> None:
    recording = build(
        "models",
        tool_servers=[{**TOOL, "api_key": KEY}],
        execution_role_name="workload-execution",
        region=REGION,
    )
    (policy,) = [each for each in recording.of_type(POLICY) if each.name == "models-keys-policy"]
    assert document(policy)[0]["Resource"] == [KEY["secret_arn"]]


def test_a_key_without_the_role_that_reads_it_is_refused() -> None:
    with pytest.raises(ValidationError, match="an upstream with an api_key needs execution_role_name and region"):
        build("models", tool_servers=[{**TOOL, "api_key": KEY}])


def test_a_server_of_another_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="tool_servers has an upstream of another kind"):
        build("models", tool_servers=[bedrock()])
