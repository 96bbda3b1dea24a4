"""Every alarm and incident has a page in which each name of the stack is filled in, and the source of every other value."""

from __future__ import annotations

import json
import re

import pytest

from preflight.errors import ConfigurationError
from preflight.runbook.alarms import alarms, queries
from preflight.runbook.page import NotInTheRunbookError, overview, page
from preflight.runbook.render import OVERVIEW, PAGE
from preflight.runbook.sections import ALARMS, DOCUMENTS, NAMES, PLACEHOLDERS, RUNBOOK, Runbook, sections
from preflight.runbook.values import Values, left, outputs_from, placeholder_of, values
from tests.preflight.conform.graphs import STACKS, program
from tests.preflight.runbook.pages import CASES, documents, filled, outputs, page_of, subjects

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"


@pytest.mark.parametrize("case", CASES)
def test_every_alarm_and_every_message_of_a_rule_has_a_page(case: str) -> None:
    recording = program(case)
    found = alarms(recording)
    named = {one.inputs["name"] for one in recording.of_type(ALARM)}
    # The others only hold back a message; they send none.
    composite = {
        one.inputs["alarmName"]
        for one in recording.of_type(COMPOSITE)
        if "Severity: " in one.inputs["alarmDescription"]
    }
    assert {one.name for one in found if one.name} == named | composite
    assert len([one for one in found if not one.name]) == len(recording.of_type(TARGET)) > 0
    for alarm in found:
        printed = page_of(case, alarm.role)
        assert alarm.section in {section.anchor for section in printed.sections}
        assert page(recording, documents(), filled(case), alarm.name or alarm.role) == printed


@pytest.mark.parametrize("case", CASES)
def test_a_placeholder_that_is_left_has_a_source_and_is_no_name_of_the_stack(case: str) -> None:
    for subject in subjects(case):
        printed = page_of(case, subject)
        named = {name for section in printed.sections for name in left(section.text)}
        assert named <= {one.placeholder for one in printed.left}
        assert [one.placeholder for one in printed.left if not one.source or one.deployed] == [], subject
        assert {one for each in printed.left for one in left(each.source)} <= {one.placeholder for one in printed.left}


def test_every_section_can_be_filled_in_for_one_of_the_stacks() -> None:
    missing = {
        (section.document, section.title): names
        for section in documents().sections.values()
        if (names := min((filled(case).without_source(section.text) for case in CASES), key=len))
    }
    assert missing == {}, "add the value to assembly/outputs.py, or a row to the table Placeholders in docs/runbook.md"


def test_every_section_of_an_alarm_or_a_message_has_a_page() -> None:
    printed = {
        one.anchor for case in CASES for subject in subjects(case) for one in page_of(case, subject).sections[:2]
    }
    every = {one.anchor for one in documents().sections.values() if one.parent == ALARMS}
    assert len(every) > 50
    assert every - printed == set()


@pytest.mark.parametrize("case", CASES)
def test_a_message_of_every_stack_has_a_page_whatever_parts_the_stack_has(case: str) -> None:
    assert {"due", "drift"} <= set(subjects(case))


@pytest.mark.parametrize("case", CASES)
def test_a_name_that_aws_chooses_has_a_command_of_the_on_call_role(case: str) -> None:
    known = values(program(case), documents())
    every = {name for section in documents().sections.values() for name in left(section.text)}
    wanted = every & known.deployed
    assert len(wanted) > 5
    assert wanted - set(known.commands) == set(), "add a row to the table of names in docs/runbook.md"
    for name in wanted:
        assert (known.source(name) or "").partition("; with access to the state")[0] == known.fill(known.commands[name])


def test_every_row_of_the_table_of_names_is_an_output_that_the_documents_use() -> None:
    rows = set(filled("prod").commands)
    assert documents().sections[RUNBOOK, NAMES].text.count("\n| `<") == len(rows) > 5
    every = {
        name for section in documents().sections.values() if section.anchor != NAMES for name in left(section.text)
    }
    assert rows - every == set()
    assert rows - {placeholder_of(name) for case in CASES for name in outputs(program(case))} == set()


def test_the_page_has_the_address_of_the_rota() -> None:
    rota = outputs(program("prod"))["owner"]["onCall"]
    assert rota.startswith("https://")
    assert f"Who that is now: {rota}." in PAGE["text"](page_of("prod", "disk"))


def test_every_row_of_the_table_is_still_used() -> None:
    table = documents().sections[RUNBOOK, PLACEHOLDERS].text
    rows = set(filled("prod").incident)
    others = [section.text for section in documents().sections.values() if section.anchor not in {PLACEHOLDERS, NAMES}]
    used = {name for text in [*others, *filled("prod").incident.values()] for name in left(text)}
    assert rows
    assert table.count("\n| `<") == len(rows), "a row that does not match is not read"
    assert rows - used == set()


@pytest.mark.parametrize("case", CASES)
def test_a_query_that_a_section_names_is_one_of_the_stack_or_of_a_log_that_it_does_not_have(case: str) -> None:
    every = {name for other in CASES for name in queries(program(other))}
    for subject in subjects(case):
        printed = page_of(case, subject)
        named = {name for one in printed.sections for name in documents().sections[one.document, one.anchor].queries}
        assert named <= every, f"{subject}: there is no such query"
        own = named & set(queries(program(case)))
        assert own - set(printed.queries) <= set(documents().sections[RUNBOOK, "your-role"].queries)


@pytest.mark.parametrize("case", CASES)
def test_a_command_that_prints_another_section_finds_it(case: str) -> None:
    for subject in subjects(case):
        text = "\n".join(one.text for one in page_of(case, subject).sections)
        for name in re.findall(rf"preflight runbook {program(case).stack} ([a-z][a-z0-9-]+)", text):
            assert page_of(case, name).sections


def test_before_a_deployment_the_names_that_aws_chooses_are_left_with_their_command() -> None:
    recording = program("prod")
    known = values(recording, documents())
    printed = page(recording, documents(), known, "backups-deleted")
    deployed = {one.placeholder: one.source for one in printed.left if one.deployed}
    assert deployed["backup vault"].endswith("with access to the state `pulumi stack output backupVault -s prod`")
    assert outputs(recording)["backupVault"] not in PAGE["text"](printed)
    assert "<database>" not in PAGE["text"](printed), "the program chooses this name"
    assert "pulumi stack output --json -s prod | python -m preflight runbook prod backups-deleted --outputs -" in PAGE[
        "text"
    ](printed)


def test_the_outputs_of_the_deployed_stack_win() -> None:
    given = {**outputs(program("prod")), "backupVault": "state-backups-1234567"}
    known = values(program("prod"), documents(), given)
    assert "state-backups-1234567" in PAGE["text"](page(program("prod"), documents(), known, "backup-failed"))


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [("edge-erors", "edge-errors"), ("ai-interface prod modl-throttled", "model-throttled"), ("coststop", "cost-stop")],
)
def test_an_unknown_name_is_answered_with_the_nearest(wanted: str, nearest: str) -> None:
    with pytest.raises(NotInTheRunbookError, match=f"nearest: .*{nearest}"):
        page(program("prod"), documents(), filled("prod"), wanted)


def test_what_the_stack_does_not_have_is_not_offered() -> None:
    assert not [name for name in subjects("prod") if name.startswith(("gateway", "egress"))]
    assert {"gateway-outage", "rotating-the-keys-of-the-gateway"} <= set(subjects("the gateway"))
    assert {"egress-cpu", "cost-stop-of-providers"} <= set(subjects("a provider on the internet"))
    assert "cost-stop-of-providers" not in {one.anchor for one in page_of("prod", "cost-stop").sections}


def test_a_placeholder_without_a_source_is_refused_with_the_fix() -> None:
    broken = dict(documents().sections)
    for one in sections(RUNBOOK, "## Alarms\n\n### edge-errors\n\nSee `aws ecs <no such thing>`.\n"):
        broken[RUNBOOK, one.anchor] = one
    with pytest.raises(NotInTheRunbookError, match="nothing gives the value of <no such thing>"):
        page(program("prod"), Runbook(broken), filled("prod"), "edge-errors")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "not a JSON object"),
        ('{"environment": "staging"}', "outputs of staging, not of prod"),
        ("{}", "without an output environment"),
    ],
)
def test_outputs_of_another_stack_are_refused(content: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        outputs_from(content, "outputs.json", "prod")


@pytest.mark.parametrize("form", sorted(PAGE))
@pytest.mark.parametrize("stack", STACKS)
def test_every_format_names_each_alarm_and_each_section(stack: str, form: str) -> None:
    listed = OVERVIEW[form](overview(program(stack), documents(), filled(stack)))
    assert [one.role for one in alarms(program(stack)) if one.role not in listed] == []
    printed = page_of(stack, "edge-errors")
    content = PAGE[form](printed)
    assert [one.title for one in printed.sections if one.title not in content] == []
    assert "[secret]" not in content
    if form == "json":
        assert json.loads(content)["alarm"]["severity"] == "page"
        assert json.loads(content)["queries"].keys() == printed.queries.keys()


@pytest.mark.parametrize("case", CASES)
def test_the_text_of_a_page_has_no_link_and_no_comment_of_markdown(case: str) -> None:
    for subject in subjects(case):
        text = PAGE["text"](page_of(case, subject))
        assert re.findall(r"\]\([^)]*\)|<!--", text) == [], subject


def test_a_link_with_other_words_than_the_title_names_the_section_below() -> None:
    text = PAGE["text"](page_of("prod", "chats-failing"))
    assert "rotate it (below: Rotating an API key)" in text
    assert "A model is down, step 2" in text


def test_the_table_of_documents_has_files() -> None:
    assert {document for document, _ in documents().sections} == set(DOCUMENTS)


def test_a_name_that_several_resources_have_needs_its_type() -> None:
    known: Values = filled("prod")
    assert known.fill("<urn of state-backups>") == "<urn of state-backups>"
    assert known.fill("<urn of backup vault state-backups>").endswith("$aws:backup/vault:Vault::state-backups")
    assert known.fill("<urn of state-seed>").endswith("$tls:index/privateKey:PrivateKey::state-seed")
