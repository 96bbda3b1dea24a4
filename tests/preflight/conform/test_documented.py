"""The stacks violate no documented constraint, and every constraint finds its planted violation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.common.aws_limits import CLIENT_BLOCKS
from components.edge import Edge
from preflight.conform.documented import CONSTRAINTS, findings
from preflight.conform.documented.model import Constraint
from preflight.conform.documented.network import GROUP, INGRESS
from preflight.recording.recorder import Recording, record
from preflight.sdk.wire import secret
from tests.assembly.topologies import ELSEWHERE, SHAPES, Shape, recorded
from tests.components.edge_fixtures import edge_args
from tests.preflight.conform.changed_graphs import STACKS, bootstrap, changed, copies, edited, stack
from tests.preflight.conform.planting import plants

PLANTS = [
    pytest.param(constraint, recording, id=f"{constraint.name}: {what}")
    for constraint in CONSTRAINTS
    for what, recording in plants(constraint)
]


@pytest.mark.parametrize("name", STACKS)
def test_the_stacks_and_what_bootstrap_makes_break_none(name: str) -> None:
    assert findings(stack(name)) == []
    assert findings(bootstrap(name)) == []


@pytest.mark.parametrize("shape", [*SHAPES, *ELSEWHERE], ids=str)
def test_no_shape_of_the_stack_breaks_one(shape: Shape) -> None:
    assert findings(recorded(shape)) == []


@pytest.mark.parametrize(("constraint", "recording"), PLANTS)
def test_a_planted_violation_is_found_by_its_own_constraint(constraint: Constraint, recording: Recording) -> None:
    assert constraint.name in {finding.headline.rpartition(" ")[2] for finding in findings(recording)}


def test_every_constraint_has_a_plant_a_name_and_a_public_source() -> None:
    planted = [constraint.name for constraint in CONSTRAINTS if any(plants(constraint))]

    assert planted == [constraint.name for constraint in CONSTRAINTS]
    assert len(set(planted)) == len(planted)
    assert [c.name for c in CONSTRAINTS if not c.source.startswith("https://docs.aws.amazon.com/")] == []


def test_a_finding_says_where_what_and_what_to_do() -> None:
    recording = edited(stack("prod"), GROUP, lambda group: group.update(description="The edge's clients"))
    (found,) = findings(recording)
    (group,) = [one for one in recording.of_type(GROUP) if one.urn == found.urn]

    assert (found.rule, found.pack, found.environment) == ("conform-documented", "conform", "prod")
    assert found.headline == f"{group.name}.description of ec2.SecurityGroup breaks security-group-description"
    assert found.found == '"The edge\'s clients"'
    assert found.wanted.endswith(
        "(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html)"
    )
    assert found.fix


def test_a_secret_value_is_checked_and_never_shown() -> None:
    word = "no'password" * 3
    recording = edited(
        stack("prod"),
        "aws:elasticache/replicationGroup:ReplicationGroup",
        lambda cache: cache.update(authToken=secret(word)),
    )
    (found,) = findings(recording)

    assert found.found == "a secret value of another form"
    assert word not in str(found)


def test_a_prefix_list_counts_as_often_as_it_may_have_entries() -> None:
    template = stack("prod").of_type(INGRESS)[0]
    (listed,) = copies(stack("prod"), "aws:ec2/managedPrefixList:ManagedPrefixList", 1, maxEntries=59)
    listed = replace(listed, id="pl-0123456789abcdef0")
    few, many = (
        copies(stack("prod"), INGRESS, count, prefixListId=listed.id, securityGroupId="sg-00000000000000000")
        for count in (1, 2)
    )

    assert template.inputs.get("prefixListId") is None
    assert findings(changed(stack("prod"), [listed, *few])) == []
    assert [found.found for found in findings(changed(stack("prod"), [listed, *many]))] == [
        "118 for sg-00000000000000000"
    ]


def test_as_many_blocks_of_clients_as_the_settings_take_fit_into_the_group() -> None:
    blocks = [f"203.0.{number}.0/24" for number in range(CLIENT_BLOCKS)]
    recording = record(lambda: Edge("edge", edge_args(client_cidr_blocks=blocks)))
    more = copies(recording, INGRESS, 60 - len(recording.of_type(INGRESS)) + 2)

    assert findings(recording) == []
    assert [one.headline.rpartition(" ")[2] for one in findings(changed(recording, more))] == [
        "security-group-inbound-rules"
    ]
