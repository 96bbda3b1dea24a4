"""The effect of each setting on a running stack: every setting has a row, and no refusal is left to AWS alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from preflight.analysis.since import flat, settings_lines
from preflight.changes import monitor
from preflight.changes.effects import ChangeOutcome, verdict
from preflight.changes.monitor import planned
from preflight.changes.plan import Operation, Plan
from preflight.changes.refusals import Party, refusals, short
from preflight.changes.replacement import replaces
from preflight.recording.recorder import Recording
from tests.preflight.changes import document
from tests.preflight.changes.edits import EDITS, Edit
from tests.preflight.changes.leaves import NO_EDIT, NOTHING_AT_AWS, leaves
from tests.preflight.changes.planning import config, plan_of, program, running
from tests.preflight.changes.rows import rows
from tests.settings.stack_files import ROOT

pytestmark = pytest.mark.timeout(1800)  # every edit is planned, which takes minutes on busy processors
ONLY_THE_CHECK: dict[str, str] = {
    "network.cidrBlock (deletion allowed in the same change)": "the engine lets one update unprotect and replace",
    "data.database.snapshotIdentifier (deletion allowed in the same change)": "the engine lets one update unprotect and replace",
    "network.existing.privateSubnetIds": "another stack owns the subnets: the program reads them and cannot protect them",
}
"""Edits that AWS would refuse halfway and Pulumi allows, so that only the pull request's check detects them."""
CIDR = next(edit for edit in EDITS if edit.title == "network.cidrBlock")
NETWORK = ("aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup")
ENTRY = "network-private-ingress-target-from-edge"


def parsed(value: str) -> Any:  # noqa: ANN401 - a setting
    """A setting as the stack file has it, from the text that the engine passes on."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def left_to_aws(refusing: set[str]) -> bool:
    """Whether AWS would be the first to refuse, when part of the stack has changed."""
    return str(Party.AWS) in refusing and not refusing & {str(Party.PULUMI), str(Party.PREFLIGHT)}


def test_every_setting_has_an_edit() -> None:
    edited = {edit.key for edit in EDITS} | {"aws:region", "aws:allowedAccountIds"}
    assert [leaf for leaf in leaves() if leaf not in edited and leaf not in NO_EDIT] == []
    assert [key for key in NO_EDIT if key not in set(leaves())] == []
    assert len({edit.title for edit in EDITS}) == len(EDITS)


def test_every_edit_changes_its_setting() -> None:
    same = [edit.title for edit in EDITS if config({**edit.running, **edit.changes}) == config(edit.running)]
    assert same == []


def test_every_setting_reaches_a_resource_or_is_declared_not_to() -> None:
    without = {edit.key for edit in EDITS if rows()[edit.title].verdict == ChangeOutcome.NOTHING}
    assert without == set(NOTHING_AT_AWS), "pass the setting on in assembly/, or declare what else reads it"


def test_diff_shows_both_values_of_every_edited_setting() -> None:
    for edit in EDITS:
        before, after = (
            flat({key: parsed(value) for key, value in config(one).items()})
            for one in (edit.running, {**edit.running, **edit.changes})
        )
        said = [line for line in settings_lines(before, after) if line.startswith(edit.key)]
        assert said, edit.title
        assert all(" → " in line and len(set(line.partition(": ")[2].split(" → "))) > 1 for line in said), said
        leaf = flat({f"ai-interface:{edit.key}" if not edit.key.startswith("aws:") else edit.key: edit.to})
        shown = [
            value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
            for value in leaf.values()
        ]
        assert any(" ".join(text.split())[:100] in line for text in shown for line in said), (edit.title, said)


def test_diff_says_of_every_edit_what_it_touches_and_whether_in_place() -> None:
    words = {"update": "in place: ", "create": "created: ", "replace": "replaced", "delete": "deleted"}
    for title, row in rows().items():
        for urn, operation in row.steps.items():
            kind = short(urn.split("::")[2].rpartition("$")[2])
            gone = operation in ("replace", "delete")
            own = [line for line in row.told if kind in line and words[operation] in line]
            with_cluster = kind == "rds.ClusterInstance" and any("rds.Cluster " in line for line in row.told)
            assert own or (gone and with_cluster), (title, urn, operation, row.told)


def test_diff_has_a_sentence_for_every_value_that_an_edit_changes() -> None:
    assert {title: row.untold for title, row in rows().items() if row.untold} == {}


def test_no_edit_is_left_to_aws_to_refuse() -> None:
    late = {row.title for row in rows().values() if left_to_aws({party for party, *_ in row.refusals})}
    assert sorted(late) == sorted(ONLY_THE_CHECK)


def test_the_table_in_the_docs_is_current() -> None:
    text = document.FILE.read_text(encoding="utf-8")
    assert text == document.renewed(text, rows()), (
        "run python -m tests.preflight.changes.document, and review the change"
    )


def test_the_settings_that_the_table_is_asked_for_most() -> None:
    found = {title: row.verdict for title, row in rows().items()}
    assert found["release (the release before)"] == ChangeOutcome.REPLACED
    assert found["limits.promptMebibytes"] == ChangeOutcome.REPLACED
    assert found["network.availabilityZones (a zone added)"] == ChangeOutcome.IN_PLACE
    assert {title for title, said in found.items() if said == ChangeOutcome.REFUSED} == {
        "aws:allowedAccountIds",
        "aws:region (with the zones and the models' region)",
        "network.availabilityZones (a zone removed)",
        "network.availabilityZones (a zone replaced)",
        "network.cidrBlock",
        "network.cidrBlock (deletion allowed in the same change)",
        "network.existing (from a created network to an existing one)",
        "network.existing.privateSubnetIds",
        "network.existing.vpcId",
        "data.database.snapshotIdentifier",
        "data.database.snapshotIdentifier (deletion allowed in the same change)",
        "the database's master user",
        "the description of a store's security group",
        "the load balancer's name",
        "the state's key",
    }


def test_every_migration_is_a_section_of_the_page() -> None:
    headings = {
        line.lstrip("# ").lower().replace(" ", "-")
        for line in document.FILE.read_text(encoding="utf-8").splitlines()
        if line.startswith("### ")
    }
    assert {way for row in rows().values() for *_, way in row.refusals} - headings == set()


def test_no_edit_is_no_change() -> None:
    assert planned(program, running(), config=config({})).steps == {}


def test_another_block_without_protected_network_is_found() -> None:
    """Nothing is protected: the VPC and all that is in it is to be replaced, and nothing refuses it."""
    plan = planned(program, _unprotected(running()), config=config(CIDR.changes))
    refusing = {str(refusal.party) for refusal in refusals(plan)}
    assert {step.urn for step in plan.of(Operation.REPLACE)} == _replaced_with(running(), "aws:ec2/vpc:Vpc")
    assert left_to_aws(refusing)
    assert not left_to_aws({str(refusal.party) for refusal in refusals(plan_of(CIDR))})


@pytest.mark.parametrize("title", ["network.existing.vpcId", "network.availabilityZones (a zone removed)"])
def test_another_network_without_protection_is_found(title: str) -> None:
    edit = next(one for one in EDITS if one.title == title)
    wanted = config({**edit.running, **edit.changes})
    plan = planned(program, _unprotected(running(edit.running)), config=wanted)
    assert left_to_aws({str(refusal.party) for refusal in refusals(plan)})


def _replaced_with(recording: Recording, type_: str) -> set[str]:
    """URNs of the resources of one type and of everything that depends on them, according to the inputs."""
    replaced = {one.urn for one in recording.of_type(type_)}
    assert replaced
    while more := {
        one.urn
        for one in recording.resources
        if one.custom and one.urn not in replaced
        for name, urns in one.property_dependencies.items()
        if ("*" in one.replace_on_changes or replaces(one.type, name)) and replaced & set(urns)
    }:
        replaced |= more
    return replaced


def _unprotected(recording: Recording) -> Recording:
    resources = [replace(one, protect=one.protect and one.type not in NETWORK) for one in recording.resources]
    return replace(recording, resources=resources)


def _entry_before() -> Recording:
    """What runs, with another block in one entry of a network ACL."""
    resources = [
        replace(one, inputs={**one.inputs, "cidrBlock": "10.99.0.0/24"}) if one.name == ENTRY else one
        for one in running().resources
    ]
    return replace(running(), resources=resources)


def _entry_plan() -> Plan:
    return planned(program, _entry_before(), config=config({}))


def test_an_entry_of_a_network_acl_is_deleted_before_its_number_is_taken_again() -> None:
    plan = _entry_plan()
    (step,) = plan.of(Operation.REPLACE)
    assert (step.name, step.deleted_first) == (ENTRY, True)
    assert refusals(plan) == []


def test_an_entry_that_is_made_beside_the_old_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def beside(request: object, old: object, inputs: object) -> bool:
        return False

    monkeypatch.setattr(monitor, "_deletes_first", beside)
    (refusal,) = refusals(_entry_plan())
    assert refusal.party is Party.AWS
    assert "still in use by ec2.NetworkAclRule" in refusal.why


def test_a_renamed_resource_that_keeps_its_name_at_aws_is_found() -> None:
    """Under another logical name the new log group is made before the old one is deleted."""
    renamed = [
        replace(one, urn=one.urn.replace("::network-flow", "::flow-log"), name="flow-log")
        if one.name == "network-flow" and one.type == "aws:cloudwatch/logGroup:LogGroup"
        else one
        for one in running().resources
    ]
    plan = planned(program, replace(running(), resources=renamed), config=config({}))
    assert [refusal.why for refusal in refusals(plan)] == [
        "/ai-interface/staging/network/flow is still in use by cloudwatch.LogGroup flow-log when the new one is created"
    ]


def test_what_is_deleted_first_while_something_uses_it_is_found() -> None:
    """A load balancer that is replaced under the name that it has cannot go while its firewall is associated."""
    group = "aws:lb/targetGroup:TargetGroup"
    resources = [
        replace(one, inputs={**one.inputs, "name": "given", "port": 1}) if one.type == group else one
        for one in running().resources
    ]
    before = replace(running(), resources=resources)
    plan = planned(program, before, config=config({}))
    step = next(step for step in plan.steps.values() if step.type == group)
    condemned = replace(plan, steps={**plan.steps, step.urn: replace(step, deleted_first=True)})
    assert any("would be deleted first, while lb.ListenerRule" in refusal.why for refusal in refusals(condemned))


def test_a_plan_says_the_worst_of_it() -> None:
    added = Edit("network.availabilityZones", ["eu-west-1a", "eu-west-1b", "eu-west-1c"])
    plan = planned(program, running(), config=config(added.changes))
    assert verdict(plan) is ChangeOutcome.IN_PLACE
    assert verdict(replace(plan, provider=("region",))) is ChangeOutcome.REFUSED
    assert verdict(replace(plan, steps={})) is ChangeOutcome.NOTHING


def test_the_readme_and_the_runbook_lead_to_the_table() -> None:
    assert "docs/changes.md" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "changes.md" in (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
