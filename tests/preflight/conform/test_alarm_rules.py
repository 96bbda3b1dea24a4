"""Rules of composite alarms, evaluated as CloudWatch documents them, and which alarms are heard."""

from __future__ import annotations

import pytest

from preflight.conform.alarm_rules import (
    COMPOSITE,
    AlarmRuleError,
    children,
    elements,
    evaluate_rule,
    firing_composites,
    heard,
)
from preflight.conform.documented.observation import ALARM
from tests.preflight.conform.graphs import STACKS, VARIANTS, program

STATES = {"a": "ALARM", "b b": "OK", "c": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('ALARM("a")', True),
        ("ALARM(a)", True),
        ('ALARM("b b")', False),
        ('OK("b b")', True),
        ("INSUFFICIENT_DATA(c) AND NOT OK(c)", True),
        ('ALARM(a) AND NOT ALARM("b b")', True),
        ('(ALARM("b b") OR ALARM(a)) AND OK("b b")', True),
        # AND binds more than OR.
        ('ALARM(a) OR ALARM("b b") AND FALSE', True),
        ("NOT (ALARM(a) OR FALSE)", False),
        ("TRUE", True),
        ("OK(unknown)", True),
    ],
)
def test_a_rule(rule: str, expected: bool) -> None:
    assert evaluate_rule(rule, STATES) is expected


@pytest.mark.parametrize(
    "rule", ["", "ALARM()", "ALARM(a) OR", "(ALARM(a)", "ALARM(a) ALARM(c)", "a", "AND", "ALARM(a))"]
)
def test_a_rule_that_cloudwatch_would_refuse(rule: str) -> None:
    with pytest.raises(AlarmRuleError):
        evaluate_rule(rule, STATES)


def test_children_and_elements() -> None:
    rule = 'ALARM("a") OR (ALARM("b b") AND NOT OK("a"))'
    assert (children(rule), elements(rule)) == (["a", "b b", "a"], 5)


@pytest.mark.parametrize("case", [*STACKS, *VARIANTS])
def test_every_alarm_is_heard_alone_or_with_the_other_window_of_its_burn_rate(case: str) -> None:
    recording = program(case)
    silent = {str(one.inputs["name"]) for one in recording.of_type(ALARM) if not any(heard(recording, one))}
    windows = {f"{name.rpartition('-')[0]}-" for name in silent}
    for start in windows:
        of_objective = [name for name in silent if name.startswith(start)]
        assert len(of_objective) == 4, of_objective
        raised = firing_composites(recording, of_objective)
        assert any(
            one.inputs["alarmName"] in raised and one.inputs.get("alarmActions") for one in recording.of_type(COMPOSITE)
        )
    assert len(windows) == 3


@pytest.mark.parametrize("case", [*STACKS, *VARIANTS])
def test_an_alarm_sends_one_message_itself_or_by_one_composite_alarm(case: str) -> None:
    recording = program(case)
    several = {one.name: found for one in recording.of_type(ALARM) if len(found := list(heard(recording, one))) > 1}
    assert several == {}
