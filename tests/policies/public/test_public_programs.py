"""The pack on public programs, in the profile of a foreign stack: few findings, each of which a reviewer acts on."""

from __future__ import annotations

import textwrap

import pytest

from policies.guardrails.grouping import grouped
from policies.guardrails.profiles import Profile
from policies.guardrails.rule import Level
from tests.policies.public import table
from tests.policies.public.table import (
    GRAPHS,
    VERDICTS,
    Row,
    in_a_first_preview,
    mandatory,
    reports,
    resources,
    rows,
    screen,
)

MOST_MANDATORY = 10
SCREEN_LINES, SCREEN_WIDTH = 60, 160
ROWS = rows()
PROGRAMS = [row.program for row in ROWS]


def test_there_are_programs_of_every_kind() -> None:
    assert len(ROWS) >= 25
    assert {row.language for row in ROWS} >= {"Python", "TypeScript", "Go", "YAML"}
    types = {entry["type"].partition(":")[0] for program in PROGRAMS for entry in resources(program)}
    assert types >= {"aws", "awsx", "eks"}
    assert sorted(PROGRAMS) == PROGRAMS == sorted(path.stem for path in GRAPHS.glob("*.json"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.program)
def test_the_findings_are_those_that_were_reviewed(row: Row) -> None:
    assert table.counted(row) == row, (
        "run .venv/bin/python -m tests.policies.public.table --write, and review the changed lines"
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.program)
def test_every_program_has_a_verdict_with_a_reason(row: Row) -> None:
    assert row.verdict in VERDICTS
    assert row.why


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("preview", [False, True], ids=["known", "preview"])
def test_few_findings_block_and_no_policy_fails(program: str, preview: bool) -> None:
    entries = in_a_first_preview(program) if preview else resources(program)
    found = reports(entries, preview=preview)
    assert sum(mandatory(found).values()) <= MOST_MANDATORY
    assert [report.message for report in found if "could not be checked" in report.message] == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_first_preview_blocks_for_no_other_policy(program: str) -> None:
    in_preview = mandatory(reports(in_a_first_preview(program), preview=True))
    assert set(in_preview) <= set(mandatory(reports(resources(program))))


@pytest.mark.parametrize("program", PROGRAMS)
def test_everything_fits_on_a_screen_with_one_fix_a_cause(program: str) -> None:
    found = reports(resources(program))
    lines = [part for line in screen(found).splitlines() for part in textwrap.wrap(line, SCREEN_WIDTH)]
    assert len(lines) <= SCREEN_LINES
    groups = grouped(found)
    assert all(
        len([line for line in group[0].message.splitlines() if line.startswith("fix: ")]) == 1 for group in groups
    )
    levels = [group[0].level for group in groups]
    assert levels == sorted(levels, key=[Level.MANDATORY, Level.ADVISORY].index)


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_policy_fails_in_a_wider_profile(program: str) -> None:
    for profile in (Profile.BASELINE, Profile.AI_INTERFACE):
        found = reports(resources(program), profile)
        assert [report.message for report in found if "could not be checked" in report.message] == []
        narrow = mandatory(reports(resources(program)))
        assert narrow - mandatory(found) == {}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_graph_holds_facts_and_no_source(program: str) -> None:
    """Generic names only; no text that is neither an identifier, an address nor a document of AWS."""
    for entry in resources(program):
        assert entry["urn"].startswith("urn:pulumi:dev::theirs::")
        assert entry["urn"].endswith(f"::{entry['name']}")
        assert {"description", "userData", "code", "tags", "image"} & set(entry["inputs"]) == set()
