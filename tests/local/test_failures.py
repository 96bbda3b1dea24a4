"""Each of a list of failures raises exactly one message, and it is the one that the list names."""

from __future__ import annotations

from functools import cache

import pytest

from local.alarms import ALARM, Alarm, State, state
from local.messages import Message, messages
from local.stack import Stack
from tests.local.failures import FAILURES, MINUTE, NOW, Failure, simulated
from tests.preflight.conform.graphs import program
from tests.settings.stack_files import ROOT

DOCUMENT = ROOT / "docs" / "alarms.md"
PAGES, TICKETS = "operations-alarms", "operations-tickets"


@cache
def stack(case: str) -> Stack:
    return Stack.of(program(case))


def sent(failure: Failure) -> list[Message]:
    """What is sent during the failure."""
    end = NOW + failure.minutes * MINUTE
    return messages(stack(failure.case), simulated(stack(failure.case), failure), NOW, end)


def test_enough_failures_are_listed() -> None:
    assert len(FAILURES) >= 20
    assert len({one.name for one in FAILURES}) == len(FAILURES)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: one.name)
def test_a_failure_raises_the_one_message_that_the_list_names(failure: Failure) -> None:
    found = [(one.alarm, one.topic) for one in sent(failure)]
    assert found == [(failure.raises, PAGES if failure.page else TICKETS)]


def test_a_quiet_stack_sends_nothing() -> None:
    for case in ("staging", "prod"):
        assert sent(Failure(name="nothing", raises="", case=case, minutes=60)) == []


def test_what_gets_worse_raises_another_page() -> None:
    """A lesser page, which is open, does not hide a worse one."""
    some = Failure(name="some", raises="", minutes=30, metrics={"RunningTaskCount": 1.0, "UnHealthyHostCount": 1.0})
    of = stack(some.case)
    metrics = simulated(of, some)
    worse = {
        metric.dimensions
        for alarm in map(Alarm.of, of.all(ALARM))
        for metric in alarm.metrics
        if metric.name == "HTTPCode_ELB_5XX_Count"
    }
    for dimensions in worse:
        for minute in range(20, 31):
            at = NOW + minute * MINUTE
            metrics.put("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", 60, at, dict(dimensions))
    found = messages(of, metrics, NOW, NOW + some.minutes * MINUTE)
    assert [one.alarm for one in found] == ["tasks-degraded", "requests-failing"]


def test_one_page_stands_for_several_alarms() -> None:
    """Without the groups, the first failure would raise a page for each of its alarms."""
    dead = FAILURES[0]
    of = stack(dead.case)
    metrics = simulated(of, dead)
    firing = [one["name"] for one in of.all(ALARM) if state(one, metrics, NOW + dead.minutes * MINUTE) is State.ALARM]
    assert len(firing) > 5
    assert len(sent(dead)) == 1


def test_the_document_has_the_list() -> None:
    lines = ["| Failure | Message | Kind |", "|---|---|---|"]
    lines += [
        f"| {one.name} | [`{one.raises}`](runbook.md#{anchor(one.raises)}) | {'page' if one.page else 'ticket'} |"
        for one in FAILURES
    ]
    text = "\n".join(lines)
    written = DOCUMENT.read_text(encoding="utf-8")
    assert text in written, f"replace the table in {DOCUMENT.name} by:\n{text}"


def anchor(role: str) -> str:
    """The runbook's section of an alarm."""
    return "undelivered" if role.endswith("-undelivered") else role
