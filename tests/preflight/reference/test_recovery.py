"""The recovery objectives follow from the settings: each value changes with the one that it comes from."""

from __future__ import annotations

import dataclasses
from typing import cast

import pytest

from preflight.errors import PreflightError
from preflight.reference.recovery import PLAN, Recoverable, facts, objectives, section
from tests.preflight.conform.graphs import STACKS, program, with_input
from tests.settings.stack_files import ROOT

RESTORE = (ROOT / "docs" / "restore.md").read_text(encoding="utf-8")


def of(found: Recoverable, failure: str) -> tuple[str, str]:
    (one,) = [one for one in objectives(found) if one.failure.startswith(failure)]
    return one.rpo, one.rto


@pytest.mark.parametrize("stack", STACKS)
def test_the_facts_are_those_of_the_stack_file(stack: str) -> None:
    found = facts(program(stack))
    (cluster,) = program(stack).of_type("aws:rds/cluster:Cluster")
    assert found.point_in_time_days == cluster.inputs["backupRetentionPeriod"]
    assert found.zones == len(
        {one.inputs["availabilityZone"] for one in program(stack).of_type("aws:ec2/subnet:Subnet")}
    )
    assert found.tasks >= 2
    assert found.copies == ()


@pytest.mark.parametrize(
    ("change", "failure", "expected"),
    [
        ({"tasks": 1}, "a task", "there is no other"),
        ({"tasks": 4}, "a task", "the other 3"),
        ({"unhealthy_seconds": 90}, "a zone", "90 s for the tasks"),
        ({"database_instances": 1}, "a zone", "until the zone is back"),
        ({"database_instances": 1}, "the database's writer", "until Aurora has a new instance"),
        ({"cache_nodes": 1}, "the cache", "until its node has been replaced"),
        ({"nightly_hours": 26.5}, "a deleted bucket", "26.5 hours"),
        ({"point_in_time_days": 21}, "wrong or deleted rows, noticed within 21 days", "5 minutes"),
        ({"nightly_days": 60}, "the same, noticed within 60 days", "hours before the damage"),
        ({"version_days": 5}, "a deleted or overwritten file, within 5 days", "nothing"),
        ({"locked_days": 9}, "the same, whose attacker may not: copies of the last 9 days", "hours"),
        ({"copies": ("arn:aws:backup:eu-central-1:{own}:backup-vault:v",)}, "the region", "eu-central-1"),
        ({"copies": ("arn:aws:backup:eu-central-1:{own}:backup-vault:v",)}, "a compromised account", "everything"),
        (
            {"copies": ("arn:aws:backup:eu-west-1:999988887777:backup-vault:v",)},
            "a compromised account",
            "999988887777",
        ),
    ],
)
def test_an_objective_follows_from_its_fact(change: dict[str, object], failure: str, expected: str) -> None:
    found = facts(program("prod"))
    if copies := change.get("copies"):
        change = {"copies": tuple(arn.format(own=found.account) for arn in cast("tuple[str, ...]", copies))}
    other = dataclasses.replace(found, **change)
    assert list(objectives(other)) != list(objectives(found)), "the change decides nothing"
    assert expected in " ".join(of(other, failure))


def test_a_plan_that_does_not_run_every_day_is_refused() -> None:
    weekly = with_input(program("prod"), PLAN, ("rules", 0, "schedule"), "cron(30 4 ? * SUN *)")
    with pytest.raises(PreflightError, match="runs at cron"):
        facts(weekly)


def test_the_document_has_a_row_for_every_failure_and_every_environment() -> None:
    written = section({stack: program(stack) for stack in STACKS})
    assert written in RESTORE
    for stack in STACKS:
        assert [one.failure for one in objectives(facts(program(stack))) if f"| {one.failure} |" not in RESTORE] == []
