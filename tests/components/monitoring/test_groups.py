"""The groups of alarms that raise one page: complete, without overlap, and never held back by a lesser page."""

from __future__ import annotations

import pytest

from components.monitoring.groups import PAGES, is_grouped, role_of
from local.alarms import ALARM
from preflight.conform.alarm_rules import COMPOSITE, children
from tests.preflight.conform.graphs import STACKS, VARIANTS, program

CASES = (*STACKS, *VARIANTS)


def test_every_alarm_of_a_group_exists_in_one_of_the_graphs() -> None:
    names = {
        str(one.inputs.get("name") or one.inputs.get("alarmName"))
        for case in CASES
        for kind in (ALARM, COMPOSITE)
        for one in program(case).of_type(kind)
    }
    assert {role for page in PAGES for role in page.alarms} - {role_of(name) for name in names} == set()


def test_no_alarm_is_in_two_groups() -> None:
    roles = [role for page in PAGES for role in page.alarms]
    assert sorted(roles) == sorted(set(roles))
    assert is_grouped("model-outage-2")
    assert not is_grouped("disk")


def test_a_page_is_explained_only_by_pages_before_it() -> None:
    for number, page in enumerate(PAGES):
        assert set(page.explained_by) <= {one.role for one in PAGES[:number]}, page.role


@pytest.mark.parametrize("case", CASES)
def test_every_group_has_its_composite_alarm_with_all_its_alarms(case: str) -> None:
    recording = program(case)
    pages = {role_of(str(one.inputs["alarmName"])): one for one in recording.of_type(COMPOSITE)}
    alarms = {str(one.inputs["name"]): one for one in recording.of_type(ALARM)}
    for page in PAGES:
        rule = children(str(pages[page.role].inputs["alarmRule"]))
        assert {role_of(name) for name in rule} <= set(page.alarms)
        assert {name for name in alarms if role_of(name) in page.alarms} <= set(rule)
    assert [name for name, one in alarms.items() if is_grouped(role_of(name)) and one.inputs.get("alarmActions")] == []
