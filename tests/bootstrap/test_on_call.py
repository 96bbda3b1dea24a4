"""The on-call role may do what the runbook says, in each command of it, and reads no content."""

from __future__ import annotations

import fnmatch
import importlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from bootstrap.on_call import MAY, READ_LOGS, READ_QUEUES, log_groups, on_call_boundary, on_call_policy, queues
from bootstrap.role_actions import qualified
from bootstrap.role_scope import Scope
from preflight.conform.iam import reference
from settings.errors import SettingsError
from tests.bootstrap.program import run_bootstrap, stack_file
from tests.documents.aws import options
from tests.documents.extract import commands as calls
from tests.documents.extract import scripts
from tests.preflight.conform.graphs import STACKS, VARIANTS, program
from tests.settings.stack_files import ROOT

SCOPE = Scope("111122223333", "eu-west-1", "staging")
RUNBOOK = "\n".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("runbook.md", "incidents.md"))
PREFIX = {"monitoring": "cloudwatch", "tagging": "tag"}
"""Endpoint prefix of a service → its IAM prefix, where they differ."""
ONE_STEP = 600
"""Characters before a command in which its step says who runs it."""
GENERAL = {"query", "output", "region", "profile"}
"""Options of every command of the AWS CLI."""
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
CONTENT = [
    "secretsmanager:GetSecretValue",
    "secretsmanager:BatchGetSecretValue",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "ecs:ExecuteCommand",
    "rds-data:ExecuteStatement",
    "rds-db:connect",
    "rds:DownloadDBLogFilePortion",
    "elasticache:Connect",
    "bedrock:InvokeModel",
    "bedrock:GetModelInvocationLoggingConfiguration",
    "logs:Unmask",
    "backup:StartRestoreJob",
    "sts:AssumeRole",
    "iam:PassRole",
]


xform_name: Callable[[str, str], str] = importlib.import_module("botocore").xform_name
SESSION: Any = importlib.import_module("botocore.session").get_session()


@dataclass(frozen=True)
class Command:
    """One command of the runbook."""

    service: str
    operation: str
    options: tuple[str, ...]

    def __str__(self) -> str:
        return f"aws {self.service} {self.operation}"


def commands(text: str) -> list[Command]:
    """The AWS CLI's commands in blocks and in code spans, in their order, without duplicates."""
    parsed = [
        Command(call.words[1], call.words[2], tuple(options(call.words[3:])))
        for script in scripts("runbook", text)
        for call in calls(script)
        if call.words[0] == "aws" and len(call.words) > 2
    ]
    return list(dict.fromkeys(parsed))


COMMANDS = commands(RUNBOOK)


def model(command: Command) -> tuple[Any, Any]:
    """The service's and the operation's model in botocore, from which the AWS CLI makes its commands."""
    service = SESSION.get_service_model(command.service)
    (name,) = [one for one in service.operation_names if xform_name(one, "-") == command.operation]
    return service, service.operation_model(name)


def action_of(command: Command) -> str:
    service, operation = model(command)
    prefix = service.signing_name if command.service == "service-quotas" else service.endpoint_prefix
    return f"{PREFIX.get(prefix, prefix)}:{operation.name}"


def statements(text: str, effect: str) -> list[dict[str, Any]]:
    return [one for one in json.loads(text)["Statement"] if one["Effect"] == effect]


def matches(statement: dict[str, Any], action: str) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), one.lower()) for one in statement["Action"])


def allowed(action: str) -> bool:
    """Whether policy and boundary allow an action on some resource."""
    policy, boundary = on_call_policy(SCOPE), on_call_boundary(SCOPE)
    denied = [one for one in statements(boundary, "Deny") if one.get("Resource") == ["*"] and matches(one, action)]
    return not denied and all(
        any(matches(one, action) for one in statements(text, "Allow")) for text in (policy, boundary)
    )


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 10
    assert {command.service for command in COMMANDS} >= {"ecs", "logs", "cloudwatch", "elbv2", "rds"}


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_the_role_may_do_what_a_command_of_the_runbook_does(command: Command) -> None:
    action = action_of(command)
    assert reference.matching(action)
    if reference.existing(action).level in ("Write", "Permissions management"):
        for found in re.finditer(rf"{command}\b", RUNBOOK):
            before = RUNBOOK[max(0, found.start() - ONE_STEP) : found.start()].lower()
            assert "administrator" in before, f"{command} changes something: say that an administrator runs it"
        assert not allowed(action)
        return
    assert allowed(action), f"add {action} to MAY in bootstrap/on_call.py"


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_command_has_only_options_that_the_cli_knows_and_every_required_one(command: Command) -> None:
    shape = model(command)[1].input_shape
    known = {xform_name(name, "-") for name in shape.members}
    known |= {f"no-{name}" for name in known}
    assert set(command.options) - known - GENERAL == set()
    assert {xform_name(name, "-") for name in shape.required_members} - set(command.options) == set()


def test_every_action_only_reads() -> None:
    listed = [*qualified(MAY), *(f"logs:{one}" for one in READ_LOGS), *(f"sqs:{one}" for one in READ_QUEUES)]
    found = {name: reference.existing(name).level for name in listed}
    assert len(found) == len(listed)
    assert all(reference.existing(name).name == name for name in listed)
    assert {name: level for name, level in found.items() if level not in {"Read", "List"}} == {}


@pytest.mark.parametrize("action", CONTENT)
def test_no_content_is_read_and_no_role_is_taken(action: str) -> None:
    assert reference.matching(action)
    assert not allowed(action)


def test_a_key_is_used_for_nothing_but_measurements_of_the_own_databases() -> None:
    (decrypts,) = [one for one in statements(on_call_policy(SCOPE), "Allow") if matches(one, "kms:Decrypt")]
    assert decrypts["Condition"]["StringEquals"] == {
        "aws:ResourceTag/environment": ["staging"],
        "aws:ResourceTag/project": ["ai-interface"],
        "kms:EncryptionContext:aws:pi:service": ["rds"],
        "kms:ViaService": ["rds.eu-west-1.amazonaws.com"],
    }


def readable(group: str, scope: Scope) -> bool:
    arn = scope.of("logs", f"log-group:{group}:*")
    return any(fnmatch.fnmatchcase(arn, pattern) for pattern in log_groups(scope))


@pytest.mark.parametrize("case", [*STACKS, *VARIANTS])
def test_the_logs_of_the_saved_queries_are_readable_and_no_log_that_may_quote_a_statement(case: str) -> None:
    recording = program(case)
    account = recording.of_type("aws:wafv2/webAcl:WebAcl")[0].outputs["arn"].split(":")[4]
    scope = Scope(account, "eu-west-1", recording.stack)
    queried = {
        group
        for one in recording.of_type("aws:cloudwatch/queryDefinition:QueryDefinition")
        for group in one.inputs["logGroupNames"]
    }
    every = {one.inputs["name"] for one in recording.of_type(LOG_GROUP)}
    assert queried
    assert {group for group in queried if not readable(group, scope)} == set()
    assert {group for group in every if group.endswith("/postgresql") and readable(group, scope)} == set()


@pytest.mark.parametrize("case", [*STACKS, *VARIANTS])
def test_every_queue_of_undelivered_messages_is_readable(case: str) -> None:
    recording = program(case)
    found = [str(one.outputs["arn"]) for one in recording.of_type("aws:sqs/queue:Queue")]
    account, region = found[0].split(":")[4], found[0].split(":")[3]
    patterns = queues(Scope(account, region, recording.stack))
    assert [arn for arn in found if not any(fnmatch.fnmatchcase(arn, pattern) for pattern in patterns)] == []


def test_the_logs_of_another_environment_are_not_readable() -> None:
    other = ("/ai-interface/prod/proxy", "aws-waf-logs-ai-interface-prod-firewall", "/ai-interface/staging2/proxy")
    assert [group for group in other if readable(group, SCOPE)] == []


def test_without_the_section_there_is_no_role() -> None:
    values = stack_file("staging")
    assert values["ai-interface-bootstrap:onCall"]
    recording = run_bootstrap("staging", onCall=None)
    assert not [one for one in recording.of_type("aws:iam/role:Role") if "on-call" in one.inputs["name"]]


def test_a_role_of_another_account_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"onCall\.principals") as refused:
        run_bootstrap("staging", onCall={"principals": ["arn:aws:iam::999999999999:role/on-call"]})
    assert "roles of this account (111122223333)" in str(refused.value)
