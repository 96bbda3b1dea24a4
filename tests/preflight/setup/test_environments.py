"""A copy of an environment gets another network, and its name wherever the other one's was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from preflight.errors import ConfigurationError
from preflight.setup import environments
from preflight.setup import project as files_of
from tests.settings.stack_files import ROOT

OTHER_ACCOUNT = "777788889999"


@pytest.fixture(scope="module")
def before() -> dict[str, str]:
    return files_of.committed(ROOT)


def config(text: str) -> dict[str, Any]:
    return yaml.safe_load(text)["config"]


def listed(text: str) -> list[dict[str, str]]:
    return config(text)["ai-interface-bootstrap:environments"]


def accounts(files: Mapping[str, str]) -> list[str]:
    """The account of every bootstrap stack file."""
    return [str(config(text)["aws:allowedAccountIds"]) for name, text in files.items() if name.startswith("bootstrap/")]


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


def test_the_copy_names_itself_wherever_the_other_one_did(before: dict[str, str]) -> None:
    made = environments.added("dev", "staging", before, OTHER_ACCOUNT)
    assert sorted(made) == [
        *(".github/workflows/dev.yml", ".github/workflows/drift.yml", "Pulumi.dev.yaml", "bootstrap/Pulumi.dev.yaml"),
        "policies/parity/differences.yaml",
    ]
    for name in ("Pulumi.dev.yaml", "bootstrap/Pulumi.dev.yaml", ".github/workflows/dev.yml"):
        assert "staging" not in made[name]
    assert "stack: [dev, staging, prod]" in made[".github/workflows/drift.yml"]
    assert "environments: [dev, staging, prod]" in made["policies/parity/differences.yaml"]


def test_in_the_same_account_the_account_s_file_gets_one_more_environment(before: dict[str, str]) -> None:
    made = environments.added("dev", "staging", before)
    assert "bootstrap/Pulumi.dev.yaml" not in made
    assert [one["name"] for one in listed(made["bootstrap/Pulumi.staging.yaml"])] == ["staging", "dev"]
    assert listed(made["bootstrap/Pulumi.staging.yaml"])[0] == listed(before["bootstrap/Pulumi.staging.yaml"])[0]
    assert files_of.problems(made) == ""
    after = before | made
    assert len(set(accounts(after))) == len(accounts(after))


def test_an_environment_of_that_file_can_be_copied_too(before: dict[str, str]) -> None:
    after = before | environments.added("dev", "staging", before)
    made = environments.added("qa", "dev", after)
    assert [one["name"] for one in listed(made["bootstrap/Pulumi.staging.yaml"])] == ["staging", "dev", "qa"]
    elsewhere = environments.added("qa", "dev", after, OTHER_ACCOUNT)
    assert [one["name"] for one in listed(elsewhere["bootstrap/Pulumi.qa.yaml"])] == ["qa"]
    assert files_of.problems(elsewhere) == ""


def test_the_other_account_s_file_is_extended_wherever_it_is(before: dict[str, str]) -> None:
    prod = config(before["bootstrap/Pulumi.prod.yaml"])["aws:allowedAccountIds"]
    made = environments.added("dev", "staging", before, str(prod[0]))
    assert [one["name"] for one in listed(made["bootstrap/Pulumi.prod.yaml"])] == ["prod", "dev"]
    assert config(made["Pulumi.dev.yaml"])["aws:allowedAccountIds"] == prod


def test_keys_of_model_servers_are_copied_with_the_environment(before: dict[str, str]) -> None:
    name = "bootstrap/Pulumi.staging.yaml"
    keys = "      modelKeys: [llm]\n      stateBucket: acme-staging-state\n      hostedZoneId:"
    with_keys = before | {name: before[name].replace("      hostedZoneId:", keys, 1)}
    made = environments.added("dev", "staging", with_keys)
    assert listed(made[name])[1]["modelKeys"] == ["llm"]
    assert listed(made[name])[1]["stateBucket"] == "acme-dev-state"


def test_a_second_region_of_an_account_is_refused_with_the_fix(before: dict[str, str]) -> None:
    source = before | {"Pulumi.staging.yaml": before["Pulumi.staging.yaml"].replace("eu-west-1", "eu-west-3")}
    with pytest.raises(ConfigurationError, match=r"use eu-west-1, or another account for eu-west-3"):
        environments.added("dev", "staging", source)


@pytest.mark.parametrize("account", ["7777-8888-9999", "7777 8888 9999"])
def test_an_account_may_be_written_as_the_console_shows_it(before: dict[str, str], account: str) -> None:
    made = environments.added("dev", "staging", before, account)
    assert config(made["Pulumi.dev.yaml"])["aws:allowedAccountIds"] == [OTHER_ACCOUNT]


def test_another_number_of_digits_is_refused(before: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"--account: '1234' is not valid; allowed: .*12 digits"):
        environments.added("dev", "staging", before, "1234")


def test_an_environment_that_does_not_exist_cannot_be_copied_and_the_others_are_listed(before: dict[str, str]) -> None:
    with pytest.raises(
        ConfigurationError, match=r"no stack file Pulumi\.qa\.yaml to copy; --like is one of prod, staging"
    ):
        environments.added("dev", "qa", before)


def test_the_remaining_steps_name_the_bootstrap_stack_of_the_account(before: dict[str, str]) -> None:
    same = environments.added("dev", "staging", before)
    assert "which has bootstrap/Pulumi.staging.yaml: run pulumi up -s staging in bootstrap/ again" in (
        environments.remaining("dev", "staging", same)
    )
    other = environments.added("dev", "staging", before, OTHER_ACCOUNT)
    assert f"run pulumi up -s dev in bootstrap/, for account {OTHER_ACCOUNT}" in (
        environments.remaining("dev", "staging", other)
    )
