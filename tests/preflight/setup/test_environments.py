"""A copy of an environment gets another network, and its name wherever the other one's was."""

from __future__ import annotations

import pytest

from preflight.errors import ConfigurationError
from preflight.setup import environments
from preflight.setup import project as files_of
from tests.settings.stack_files import ROOT


@pytest.mark.parametrize(
    ("like", "used", "free"),
    [
        ("10.20.0.0/16", ["10.20.0.0/16", "10.30.0.0/16"], "10.21.0.0/16"),
        ("10.20.0.0/16", ["10.20.0.0/16", "10.21.128.0/17"], "10.22.0.0/16"),
        ("192.168.0.0/20", ["192.168.0.0/20", None], "192.168.16.0/20"),
        ("172.16.0.0/16", ["172.16.0.0/15"], "172.18.0.0/16"),
    ],
)
def test_the_next_block_that_overlaps_with_none_is_taken(like: str, used: list[str | None], free: str) -> None:
    assert str(environments.free_block(like, used)) == free


def test_without_a_free_block_the_message_names_the_key() -> None:
    with pytest.raises(ConfigurationError, match=r"network\.cidrBlock"):
        environments.free_block("192.168.0.0/17", ["192.168.0.0/16"])


def test_the_copy_names_itself_wherever_the_other_one_did() -> None:
    made = environments.added("dev", "staging", files_of.committed(ROOT))
    assert sorted(made) == [
        *(".github/workflows/dev.yml", ".github/workflows/drift.yml", "Pulumi.dev.yaml", "bootstrap/Pulumi.dev.yaml"),
        "policies/parity/differences.yaml",
    ]
    for name in ("Pulumi.dev.yaml", "bootstrap/Pulumi.dev.yaml", ".github/workflows/dev.yml"):
        assert "staging" not in made[name]
    assert "stack: [dev, staging, prod]" in made[".github/workflows/drift.yml"]
    assert "environments: [dev, staging, prod]" in made["policies/parity/differences.yaml"]


def test_an_environment_that_does_not_exist_cannot_be_copied() -> None:
    with pytest.raises(ConfigurationError, match=r"no stack file Pulumi\.qa\.yaml"):
        environments.added("dev", "qa", files_of.committed(ROOT))


def test_what_remains_says_what_to_do_in_an_account_that_has_an_environment() -> None:
    assert "delete bootstrap/Pulumi.dev.yaml and add dev to the account's file" in environments.remaining(
        "dev", "staging"
    )
