"""The offline preview on small programs: names, replacements and their dependents, as in the engine."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pytest

from preflight.changes.monitor import planned
from preflight.changes.plan import Operation, Plan
from preflight.changes.refusals import refusals
from preflight.recording.recorder import record

CONFIG = {"aws:region": "eu-west-1", "aws:allowedAccountIds": '["111122223333"]'}


def plan(before: Callable[[], object], after: Callable[[], object]) -> Plan:
    running = record(before, config=CONFIG)
    return planned(after, running, config=CONFIG)


def steps(found: Plan) -> list[tuple[str, Operation]]:
    return [(step.name, step.operation) for _, step in sorted(found.steps.items())]


def network(block: str = "10.0.0.0/16", *, protect: bool = False) -> Callable[[], object]:
    def program() -> None:
        vpc = aws.ec2.Vpc("vpc", cidr_block=block, opts=pulumi.ResourceOptions(protect=protect))
        aws.ec2.Subnet("subnet", vpc_id=vpc.id, cidr_block="10.0.1.0/24")
        aws.ec2.InternetGateway("gateway", vpc_id=vpc.id)

    return program


def logs(name: str, *, aliases: list[str] | None = None) -> Callable[[], object]:
    options = pulumi.ResourceOptions(aliases=[pulumi.Alias(name=alias) for alias in aliases or []])
    return lambda: aws.cloudwatch.LogGroup(name, name="/logs", opts=options)


def test_a_replacement_reaches_what_names_it() -> None:
    found = plan(network(), network("10.1.0.0/16"))
    assert steps(found) == [
        ("gateway", Operation.UPDATE),
        ("subnet", Operation.REPLACE),
        ("vpc", Operation.REPLACE),
    ]


def test_what_is_protected_is_refused_and_lifting_it_in_the_same_update_is_not() -> None:
    refused = plan(network(protect=True), network("10.1.0.0/16", protect=True))
    lifted = plan(network(protect=True), network("10.1.0.0/16"))
    assert [refusal.place for refusal in refusals(refused)] == ["ec2.Vpc vpc.cidrBlock"]
    assert refusals(lifted) == []


def test_what_is_protected_cannot_be_left_out() -> None:
    found = plan(network(protect=True), lambda: None)
    assert {operation for _, operation in steps(found)} == {Operation.DELETE}
    assert [refusal.place for refusal in refusals(found)] == ["ec2.Vpc vpc"]


def test_a_former_name_is_the_same_resource() -> None:
    assert steps(plan(logs("one"), logs("two", aliases=["one"]))) == []


def test_another_logical_name_is_another_resource_with_the_same_name_at_aws() -> None:
    found = plan(logs("one"), logs("two"))
    assert steps(found) == [("one", Operation.DELETE), ("two", Operation.CREATE)]
    assert [refusal.place for refusal in refusals(found)] == ["cloudwatch.LogGroup two"]


def test_what_keeps_a_given_name_is_deleted_first_with_what_cannot_do_without_it() -> None:
    def program(port: int) -> Callable[[], object]:
        def run() -> None:
            group = aws.lb.TargetGroup(
                "group", name="given", port=port, protocol="HTTPS", target_type="ip", vpc_id="vpc-1"
            )
            aws.lb.TargetGroupAttachment("target", target_group_arn=group.arn, target_id="10.0.0.1")

        return run

    found = plan(program(443), program(444))
    assert [(s.name, s.operation, s.deleted_first) for _, s in sorted(found.steps.items())] == [
        ("group", Operation.REPLACE, True),
        ("target", Operation.REPLACE, True),
    ]


def test_a_secret_that_changes_is_seen() -> None:
    def program(value: str) -> Callable[[], object]:
        return lambda: aws.ssm.Parameter("one", type="SecureString", value=pulumi.Output.secret(value))

    assert steps(plan(program("a"), program("b"))) == [("one", Operation.UPDATE)]
    assert steps(plan(program("a"), program("a"))) == []


class Store(pulumi.ComponentResource):
    def __init__(self, type_: str, name: str, former: pulumi.Alias | None = None) -> None:
        super().__init__(type_, name, {}, pulumi.ResourceOptions(aliases=[former] if former else []))
        aws.cloudwatch.LogGroup(f"{name}-log", name="/logs", opts=pulumi.ResourceOptions(parent=self))


def test_what_is_in_a_renamed_component_is_the_same_resource() -> None:
    """The engine derives a child's former URN from its parent's, including the beginning of its name."""
    former = pulumi.Alias(type_="example:index:State", name="state")
    found = plan(lambda: Store("example:index:State", "state"), lambda: Store("example:index:Data", "data", former))
    assert steps(found) == []
    without = plan(lambda: Store("example:index:State", "state"), lambda: Store("example:index:Data", "data"))
    assert [operation for _, operation in steps(without)] == [Operation.CREATE, Operation.DELETE]


@pytest.mark.parametrize(
    ("replaced_for", "operation"),
    [
        ([], Operation.UPDATE),
        (["kmsKeyId"], Operation.UPDATE),
        (["retentionInDays"], Operation.REPLACE),
        (["*"], Operation.REPLACE),
    ],
)
def test_a_change_that_the_program_replaces_a_resource_for_is_a_replacement(
    replaced_for: list[str], operation: Operation
) -> None:
    def program(days: int) -> Callable[[], object]:
        options = pulumi.ResourceOptions(replace_on_changes=replaced_for)
        return lambda: aws.cloudwatch.LogGroup("group", name="/logs", retention_in_days=days, opts=options)

    assert steps(plan(program(30), program(60))) == [("group", operation)]


@pytest.mark.parametrize(
    ("replaced_for", "expected"),
    [([], (Operation.UPDATE, False)), (["*"], (Operation.REPLACE, True))],
)
def test_what_the_program_replaces_goes_before_what_it_depends_on(
    replaced_for: list[str], expected: tuple[Operation, bool]
) -> None:
    def program(port: int) -> Callable[[], object]:
        def run() -> None:
            group = aws.lb.TargetGroup(
                "group", name="given", port=port, protocol="HTTPS", target_type="ip", vpc_id="vpc-1"
            )
            options = pulumi.ResourceOptions(replace_on_changes=replaced_for)
            forward = aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=group.arn)
            aws.lb.Listener("listener", load_balancer_arn="arn", default_actions=[forward], opts=options)

        return run

    found = plan(program(443), program(444))
    (step,) = [one for one in found.steps.values() if one.name == "listener"]
    assert (step.operation, step.deleted_first) == expected
