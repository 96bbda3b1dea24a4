"""Burn rates on the recorded graph: what pages, what is a ticket, and what raises nothing although an objective is missed for a moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.monitoring.objectives import PAGES as PAIRS
from components.monitoring.objectives import TICKET
from local.alarms import ALARM, Alarm, State, state
from local.messages import messages
from local.signals import Metrics
from local.stack import Stack
from settings.objectives import Objectives
from tests.local.failures import CALLS, HOUR, MINUTE, NOW, Failure, simulated
from tests.local.test_failures import PAGES, TICKETS
from tests.preflight.conform.graphs import program

CHAT = "chat-success"
CALLED, FAILED = "ModelCalls", "ModelFailures"


def stack() -> Stack:
    return Stack.of(program("staging"))


def alarm(role: str) -> Alarm:
    return next(found for found in map(Alarm.of, stack().all(ALARM)) if found.name.endswith(f" {role}"))


def chats(failed: dict[int, float], calls: float = CALLS, hours: int = 73) -> Metrics:
    """Calls in each minute of the hours before ``NOW``, and the failures of some minutes, counted back from ``NOW``."""
    found = Metrics()
    (dimensions,) = {one.dimensions for one in alarm(f"{CHAT}-1h").metrics}
    for minute in range(hours * 60):
        at = NOW - minute * MINUTE - 1
        found.put("ai-interface/proxy", CALLED, calls, at, dict(dimensions))
        if failed.get(minute):
            found.put("ai-interface/proxy", FAILED, failed[minute], at, dict(dimensions))
    return found


def firing(metrics: Metrics) -> set[str]:
    """The windows of the chats' objective that are above their rate."""
    ours = [one for one in stack().all(ALARM) if f" {CHAT}-" in str(one["name"])]
    return {str(one["name"]).rpartition("-")[2] for one in ours if state(one, metrics, NOW) is State.ALARM}


def test_each_window_has_the_rate_of_its_pair_and_the_objective_of_the_settings() -> None:
    allowed = 100 - Objectives().chat_success_percent
    for window in (*(one for pair in PAIRS for one in pair), TICKET):
        found = alarm(f"{CHAT}-{window.name}")
        assert found.threshold == pytest.approx(window.rate * allowed)
        assert (found.period, found.periods) == (window.seconds, window.periods)


def test_the_windows_are_those_of_the_task() -> None:
    rates = [[(one.seconds, one.rate) for one in pair] for pair in PAIRS]
    assert rates == [[(HOUR, 14.4), (300, 14.4)], [(6 * HOUR, 6), (1800, 6)]]
    assert (TICKET.seconds, TICKET.periods, TICKET.rate) == (24 * HOUR, 3, 1)


def test_half_of_the_chats_fail_for_a_quarter_of_an_hour() -> None:
    """A fifth of the hour's chats would be 20 times the rate: 12.5 percent is not, 25 percent is."""
    assert firing(chats(dict.fromkeys(range(15), CALLS / 2))) == {"5m", "30m"}
    assert firing(chats(dict.fromkeys(range(15), CALLS))) == {"1h", "5m", "30m"}


def test_what_has_ended_is_no_page_any_more() -> None:
    """The long window is above its rate for an hour; the short one ends."""
    assert firing(chats(dict.fromkeys(range(10, 30), CALLS))) == {"1h", "30m"}


def test_a_low_steady_rate_is_a_ticket() -> None:
    two_percent = dict.fromkeys(range(73 * 60), CALLS / 50)
    assert firing(chats(two_percent)) == {"3d"}
    assert firing(chats({minute: one * 0.4 for minute, one in two_percent.items()})) == set()


def test_one_failure_at_night_raises_nothing_although_it_is_all_that_happened() -> None:
    night = chats({2: 1.0}, calls=0.02, hours=1)
    short = firing(night)
    assert short <= {"5m", "30m"}, "a short window alone sends no message"
    few = Objectives().minimum_failures - 1
    assert firing(chats(dict.fromkeys(range(few), 1.0), calls=0.02, hours=1)) <= {"5m", "30m"}
    assert firing(chats(dict.fromkeys(range(few + 1), 1.0), calls=0.5, hours=1)) >= {"1h", "5m"}


def test_a_single_failed_request_sends_no_message() -> None:
    once = Failure(
        name="one", raises="", metrics={"HTTPCode_Target_5XX_Count": 1.0, "ModelFailures": 1.0}, minutes=5, quiet=True
    )
    found = messages(stack(), simulated(stack(), once), NOW, NOW + 5 * MINUTE)
    assert found == []


def test_a_low_steady_rate_of_errors_is_one_ticket() -> None:
    slow = Failure(
        name="slow", raises="availability-3d", page=False, metrics={"HTTPCode_Target_5XX_Count": 0.9}, minutes=73 * 60
    )
    found = messages(stack(), simulated(stack(), slow), NOW, NOW + slow.minutes * MINUTE)
    assert [(one.alarm, one.topic) for one in found] == [(slow.raises, TICKETS)]
    assert PAGES not in {one.topic for one in found}
    assert messages(stack(), simulated(stack(), replace(slow, minutes=30)), NOW, NOW + 30 * MINUTE) == []
