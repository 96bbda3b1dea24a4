"""The key of the record: one role of its environment signs with it, and no IAM policy can allow anyone else to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from preflight.conform.iam import reference
from preflight.conform.iam.evaluator import names_action
from preflight.recording.recorder import Recording
from releases.attestation import ALGORITHM, alias
from tests.bootstrap.program import run_bootstrap

GIVES_AWAY = ("kms:CreateGrant", "kms:ReplicateKey", "kms:Sign")
"""Actions with which a signature can be made, or made possible for others without changing the key's policy."""


@pytest.fixture(scope="module", params=["staging", "prod"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return run_bootstrap(request.param)


def key(recording: Recording) -> dict[str, Any]:
    (found,) = [r for r in recording.of_type("aws:kms/key:Key") if r.name.endswith("-record-key")]
    return dict(found.inputs)


def statements(recording: Recording) -> list[dict[str, Any]]:
    return json.loads(key(recording)["policy"])["Statement"]


def role_arn(recording: Recording) -> str:
    (role,) = [r for r in recording.of_type("aws:iam/role:Role") if r.inputs["name"].endswith("-record")]
    return str(role.outputs["arn"])


def test_it_signs_on_the_curve_that_the_record_verifies(recording: Recording) -> None:
    found = key(recording)
    assert (found["keyUsage"], found["customerMasterKeySpec"]) == ("SIGN_VERIFY", "ECC_NIST_P256")
    assert found["tags"]["environment"] == "shared"
    aliases = {r.inputs["name"] for r in recording.of_type("aws:kms/alias:Alias")}
    assert alias(recording.stack) in aliases


def test_only_the_record_role_of_the_environment_may_sign(recording: Recording) -> None:
    signing = [s for s in statements(recording) if names_action(s, "kms:Sign")]
    assert [(s["Principal"], s["Action"], s["Condition"]) for s in signing] == [
        (
            {"AWS": [role_arn(recording)]},
            ["kms:Sign"],
            {"StringEquals": {"kms:SigningAlgorithm": [ALGORITHM], "kms:MessageType": ["RAW"]}},
        )
    ]


@pytest.mark.parametrize("action", GIVES_AWAY)
def test_no_policy_of_the_account_can_grant_a_signature(recording: Recording, action: str) -> None:
    assert reference.matching(action)
    to_the_account = [s for s in statements(recording) if s["Principal"] == {"AWS": [_root(recording)]}]
    assert to_the_account
    assert [s["Sid"] for s in to_the_account if names_action(s, action)] == []


def _root(recording: Recording) -> str:
    return f"arn:aws:iam::{role_arn(recording).split(':')[4]}:root"


def test_the_account_can_still_manage_and_replace_the_key(recording: Recording) -> None:
    (managing,) = [s for s in statements(recording) if s["Principal"] == {"AWS": [_root(recording)]}]
    for action in ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:GetPublicKey", "kms:UpdateAlias"):
        assert names_action(managing, action)


def test_no_policy_is_attached_to_the_role(recording: Recording) -> None:
    role = role_arn(recording).rpartition("/")[2]
    attached = {a.inputs["role"] for a in recording.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")}
    assert role not in attached


def test_environments_in_one_account_have_a_key_each() -> None:
    made = run_bootstrap("staging", environments=[{"name": "staging"}, {"name": "review"}])
    signers = {
        r.name: json.loads(r.inputs["policy"])["Statement"][1]["Principal"]["AWS"]
        for r in made.of_type("aws:kms/key:Key")
        if r.name.endswith("-record-key")
    }
    assert {name: arns[0].rpartition("/")[2] for name, arns in signers.items()} == {
        f"{name}-record-key": f"ai-interface-{name}-record" for name in ("staging", "review")
    }
