"""Staging with ``data.copyVaultArn``: the copies, the permissions for them, and nothing that a check reports."""

from __future__ import annotations

import fnmatch
import json
from functools import cache
from typing import Any

import pytest

from components.data.args import DataArgs
from local.stack import Stack, recorded
from preflight.conform import permissions, values
from preflight.reference.recovery import facts, objectives
from preflight.sdk.wire import unwrap
from tests.assembly.guardrails import reported
from tests.bootstrap.program import run_bootstrap
from tests.settings.stack_files import stack_file

STACK, OWN, OTHER = "staging", "111122223333", "999988887777"
DATA = "ai-interface:data"
REGION = f"arn:aws:backup:eu-central-1:{OWN}:backup-vault:copies"
KEY = f"arn:aws:kms:eu-central-1:{OWN}:key/0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f"
ACCOUNT = f"arn:aws:backup:eu-west-1:{OTHER}:backup-vault:copies"
BOTH = pytest.mark.parametrize("vault", [REGION, ACCOUNT])


@cache
def stack(vault: str) -> Stack:
    given = stack_file(STACK).get(DATA, {})
    key = {"copyKeyArn": KEY} if vault == REGION else {}
    return recorded(STACK, settings={DATA: {**given, "copyVaultArn": vault, **key}})


def one(vault: str, type_: str, name: str) -> dict[str, Any]:
    (found,) = [r for r in stack(vault).recording.of_type(type_) if r.name == name]
    return json.loads(json.dumps(unwrap(found.inputs)))


def actions(document: str, *, resource: str) -> set[str]:
    return {
        action
        for statement in json.loads(document)["Statement"]
        if any(fnmatch.fnmatchcase(resource, pattern) for pattern in statement["Resource"] if pattern != "*")
        for action in statement["Action"]
    }


@BOTH
def test_each_copy_is_copied_and_kept_as_long(vault: str) -> None:
    (rule,) = one(vault, "aws:backup/plan:Plan", "state-backups")["rules"]
    assert rule["copyActions"] == [{"destinationVaultArn": vault, "lifecycle": rule["lifecycle"]}]


@BOTH
def test_the_role_may_fill_that_vault_and_no_other(vault: str) -> None:
    document = one(vault, "aws:iam/rolePolicy:RolePolicy", "state-backup-policy")["policy"]
    assert "backup:CopyIntoBackupVault" in actions(document, resource=vault)
    assert "backup:CopyIntoBackupVault" not in actions(document, resource=vault.replace(":copies", ":other"))


def test_a_database_s_copy_in_another_region_is_a_snapshot_there_under_that_vaults_key() -> None:
    document = one(REGION, "aws:iam/rolePolicy:RolePolicy", "state-backup-policy")["policy"]
    there = f"eu-central-1:{OWN}"
    assert "rds:CopyDBClusterSnapshot" in actions(
        document, resource=f"arn:aws:rds:{there}:cluster-snapshot:awsbackup:job-1"
    )
    assert {"kms:CreateGrant", "kms:GenerateDataKey"} <= actions(document, resource=KEY)
    assert actions(document, resource=f"arn:aws:kms:{there}:key/1") == set()
    same_region = one(ACCOUNT, "aws:iam/rolePolicy:RolePolicy", "state-backup-policy")["policy"]
    assert actions(same_region, resource=KEY) == set()


def test_only_another_account_may_read_the_copies_with_the_key_and_only_through_backup_and_rds() -> None:
    def principals(vault: str) -> list[dict[str, Any]]:
        document = json.loads(one(vault, "aws:kms/key:Key", "state-key")["policy"])
        return [s for s in document["Statement"] if OTHER in json.dumps(s["Principal"])]

    assert principals(REGION) == []
    granted = principals(ACCOUNT)
    assert {action for s in granted for action in s["Action"]} >= {"kms:CreateGrant", "kms:Decrypt"}
    assert [
        s for s in granted if "kms:ViaService" not in json.dumps(s) and "GrantIsForAWSResource" not in json.dumps(s)
    ] == []


@BOTH
def test_aws_accepts_it_and_the_pipeline_may_deploy_it(vault: str) -> None:
    recording = stack(vault).recording
    assert [f.headline for f in values.findings(recording)] == []
    (environment,) = [{"name": STACK, "hostedZoneId": "Z0123456789STAGING01"}]
    assert [f.headline for f in permissions.findings(recording, run_bootstrap(STACK, environments=[environment]))] == []


def test_the_guardrails_report_nothing_but_the_other_account_which_the_setting_accounts_lists() -> None:
    assert reported(stack(REGION)) == reported(recorded(STACK)) == set()
    assert {policy for policy, _ in reported(stack(ACCOUNT))} == {"iam-grants-stay-in-the-account"}


@BOTH
def test_the_recovery_objectives_name_the_copy(vault: str) -> None:
    found = facts(stack(vault).recording)
    assert found.copies == (vault,)
    by_failure = {one.failure: one.rpo for one in objectives(found)}
    assert vault.split(":")[3] in by_failure["the region"]


def test_the_component_refuses_a_vault_that_is_not_elsewhere() -> None:
    for vault in (ACCOUNT.replace(OTHER, OWN), REGION.replace(OWN, OTHER), REGION):
        with pytest.raises(ValueError, match=r"copy_(vault|key)_arn"):
            DataArgs.model_construct(
                copy_vault_arn=vault, copy_key_arn=None, region="eu-west-1", account_id=OWN
            )._copies_are_elsewhere()  # pyright: ignore[reportPrivateUsage, reportCallIssue]
