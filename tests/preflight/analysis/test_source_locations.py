"""A finding points at the line to fix: of a component, of a declaration, or of the stack file."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from policies.guardrails import exceptions
from policies.guardrails.evaluation import Report
from policies.guardrails.rules import RULES
from policies.guardrails.rules.stack.exceptions_current import RULE as EXCEPTIONS_CURRENT
from policies.parity import evaluate
from policies.parity.declarations import read
from policies.parity.rules import DECLARATIONS, PACK
from preflight.analysis.check import Recordings
from preflight.analysis.source_locations import located
from preflight.findings import Finding, Verdict
from preflight.findings import Report as CheckReport
from preflight.pulumi.reported import from_report
from preflight.report.data import as_sarif
from tests import once
from tests.own_pack import EXCEPTIONS
from tests.preflight.sarif import validate_sarif

ROOT = Path(__file__).resolve().parents[3]
DECLARED = (ROOT / evaluate.FILE.relative_to(ROOT)).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def recordings() -> Recordings:
    return once.recordings("prod")


def finding(**changes: object) -> Finding:
    return replace(Finding("prod", "some-rule", Verdict.VIOLATED, "something is wrong"), **changes)


def test_every_resource_of_the_real_stack_leads_to_a_line_of_the_project(recordings: Recordings) -> None:
    resources = [r for r in recordings["prod", False].resources if r.custom and not r.type.startswith("pulumi:")]
    places = [located(finding(urn=resource.urn), ROOT, recordings) for resource in resources]
    assert len(places) > 100
    for place in places:
        path = ROOT / place.source_file
        assert place.source_file.split("/")[0] in ("components", "__main__.py")
        assert 1 <= place.source_line <= len(path.read_text(encoding="utf-8").splitlines())
    validate_sarif(json_of(places))


def json_of(findings: list[Finding]) -> dict[str, object]:
    import json  # noqa: PLC0415 - one use

    return json.loads(as_sarif(CheckReport("ai-interface", (), (), tuple(findings))))


def test_a_declaration_that_is_not_used_leads_to_its_own_line(recordings: Recordings) -> None:
    entry = read(DECLARED, dt.date(2026, 11, 25)).in_force[2]
    unused = from_report(evaluate.report(DECLARATIONS, entry.unused()), "staging and prod", PACK)
    place = located(unused, ROOT, recordings)
    assert place.source_file == "policies/parity/differences.yaml"
    assert DECLARED.splitlines()[place.source_line - 1].strip() == f"- kind: {entry.kind}"


def test_an_exception_that_is_not_used_leads_to_its_own_line(recordings: Recordings) -> None:
    text = EXCEPTIONS.read_text(encoding="utf-8")
    known = {rule.name for rule in RULES}
    found = exceptions.read(text, known, dt.date(2026, 11, 25))
    stack, seen = "prod", list[exceptions.Exemption]()
    for project in ("ai-interface", "ai-interface-bootstrap"):
        entries = [entry for entry in found.in_force if entry.is_for(stack, project)]
        for unused, entry in zip(found.unused((), stack, project, known), entries, strict=True):
            report = Report(rule=EXCEPTIONS_CURRENT, finding=unused, level=EXCEPTIONS_CURRENT.level)
            place = located(from_report(report, stack, "ai-interface-guardrails"), ROOT, recordings)
            first, second = (ROOT / place.source_file).read_text("utf-8").splitlines()[place.source_line - 1 :][:2]
            assert (first.strip(), second.strip()) == (f"- policy: {entry.policy}", f'urn: "{entry.urn}"')
        seen += entries
    assert sorted(one.declaration.number for one in seen) == [one.declaration.number for one in found.in_force]


def test_what_is_about_no_resource_leads_to_the_later_stack_file(recordings: Recordings) -> None:
    for environment in ("prod", "staging and prod"):
        place = located(finding(environment=environment), ROOT, recordings)
        assert (place.source_file, place.source_line) == ("Pulumi.prod.yaml", 1)


def test_without_an_entry_the_file_is_named(recordings: Recordings) -> None:
    (problem,) = read("differences: [", dt.date(2026, 11, 25)).problems
    found = from_report(evaluate.report(DECLARATIONS, problem), "staging and prod", PACK)
    place = located(found, ROOT, recordings)
    assert (place.source_file, place.source_line) == ("policies/parity/differences.yaml", 1)
