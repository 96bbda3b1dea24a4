"""The committed public key of the record is compared with that of the account's KMS key."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from preflight.account.lines import Line, Status
from preflight.errors import ConfigurationError
from preflight.ready.command import record_key_of
from releases.attestation import Key, alias, place
from tests.preflight.account.loopback import Refusal
from tests.preflight.ready.faults import lines
from tests.preflight.ready.world import World

SUBJECT = "key of the record"


def reported(world: World) -> list[Line]:
    return [line for line in lines(world, "bootstrap") if line.subject == SUBJECT]


def pem(der: bytes) -> str:
    return f"-----BEGIN PUBLIC KEY-----\n{base64.encodebytes(der).decode()}-----END PUBLIC KEY-----\n"


@pytest.fixture
def signing(staging: World) -> Iterator[World]:
    """Staging's account with a key under the alias, which the checkout's file names."""
    kms = staging.client("kms")
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=alias("staging"), TargetKeyId=made)
    der = kms.get_public_key(KeyId=made)["PublicKey"]
    staging.wanted = replace(staging.wanted, record_key=Key("staging", pem(der)).public_key)
    yield staging
    kms.delete_alias(AliasName=alias("staging"))


def test_without_a_committed_key_nothing_is_asked(staging: World) -> None:
    staging.wanted = replace(staging.wanted, record_key="")
    staging.cloud.asked.clear()
    assert reported(staging) == []
    assert "GetPublicKey" not in {call.operation for call in staging.cloud.asked}


def test_the_same_key_is_ok(signing: World) -> None:
    (line,) = reported(signing)
    assert (line.status, line.fix) == (Status.OK, "")
    assert line.found == f"the public key of {alias('staging')} is the one in {place('staging')}"


def test_another_key_is_missing(signing: World) -> None:
    kms = signing.client("kms")
    other = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName=alias("staging"), TargetKeyId=other)
    (line,) = reported(signing)
    assert line.status is Status.MISSING
    assert "is not the one in releases/keys/staging.yaml" in line.found
    assert "python -m preflight release key staging --write" in line.fix


def test_no_key_in_the_account_is_missing(signing: World) -> None:
    signing.cloud.answers["kms", "GetPublicKey"] = Refusal("NotFoundException")
    (line,) = reported(signing)
    assert (line.status, line.found) == (Status.MISSING, f"{alias('staging')} does not exist")
    assert "pulumi up in bootstrap/" in line.fix


def test_a_refused_call_is_undecided(signing: World) -> None:
    signing.cloud.answers["kms", "GetPublicKey"] = Refusal("AccessDeniedException")
    (line,) = reported(signing)
    assert line.status is Status.CANNOT_TELL
    assert "kms:GetPublicKey" in line.fix


def test_a_broken_file_is_an_error_of_the_project_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "releases" / "keys").mkdir(parents=True)
    (tmp_path / place("staging")).write_text("pinnedEntries: 3\n", "utf-8")
    with pytest.raises(ConfigurationError, match="python -m preflight release key staging --write"):
        record_key_of(tmp_path, "staging")
