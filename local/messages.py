"""The messages that a stack's alarms send while metrics change: metric alarms, composite alarms, and what holds them back.

A composite alarm whose ``actionsSuppressor`` fires sends nothing. If it fires first, it waits for the suppressor (``waitPeriod``); when
the suppressor ends, it waits again (``extensionPeriod``) and sends its message if it still fires
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm_Suppression.html).
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from local.alarms import ALARM, MORE_PERIODS, Alarm, Metric, State, decide
from local.signals import Metrics
from local.stack import Resource, Stack
from preflight.conform.alarm_rules import COMPOSITE, evaluate_rule
from preflight.conform.metric_math import Value, statistic

TICK = 60
"""Seconds between two evaluations: CloudWatch evaluates an alarm every minute."""
_TOPIC = "aws:sns/topic:Topic"


@dataclass(frozen=True, order=True)
class Message:
    """One message of an alarm that has begun to fire."""

    at: float
    """Seconds after the beginning."""
    alarm: str
    """The role: the last word of the alarm's name."""
    topic: str
    """The logical name of the topic."""


class _History:
    """The values of all metrics, by metric, so that one window is read without the others."""

    def __init__(self, metrics: Metrics) -> None:
        self._values: dict[tuple[str, str, frozenset[tuple[str, str]]], tuple[list[float], list[float]]] = {}
        for one in sorted(metrics.since(0), key=lambda datum: datum.at):
            times, values = self._values.setdefault((one.namespace, one.name, one.dimensions), ([], []))
            times.append(one.at)
            values.append(one.value)

    def value(self, metric: Metric, end: float) -> Value:
        times, values = self._values.get((metric.namespace, metric.name, metric.dimensions), ([], []))
        first, last = bisect.bisect_right(times, end - metric.period), bisect.bisect_right(times, end)
        return statistic(metric.statistic, values[first:last])


@dataclass
class _Watched:
    """One metric alarm and its state."""

    alarm: Alarm
    topics: tuple[str, ...]
    state: State = State.OK
    _known: dict[float, Value] = field(default_factory=dict[float, Value])

    def evaluate(self, history: _History, now: float) -> bool:
        """Whether it begins to fire."""
        ends = [now - number * self.alarm.period for number in range(self.alarm.periods + MORE_PERIODS)]
        for end in ends:
            if end not in self._known:
                self._known[end] = self.alarm.result({one.id: history.value(one, end) for one in self.alarm.metrics})
        before, self.state = self.state, decide(self.alarm, [self._known[end] for end in ends], self.state)
        return self.state is State.ALARM and before is not State.ALARM


@dataclass
class _Composite:
    """One composite alarm, its state, and the message that it holds back."""

    name: str
    rule: str
    topics: tuple[str, ...]
    suppressor: str
    wait: float
    extension: float
    firing: bool = False
    due: float | None = None
    """When the message is sent if nothing explains it; ``None``: there is none to send."""
    held: bool = False

    @classmethod
    def of(cls, stack: Stack, resource: Resource) -> _Composite:
        found: Mapping[str, Any] = resource.get("actionsSuppressor") or {}
        return cls(
            str(resource["alarmName"]),
            str(resource["alarmRule"]),
            _topics(stack, resource),
            str(found.get("alarm") or ""),
            float(found.get("waitPeriod") or 0),
            float(found.get("extensionPeriod") or 0),
        )

    def begins(self, now: float, *, suppressed: bool) -> bool:
        """Take one step of time; whether the message is sent now. ``firing`` is already the new state."""
        if not self.firing:
            self.due, self.held = None, False
            return False
        if suppressed:
            if self.due is not None:
                self.due, self.held = None, True
            return False
        if self.held:
            self.due, self.held = now + self.extension, False
        if self.due is not None and now >= self.due:
            self.due = None
            return True
        return False


def messages(stack: Stack, metrics: Metrics, start: float, end: float) -> list[Message]:
    """The messages that are sent from ``start`` to ``end``, in seconds since the epoch, in their order."""
    history = _History(metrics)
    watched = [_Watched(Alarm.of(one), _topics(stack, one)) for one in stack.all(ALARM)]
    composites = [_Composite.of(stack, one) for one in stack.all(COMPOSITE)]
    found: list[Message] = []
    now = start
    while now <= end:
        for one in watched:
            if one.evaluate(history, now):
                found += _sent(one.alarm.name, one.topics, now - start)
        states = {one.alarm.name: one.state.value for one in watched}
        _settle(composites, states, now)
        for composite in composites:
            if composite.begins(now, suppressed=states.get(composite.suppressor) == State.ALARM.value):
                found += _sent(composite.name, composite.topics, now - start)
        now += TICK
    return sorted(found)


def _settle(composites: list[_Composite], states: dict[str, str], now: float) -> None:
    """Evaluate the rules until no state changes: a rule may refer to other composite alarms."""
    states.update({one.name: State.OK.value for one in composites})
    changed = True
    while changed:
        changed = False
        for one in composites:
            state = State.ALARM.value if evaluate_rule(one.rule, states) else State.OK.value
            changed = changed or states[one.name] != state
            states[one.name] = state
    for one in composites:
        firing = states[one.name] == State.ALARM.value
        if firing and not one.firing:
            one.due = now + (one.wait if one.suppressor else 0)
        one.firing = firing


def _sent(name: str, topics: tuple[str, ...], at: float) -> Iterator[Message]:
    for topic in topics:
        yield Message(at, name.rpartition(" ")[2], topic)


def _topics(stack: Stack, resource: Resource) -> tuple[str, ...]:
    """The logical names of the topics that an alarm notifies."""
    wanted = [str(one) for one in cast("list[object]", resource.get("alarmActions") or [])]
    return tuple(sorted(one.name for one in stack.all(_TOPIC) if str(one["arn"]) in wanted))
