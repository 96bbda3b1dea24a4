"""``conform-database-trust``: the trust file of a container has the authority that issues its database's certificate."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from components.data.certificates import DATABASE_AUTHORITY, database_authority
from local.authority import Authority
from preflight.conform.database_trust import AUTHORITIES, RULE, authority, findings
from preflight.recording.recorder import Recording
from tests.bootstrap.program import run_bootstrap
from tests.database.deployed import STACKS, deployed
from tests.preflight.conform.editing import Inputs, edited, in_container, with_variable

TASK, INSTANCE = "aws:ecs/taskDefinition:TaskDefinition", "aws:rds/clusterInstance:ClusterInstance"
REGION = "eu-west-1"


def with_trust(text: str) -> Recording:
    """Staging, with another content of the trust file."""

    def edit(found: Inputs) -> None:
        plan = next(one for one in found["environment"] if one["name"] == "PREPARE_PLAN")
        content = json.loads(plan["value"])
        file = next(one["value"] for one in found["environment"] if one["name"] == "PGSSLROOTCERT")
        assert file in content["files"]
        content["files"][file] = text
        plan["value"] = json.dumps(content)

    return edited(deployed("staging").recording, TASK, "service-task", in_container("prepare", edit))


@pytest.mark.parametrize("stack", STACKS)
def test_the_real_stacks_trust_their_database(stack: str) -> None:
    assert findings(deployed(stack).recording) == []


def test_bootstrap_has_nothing_to_find() -> None:
    assert findings(run_bootstrap("staging")) == []


@pytest.mark.parametrize("region", [REGION, "us-east-1", "eu-central-1"])
def test_the_name_is_the_one_of_the_certificate_that_aws_publishes(region: str) -> None:
    published = Authority.in_place_of(database_authority(region)).subject
    assert f"CN={authority(region, DATABASE_AUTHORITY)}," in f"{published},"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (lambda: database_authority("us-east-1"), authority("us-east-1", DATABASE_AUTHORITY)),
        (lambda: Authority.make("CN=Elsewhere").certificate, "Elsewhere"),
        (lambda: "no certificate", "no certificate"),
        (lambda: "", "no certificate"),
    ],
    ids=["another region", "another authority", "no PEM", "empty"],
)
def test_a_file_without_the_authority_is_found_in_both_containers(text: Callable[[], str], said: str) -> None:
    found = findings(with_trust(text()))
    place = "ecs.TaskDefinition service-task.containerDefinitions[{}].environment[PGSSLROOTCERT]"
    assert [one.headline.partition(":")[0] for one in found] == [place.format(one) for one in ("interface", "prepare")]
    assert {one.rule for one in found} == {RULE}
    assert {one.wanted for one in found} == {authority(REGION, DATABASE_AUTHORITY)}
    assert all(one.found.endswith(f" with {said}") for one in found), found


def test_a_bundle_with_the_authority_among_others_is_enough() -> None:
    assert findings(with_trust(database_authority("us-east-1") + database_authority(REGION))) == []


@pytest.mark.parametrize("identifier", sorted(set(AUTHORITIES) - {DATABASE_AUTHORITY}))
def test_instances_with_a_certificate_of_another_authority_are_found(identifier: str) -> None:
    def edit(inputs: Inputs) -> None:
        inputs["caCertIdentifier"] = identifier

    recording = deployed("staging").recording
    (name, *_) = [one.name for one in recording.resources if one.type == INSTANCE]
    found = findings(edited(recording, INSTANCE, name, edit))
    assert {one.wanted for one in found} == {authority(REGION, identifier)}


@pytest.mark.parametrize("mode", ["require", None])
def test_a_container_that_does_not_verify_is_not_checked_here(mode: str | None) -> None:
    changed = edited(with_trust("none"), TASK, "service-task", with_variable("PGSSLMODE", mode))
    assert [one.headline.partition("]")[0] for one in findings(changed)] == [
        "ecs.TaskDefinition service-task.containerDefinitions[prepare"
    ]


def test_a_file_that_no_plan_writes_is_not_checked() -> None:
    changed = edited(with_trust("none"), TASK, "service-task", with_variable("PGSSLROOTCERT", "/etc/ssl/rds.pem"))
    assert len(findings(changed)) == 1
