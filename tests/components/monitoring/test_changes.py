"""Which calls the rules on changes match: events in the form in which CloudTrail sends them, against the registered rules."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from moto.events.models import EventPattern

from assembly.alerts import GENERATED_SECRETS
from bootstrap.role_scope import GENERATED_SECRETS as NAMED_BY_BOOTSTRAP
from preflight.recording.recorder import RecordedResource
from tests.preflight.conform.graphs import STACKS, program

RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
ROLES = ("keys-changed", "secrets-read", "backups-deleted", "console-change")
LONGEST_PATTERN = 4096
"""EventBridge's limit for a pattern (botocore, PutRule)."""


@cache
def of_stack(stack: str) -> dict[str, RecordedResource]:
    """Rules and targets of the component, by name."""
    return {
        r.name: r
        for kind in (RULE, TARGET)
        for r in program(stack).of_type(kind)
        if r.name.startswith("changes-")
    }  # fmt: skip


def pattern(role: str, stack: str = "staging") -> str:
    return of_stack(stack)[f"changes-{role}"].inputs["eventPattern"]


def account(stack: str = "staging") -> str:
    (vault,) = program(stack).of_type("aws:backup/vault:Vault")
    return str(vault.outputs["arn"]).split(":")[4]


def vault_name(stack: str = "staging") -> str:
    (vault,) = program(stack).of_type("aws:backup/vault:Vault")
    return str(vault.outputs["arn"]).rpartition(":")[2]


def person(role: str = "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0a1b") -> dict[str, Any]:
    name = role.rpartition("/")[2]
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{account()}:assumed-role/{name}/someone",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{account()}:role/{role}"}},
    }


def event(
    service: str, call: str, who: Mapping[str, Any], *, read: bool = False, **parameters: object
) -> dict[str, Any]:
    """An event of CloudTrail as EventBridge delivers it."""
    return {
        "version": "0",
        "source": f"aws.{service}",
        "detail-type": "AWS API Call via CloudTrail",
        "account": account(),
        "region": "eu-west-1",
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": copy.deepcopy(dict(who)),
            "eventTime": "2026-11-30T03:00:00Z",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": call,
            "requestParameters": dict(parameters) or None,
            "readOnly": read,
            "eventID": "1",
            "managementEvent": True,
        },
    }


def from_console(found: dict[str, Any]) -> dict[str, Any]:
    found["detail"]["sessionCredentialFromConsole"] = "true"
    return found


def matching(found: dict[str, Any]) -> set[str]:
    """The rules that match an event."""
    return {role for role in ROLES if EventPattern.load(pattern(role)).matches_event(found)}  # type: ignore[arg-type]


USER = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/x", "userName": "x"}
ROOT = {"type": "Root", "arn": "arn:aws:iam::111122223333:root"}
NAMED = "ai-interface/staging/oidc-client-secret"
OURS = ("ai-interface/staging/workload-task", "ai-interface-pipeline/ai-interface-staging-preview")


def secret(name: str, *, arn: bool) -> str:
    return f"arn:aws:secretsmanager:eu-west-1:{account()}:secret:{name}-AbCdEf" if arn else name


@pytest.mark.parametrize("call", ["PutKeyPolicy", "ScheduleKeyDeletion", "DisableKey"])
def test_a_change_of_a_key_is_reported_also_by_a_role_of_ours(call: str) -> None:
    for who in (person(), person(OURS[1]), USER, ROOT):
        assert matching(event("kms", call, who, keyId="k")) == {"keys-changed"}


@pytest.mark.parametrize("call", ["Decrypt", "CreateKey", "EnableKeyRotation", "TagResource", "CreateGrant"])
def test_the_use_of_a_key_is_not(call: str) -> None:
    assert matching(event("kms", call, person(), keyId="k")) == set()


@pytest.mark.parametrize("arn", [False, True])
@pytest.mark.parametrize("who", [USER, ROOT, person(), person("other-program/task")], ids=lambda who: who["arn"])
def test_a_secret_that_anyone_else_reads_is_reported(who: dict[str, Any], arn: bool) -> None:
    for name in (NAMED, "rds!cluster-0a1b", *(f"{start}x-0a1b2c3" for start in GENERATED_SECRETS)):
        found = event("secretsmanager", "GetSecretValue", who, read=True, secretId=secret(name, arn=arn))
        assert matching(found) == {"secrets-read"}, name


@pytest.mark.parametrize("role", OURS)
def test_the_roles_of_the_project_read_their_secrets_silently(role: str) -> None:
    found = event("secretsmanager", "GetSecretValue", person(role), read=True, secretId=secret(NAMED, arn=True))
    assert matching(found) == set()


def test_the_secrets_of_other_environments_and_programs_are_theirs() -> None:
    for name in ("ai-interface/prod/oidc-client-secret", "payroll/database"):
        for arn in (False, True):
            found = event("secretsmanager", "GetSecretValue", USER, read=True, secretId=secret(name, arn=arn))
            assert matching(found) == set()
    assert matching(event("secretsmanager", "DescribeSecret", USER, read=True, secretId=NAMED)) == set()


@pytest.mark.parametrize("stack", STACKS)
def test_only_the_rule_on_secrets_receives_calls_that_only_read(stack: str) -> None:
    states = {role: of_stack(stack)[f"changes-{role}"].inputs["state"] for role in ROLES}
    assert states == dict.fromkeys(ROLES, "ENABLED") | {"secrets-read": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}


@pytest.mark.parametrize("call", ["DeleteRecoveryPoint", "DeleteBackupVault", "PutBackupVaultAccessPolicy"])
def test_what_is_deleted_in_the_vault_is_reported(call: str) -> None:
    assert matching(event("backup", call, person(OURS[1]), backupVaultName=vault_name())) == {"backups-deleted"}
    assert matching(event("backup", call, person(), backupVaultName="another")) == set()


def test_a_change_in_the_console_is_reported_and_a_look_or_a_query_is_not() -> None:
    change = event("ecs", "UpdateService", person(), cluster="x")
    assert matching(from_console(change)) == {"console-change"}
    assert matching(event("ecs", "UpdateService", person(OURS[1]), cluster="x")) == set()
    assert matching(from_console(event("ecs", "DescribeServices", person(), read=True))) == set()
    assert matching(from_console(event("logs", "StartQuery", person()))) == set()
    assert matching(from_console(event("payments", "UpdatePaymentPreferences", person()))) == set()
    both = from_console(event("kms", "PutKeyPolicy", person(), keyId="k"))
    assert matching(both) == {"console-change", "keys-changed"}


@pytest.mark.parametrize("stack", STACKS)
def test_every_rule_sends_who_did_what_to_the_alarm_topic(stack: str) -> None:
    resources = of_stack(stack)
    assert set(resources) == {f"changes-{role}{end}" for role in ROLES for end in ("", "-target")}
    topics = {topic.name: topic.outputs["arn"] for topic in program(stack).of_type("aws:sns/topic:Topic")}
    for role in ROLES:
        target = resources[f"changes-{role}-target"].inputs
        assert target["arn"] == topics["operations-tickets" if role == "console-change" else "operations-alarms"]
        paths, template = (
            target["inputTransformer"]["inputPaths"],
            json.loads(target["inputTransformer"]["inputTemplate"]),
        )
        assert all(f"<{name}>" in template for name in paths)
        assert template.endswith(f"#{role}")
        assert len(pattern(role, stack)) <= LONGEST_PATTERN


def test_the_paths_of_the_message_are_in_the_event() -> None:
    detail = event("kms", "PutKeyPolicy", USER)["detail"]
    for path in of_stack("staging")["changes-keys-changed-target"].inputs["inputTransformer"]["inputPaths"].values():
        found: Any = {"detail": detail}
        for part in path.removeprefix("$.").split("."):
            found = found[part]
        assert isinstance(found, str)


def test_the_generated_secrets_are_those_that_bootstrap_knows() -> None:
    assert tuple(f"{start}*" for start in GENERATED_SECRETS) == NAMED_BY_BOOTSTRAP


@pytest.mark.parametrize("stack", STACKS)
def test_every_service_with_resources_of_the_stack_is_watched_in_the_console(stack: str) -> None:
    watched = set(json.loads(pattern("console-change", stack))["detail"]["eventSource"])
    renamed = {
        "appautoscaling": "application-autoscaling",
        "cloudwatch": "monitoring",
        "lb": "elasticloadbalancing",
        "vpc": "ec2",
    }
    elsewhere = {"budgets", "iam", "route53"}
    used = {r.type.split(":")[1].partition("/")[0] for r in program(stack).resources if r.type.startswith("aws:")}
    assert {f"{renamed.get(one, one)}.amazonaws.com" for one in used - elsewhere} - watched == set()
