"""AWS Backup's restore tests: what is restored, where to, by whom, and which message a failed test sends."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.common.aws_limits import RESTORE_TEST_MONTHS
from components.data.backup import COMPLETION_MINUTES, SCHEDULE, START_MINUTES
from components.data.restore_tests import HOUR, PREFIX
from tests.components.task_fixtures import ACCOUNT, REGION, build, document, made, one

PLAN = "aws:backup/restoreTestingPlan:RestoreTestingPlan"
SELECTION = "aws:backup/restoreTestingSelection:RestoreTestingSelection"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
RULES = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
)
POLICY = "aws:iam/rolePolicy:RolePolicy"
RULE = "aws:cloudwatch/eventRule:EventRule"


def test_the_newest_nightly_copy_of_each_is_restored_every_month() -> None:
    recording = build("state")
    plan = one(recording, PLAN)

    assert plan.inputs["recoveryPointSelection"] == {
        "algorithm": "LATEST_WITHIN_WINDOW",
        "includeVaults": [one(recording, "aws:backup/vault:Vault").outputs["arn"]],
        "recoveryPointTypes": ["SNAPSHOT"],
        "selectionWindowDays": 7,
    }
    assert (plan.inputs["scheduleExpression"], plan.inputs["startWindowHours"]) == ("cron(0 14 1 1/1 ? *)", 1)
    protected = {
        str(one_.inputs["protectedResourceType"]): one_.inputs["protectedResourceArns"]
        for one_ in recording.of_type(SELECTION)
    }
    assert protected == {
        "Aurora": [one(recording, "aws:rds/cluster:Cluster").outputs["arn"]],
        "S3": [one(recording, "aws:s3/bucket:Bucket", "state-uploads").outputs["arn"]],
    }
    assert protected["Aurora"] + protected["S3"] == one(recording, "aws:backup/selection:Selection").inputs["resources"]


def test_the_nightly_copies_are_complete_or_have_failed_before_a_test_starts() -> None:
    minute, hour = (int(part) for part in SCHEDULE.removeprefix("cron(").split()[:2])
    assert hour * 60 + minute + START_MINUTES + COMPLETION_MINUTES < HOUR * 60


def test_a_copy_stays_in_the_private_subnets_behind_a_group_without_rules_under_the_datas_key() -> None:
    recording = build("state")
    overrides: dict[str, Any] = {
        str(one_.inputs["protectedResourceType"]): one_.inputs["restoreMetadataOverrides"]
        for one_ in recording.of_type(SELECTION)
    }
    group = one(recording, GROUP, "state-restore-test-group").id

    assert overrides["Aurora"] == {
        "dbSubnetGroupName": one(recording, "aws:rds/subnetGroup:SubnetGroup").outputs["name"],
        "vpcSecurityGroupIds": json.dumps([group]),
    }
    assert overrides["S3"] == {
        "encryptionType": "SSE-KMS",
        "kmsKey": one(recording, "aws:kms/key:Key").outputs["arn"],
        "restoreACLs": "false",
    }
    assert not [rule for kind in RULES for rule in recording.of_type(kind) if group in map(str, rule.inputs.values())]


def test_a_changed_selection_is_replaced_because_the_provider_does_not_change_it() -> None:
    for selection in build("state").of_type(SELECTION):
        assert (selection.replace_on_changes, selection.delete_before_replace) == (("*",), True)


def test_the_role_writes_only_what_aws_backup_names_as_a_test() -> None:
    recording = build("state")
    statements = {s["Sid"]: s for s in document(one(recording, POLICY, "state-restore-test-policy"))}
    own, key = f"arn:aws:rds:{REGION}:{ACCOUNT}", one(recording, "aws:kms/key:Key").outputs["arn"]
    group = one(recording, "aws:rds/subnetGroup:SubnetGroup").outputs["name"]

    assert {sid: statement["Resource"] for sid, statement in statements.items()} == {
        "FindCopies": [f"{own}:{kind}:*" for kind in ("cluster-snapshot", "cluster", "db")],
        "RestoreTheDatabase": sorted(
            [
                f"{own}:cluster-pg:default.*",
                f"{own}:cluster-snapshot:awsbackup:*",
                f"{own}:cluster:{PREFIX}*",
                f"{own}:og:default:*",
                f"{own}:subgrp:{group}",
            ]
        ),
        "MarkAndRemoveTheCopy": [f"{own}:cluster:{PREFIX}*"],
        "MakeTheBucket": [f"arn:aws:s3:::{PREFIX}*"],
        "RestoreTheObjects": [f"arn:aws:s3:::{PREFIX}*/*"],
        "UseTheKey": [key],
        "LetTheDatabaseUseTheKey": [key],
    }
    # What the original has stays as it is: no statement names it.
    original = {
        one(recording, "aws:s3/bucket:Bucket", "state-uploads").outputs["arn"],
        one(recording, "aws:rds/cluster:Cluster").outputs["arn"],
    }
    assert not original & {resource for statement in statements.values() for resource in statement["Resource"]}


@pytest.mark.parametrize("months", RESTORE_TEST_MONTHS)
def test_the_months_between_two_tests_are_a_choice(months: int) -> None:
    recording = build("state", restore_test_months=months)
    if months:
        assert one(recording, PLAN).inputs["scheduleExpression"] == f"cron(0 14 1 1/{months} ? *)"
    else:
        assert not {PLAN, SELECTION} & set(made(recording))


def test_months_that_do_not_divide_a_year_are_refused() -> None:
    with pytest.raises(ValidationError, match="one of 0, 1, 2, 3, 4, 6, 12, not 5"):
        build("state", restore_test_months=5)


def test_a_failed_test_sends_a_ticket_and_a_stack_without_tests_has_no_rule() -> None:
    plan = "arn:aws:backup:eu-west-1:111122223333:restore-testing-plan:ai_interface_test-0a1b"
    rule = one(build("state-alarms", restore_test_plan_arn=plan), RULE, "state-alarms-restore-test-failed")

    assert json.loads(str(rule.inputs["eventPattern"])) == {
        "source": ["aws.backup"],
        "detail-type": ["Restore Job State Change"],
        "detail": {"restoreTestingPlanArn": [plan], "status": ["ABORTED", "FAILED"]},
    }
    assert [one_.name for one_ in build("state-alarms").of_type(RULE)] == ["state-alarms-backup-failed"]
