"""The synthetic chat in a stack: its ways, its permissions, its alarms, with each kind of upstream, and a stack without it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from components.synthetic.asking import CHAT_OPERATION
from components.synthetic.settings import NAME, PROXY, SyntheticScheduleArgs
from components.synthetic.task_definition import PLAN_VARIABLE
from local.alarms import ALARM, Alarm
from local.stack import Stack, recorded
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.reachability.facts.build import facts_of
from preflight.conform import permissions, values
from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import unwrap
from settings.objectives import SyntheticChat
from tests.preflight.conform.graphs import EXTERNAL, GATEWAY, STACKS, bootstrap_for, program
from tests.tasks import TASK

SCHEDULE, POLICY = "aws:scheduler/schedule:Schedule", "aws:iam/rolePolicy:RolePolicy"
EGRESS, INGRESS = (
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
)
CASES = (*STACKS, GATEWAY, EXTERNAL)


def scheduled(recording: Recording) -> tuple[RecordedResource, RecordedResource]:
    """The schedule, and the task definition that it starts."""
    (schedule,) = recording.of_type(SCHEDULE)
    arn = schedule.inputs["target"]["ecsParameters"]["taskDefinitionArn"]
    (task,) = [one for one in recording.of_type(TASK) if one.outputs["arn"] == arn]
    return schedule, task


def containers(task: RecordedResource) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(str(unwrap(task.inputs["containerDefinitions"])))}


def group_of(recording: Recording) -> str:
    """The task's only security group."""
    schedule, _ = scheduled(recording)
    (group,) = schedule.inputs["target"]["ecsParameters"]["networkConfiguration"]["securityGroups"]
    return str(group)


@pytest.mark.parametrize("case", CASES)
def test_it_is_private_and_nothing_may_connect_to_it(case: str) -> None:
    recording = program(case)
    placed = scheduled(recording)[0].inputs["target"]["ecsParameters"]["networkConfiguration"]
    private = {one.id for one in recording.of_type("aws:ec2/subnet:Subnet") if "private" in one.name}

    assert placed["assignPublicIp"] is False
    assert set(placed["subnets"]) <= private
    assert [one for one in recording.of_type(INGRESS) if one.inputs["securityGroupId"] == group_of(recording)] == []


@pytest.mark.parametrize("case", CASES)
def test_it_reaches_what_the_interface_calls_models_by_and_no_state(case: str) -> None:
    recording = program(case)
    found = {one.name for one in recording.of_type(EGRESS) if one.inputs["securityGroupId"] == group_of(recording)}
    extra = {GATEWAY: {"synthetic-to-gateway"}, EXTERNAL: {"synthetic-to-egress-proxy"}}.get(case, set())

    assert found == {"endpoints-synthetic-to-endpoints", "endpoints-synthetic-to-s3"} | extra
    of_group = [one for one in recording.of_type(EGRESS) if one.inputs["securityGroupId"] == group_of(recording)]
    assert [one.name for one in of_group if one.inputs.get("cidrIpv4")] == []


@pytest.mark.parametrize("case", CASES)
def test_its_roles_may_do_no_more_than_one_chat_needs(case: str) -> None:
    recording = program(case)
    _, task = scheduled(recording)
    roles = {one.outputs["arn"]: one.outputs["name"] for one in recording.of_type("aws:iam/role:Role")}
    own = roles[task.inputs["taskRoleArn"]]
    statements = [
        statement
        for one in recording.of_type(POLICY)
        if one.inputs["role"] == own
        for statement in json.loads(str(unwrap(one.inputs["policy"])))["Statement"]
    ]
    granted = {
        (action, resource)
        for s in statements
        if s["Effect"] == "Allow"
        for action in s["Action"]
        for resource in s["Resource"]
    }
    models = {resource.rpartition("/")[2] for _, resource in granted if "foundation-model" in resource}

    assert {action.partition(":")[0] for action, _ in granted} <= {"bedrock"}
    assert models == (set() if case == GATEWAY else {"openai.gpt-oss-120b-1:0"})


@pytest.mark.parametrize("case", CASES)
def test_it_asks_by_the_interface_s_own_configuration_of_each_group(case: str) -> None:
    """Clusters and internal listeners are the same as in the interface's proxy, except for what it does not ask."""
    recording = program(case)
    whole = next(containers(one)["proxy"] for one in recording.of_type(TASK) if "proxy" in containers(one))
    own = containers(scheduled(recording)[1])[PROXY]
    of_interface, of_chat = (configuration(one["command"]) for one in (whole, own))

    assert of_chat["clusters"].items() <= of_interface["clusters"].items()
    assert set(of_interface["clusters"]) - set(of_chat["clusters"]) == {"application"}
    inner = {name: one for name, one in of_chat["listeners"].items() if name != "models"}
    assert inner.items() <= of_interface["listeners"].items()
    assert of_chat["listeners"]["models"]["address"]["socket_address"]["address"] == "127.0.0.1"
    assert not any(one.get("portMappings") for one in containers(scheduled(recording)[1]).values())
    (plan,) = [
        one["value"] for one in containers(scheduled(recording)[1])[NAME]["environment"] if one["name"] == PLAN_VARIABLE
    ]
    for group, _ in json.loads(plan)["groups"]:
        assert f"/{group}/v1{CHAT_OPERATION}" in json.dumps(of_chat["listeners"]["models"])


def configuration(command: list[str]) -> dict[str, dict[str, Any]]:
    """Name → listener, name → cluster, of Envoy's arguments."""
    parsed = yaml.safe_load(command[command.index("--config-yaml") + 1])["static_resources"]
    return {part: {one["name"]: one for one in parsed[part]} for part in ("listeners", "clusters")}


@pytest.mark.parametrize("case", CASES)
def test_aws_accepts_it_and_the_pipeline_may_deploy_it(case: str) -> None:
    recording = program(case)

    assert [one for one in values.findings(recording) if "synthetic" in one.urn] == []
    assert [one for one in permissions.findings(recording, bootstrap_for(case)) if "synthetic" in one.urn] == []


def test_the_policies_see_where_it_runs() -> None:
    graph = Graph.from_recorded(program("staging").resources)

    (placed,) = [one for urn, one in facts_of(graph).by_urn.items() if urn.endswith("::synthetic-chat-schedule")]
    assert (placed.outside, placed.admissions) == ((), ())


def chosen(**values: object) -> Stack:
    """Staging with these settings of the synthetic chat."""
    return recorded("staging", settings={"ai-interface:objectives": {"syntheticChat": values}})


def test_it_can_be_left_out_as_a_whole() -> None:
    without = chosen(enabled=False)

    assert [one.name for one in without.recording.resources if "synthetic" in one.name.lower()] == []
    assert "synthetic" not in json.dumps(without.one("aws:cloudwatch/dashboard:Dashboard")["dashboardBody"])


def test_the_alarms_follow_the_schedule() -> None:
    other = chosen(everyMinutes=10, failedRuns=2)
    alarms = {one["name"].rpartition(" ")[2]: Alarm.of(one) for one in other.all(ALARM)}

    assert other.one(SCHEDULE)["scheduleExpression"] == "rate(10 minutes)"
    failed, silent = alarms["synthetic-chat"], alarms["synthetic-chat-silent"]
    assert (failed.period, failed.periods, failed.datapoints) == (600, 2, 2)
    assert (silent.period, silent.periods, silent.missing) == (600, 3, "breaching")


def test_the_settings_and_the_component_have_the_same_defaults() -> None:
    assert SyntheticChat().model_dump() == SyntheticScheduleArgs().model_dump()
