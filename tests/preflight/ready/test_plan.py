"""The steps to a running environment: each has the command with the stack's values, and the state that the account shows."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from preflight.__main__ import main
from preflight.errors import PreflightError
from preflight.ready import command
from preflight.ready.plan import SetupStep, State, planned
from preflight.ready.wanted import Wanted
from tests.documents import check
from tests.documents.extract import Script, commands
from tests.preflight.ready.world import World
from tests.settings.stack_files import ROOT

DEPLOYED = "staging is deployed, verified and recorded"
STEPS = (
    "the stack file is valid",
    "the hosted zone of chat.staging.example.com is delegated",
    "the bootstrap stack is deployed",
    "every secret has a value",
    "the images of release 2026.11.1 are in the account",
    DEPLOYED,
)


def steps(world: World, root: Path = ROOT) -> Mapping[str, SetupStep]:
    return {step.text: step for step in planned(world.context(), root).steps}


@pytest.fixture
def unrecorded(tmp_path: Path) -> Path:
    """The project's files that the plan reads, without a recorded deployment."""
    for name in ("Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml", "policies/parity/differences.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_in_a_complete_account_every_step_is_done(staging: World) -> None:
    found = steps(staging)
    assert tuple(found) == STEPS
    assert [step for step in found.values() if step.state is not State.DONE] == []


def test_every_command_of_a_step_is_accepted(staging: World) -> None:
    found = [one for step in steps(staging).values() for one in step.commands]
    calls = [call for one in found for call in commands(Script("plan", 1, one))]
    assert len(calls) > 12
    assert [problem for call in calls if (problem := check.problem(call))] == []


def test_a_zone_without_delegation_is_to_do(staging: World) -> None:
    staging.names.records.clear()
    step = steps(staging)[STEPS[1]]
    assert (step.state, step.why.partition(":")[0]) == (State.TO_DO, "delegation")
    assert step.commands == ("aws route53 get-hosted-zone --id Z0123456789STAGING01",)


def test_without_a_bootstrap_stack_its_deployment_is_to_do(staging: World) -> None:
    staging.wanted = dataclasses.replace(staging.wanted, bootstrap=None)
    step = steps(staging)[STEPS[2]]
    assert step.state is State.TO_DO
    assert "pulumi up -s <account>" in step.commands


def test_an_environment_that_is_not_recorded_is_to_do(staging: World, unrecorded: Path) -> None:
    step = steps(staging, unrecorded)[DEPLOYED]
    assert (step.state, step.why) == (State.TO_DO, "no release is recorded")
    assert step.commands[0] == ".venv/bin/python -m preflight ready staging"


def test_a_deployed_environment_that_is_not_recorded_is_to_verify_and_record(staging: World, unrecorded: Path) -> None:
    (cluster,) = {str(one["name"]) for one in staging.wanted.inputs("aws:ecs/cluster:Cluster")}
    ecs = staging.client("ecs")
    ecs.create_cluster(clusterName=cluster)
    try:
        step = steps(staging, unrecorded)[DEPLOYED]
    finally:
        ecs.delete_cluster(cluster=cluster)
    assert (step.state, step.why) == (State.TO_DO, "its cluster exists, but no release is recorded")
    assert [one.split()[2:4] for one in step.commands] == [["preflight", "verify"], ["preflight", "release"]]


def test_a_later_environment_needs_a_release_that_the_earlier_one_has_run(staging: World, unrecorded: Path) -> None:
    prod = staging.wanted.settings.model_copy(update={"environment": "prod"})
    staging.wanted = dataclasses.replace(staging.wanted, settings=prod)
    text = "prod has a release that staging has run: 2026.11.1"
    assert steps(staging)[text].state is State.DONE
    step = steps(staging, unrecorded)[text]
    assert (step.state, step.why) == (State.TO_DO, "staging has run none")
    assert step.commands == (".venv/bin/python -m preflight release promote prod",)


def test_with_credentials_of_another_account_the_account_s_steps_are_not_known(staging: World) -> None:
    staging.wanted = dataclasses.replace(
        staging.wanted, settings=staging.wanted.settings.model_copy(update={"account_id": "999988887777"})
    )
    found = steps(staging)
    assert {found[text].state for text in STEPS[1:5]} == {State.NOT_KNOWN}
    assert found[STEPS[1]].why.startswith("the credentials are those of account 111122223333")


@pytest.mark.usefixtures("credentials")
def test_without_credentials_they_are_not_known_and_the_command_exits_with_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert main(["-C", str(ROOT), "plan", "staging"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("not known  ") == 4
    assert printed.count("(no credentials)") == 4
    assert "  1. done       the stack file is valid\n" in printed


@pytest.mark.usefixtures("credentials")
def test_the_plan_can_be_written_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.txt"
    assert main(["-C", str(ROOT), "plan", "staging", "--output", str(file)]) == 0
    assert file.read_text(encoding="utf-8").startswith("staging: account 111122223333, region eu-west-1\n")


def test_an_unknown_stack_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(ROOT), "plan", "qa"]) == 2
    assert "there is no stack file Pulumi.qa.yaml" in capsys.readouterr().err


def test_an_invalid_stack_file_is_the_first_thing_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object) -> Wanted:
        raise PreflightError("1 problem in the settings of stack staging\n\nai-interface:domain")

    monkeypatch.setattr(command, "wanted_of", refused)
    assert main(["-C", str(ROOT), "plan", "staging"]) == 0
    assert (
        "1. to do      the stack file is valid (1 problem in the settings of stack staging;" in capsys.readouterr().out
    )
