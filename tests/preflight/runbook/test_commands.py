"""Every command on a page, with the stack's names filled in, is one that its program accepts."""

from __future__ import annotations

import pytest

from tests.documents import aws, aws_query, check
from tests.preflight.conform.graphs import program
from tests.preflight.runbook.pages import CASES, calls

LEAST = {"aws": 40, "pulumi": 15, "python": 5}
"""Program → the least number of different calls on the pages of a stack."""


@pytest.mark.parametrize("case", CASES)
def test_every_command_is_accepted_with_the_names_of_the_stack(case: str) -> None:
    found = [f"{call}\n  {problem}" for call in calls(case) if (problem := check.problem(call))]
    assert found == []


@pytest.mark.parametrize("case", CASES)
def test_every_value_is_one_that_aws_accepts(case: str) -> None:
    found = [
        f"{call}\n  {problem}"
        for call in calls(case)
        if call.words[0] == "aws" and not call.mention and (problem := aws.wrong_values(call.words[1:]))
    ]
    assert found == []


@pytest.mark.parametrize("case", CASES)
def test_every_urn_is_one_of_the_stack(case: str) -> None:
    urns = {resource.urn for resource in program(case).resources}
    named = {
        word for call in calls(case) if call.words[0] == "pulumi" for word in call.words if word.startswith("urn:")
    }
    assert named
    assert named - urns == set()


@pytest.mark.parametrize("case", CASES)
def test_the_commands_are_found(case: str) -> None:
    for name, least in LEAST.items():
        assert len([call for call in calls(case) if call.words[0] == name]) >= least, name


WRONG = [
    ("ecs update-service --service interface --cluster c --desired-count", "many", "takes a number"),
    ("arc-zonal-shift get-managed-resource --resource-identifier", "r", "at least 8"),
    ("iam put-role-policy --role-name", "a role", "does not match"),
    ("backup list-backup-jobs --by-state", "BROKEN", "takes one of"),
    ("ec2 describe-security-group-rules --filters", "Nome=group-id,Values=sg-1", "has no Nome"),
    ("cloudtrail lookup-events --lookup-attributes", "AttributeKey=Other,AttributeValue=x", "takes one of"),
    ("s3api delete-object --bucket b --key", "", "at least 1"),
]


@pytest.mark.parametrize(("command", "value", "message"), WRONG)
def test_a_value_that_aws_refuses_is_found(command: str, value: str, message: str) -> None:
    assert message in aws.wrong_values([*command.split(), value])


def queries_of(case: str) -> set[tuple[str, str, str]]:
    """Service, operation and expression of each ``--query``."""
    words = [call.words for call in calls(case) if call.words[0] == "aws" and "--query" in call.words]
    return {(one[1], one[2], one[one.index("--query") + 1]) for one in words}


@pytest.mark.parametrize("case", CASES)
def test_every_query_reads_what_the_output_has(case: str) -> None:
    found = {one: problem for one in queries_of(case) if (problem := aws_query.problem(*one))}
    assert len(queries_of(case)) > 30
    assert found == {}


@pytest.mark.parametrize(
    ("operation", "expression", "message"),
    [
        ("describe-alarms", "MetricAlarms[].[AlarmNames]", "has no AlarmNames"),
        ("describe-alarms", "MetricAlarms[?State=='ALARM'].AlarmName", "has no State"),
        ("describe-alarms", "AlarmName", "finds nothing"),
        ("describe-alarms", "MetricAlarms.AlarmName", "finds nothing"),
        ("describe-alarms", "MetricAlarms[", "no JMESPath"),
        ("describe-alarms", "[MetricAlarms,CompositeAlarms][].[AlarmName,StateReason]", ""),
    ],
)
def test_a_query_that_reads_nothing_is_found(operation: str, expression: str, message: str) -> None:
    assert message in (found := aws_query.problem("cloudwatch", operation, expression))
    assert bool(found) == bool(message)
