"""A Fargate service in a network without an internet route downloads image layers through the gateway to S3."""

from __future__ import annotations

import pytest

from policies.guardrails.topology.reachability.claims.connections import unused
from policies.guardrails.topology.reachability.facts.build import facts_of
from tests.topology.builders import Ref, Stack, compliant, literal

WHAT = "cannot download image layers"


def fargate() -> Stack:
    stack = compliant()
    stack["service"]["launchType"] = "FARGATE"
    stack["s3"].inputs |= {"serviceName": "com.amazonaws.eu-west-1.s3", "prefixListId": literal("s3", "prefixListId")}
    return stack


def egress(stack: Stack, group: str) -> None:
    stack.add(
        "vpc.SecurityGroupEgressRule", "to-s3", securityGroupId=Ref(group), ipProtocol="tcp", fromPort=443, toPort=443,
        prefixListId=Ref("s3", "prefixListId"),
    )  # fmt: skip


def found(stack: Stack, *, known: bool) -> list[str]:
    return [gap.resource.name for gap in unused(facts_of(stack.graph(known=known))) if gap.what == WHAT]


@pytest.mark.parametrize("known", [True, False])
def test_the_service_s_own_group_sends_to_the_gateway(known: bool) -> None:
    stack = fargate()
    egress(stack, "task-sg")
    assert found(stack, known=known) == []


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("group", ["state-sg", "endpoint-sg", "edge-sg"])
def test_a_rule_on_another_group_is_reported_at_the_service(group: str, known: bool) -> None:
    stack = fargate()
    egress(stack, group)
    assert found(stack, known=known) == ["service"]


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [("service", "launchType", "EC2"), ("s3", "serviceName", "com.amazonaws.eu-west-1.dynamodb")],
)
def test_instances_pull_images_for_their_tasks_and_other_gateways_hold_none(name: str, key: str, value: str) -> None:
    stack = fargate()
    stack[name][key] = value
    assert found(stack, known=True) == []
