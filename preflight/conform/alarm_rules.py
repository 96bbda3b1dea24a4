"""The rules of composite alarms, evaluated: ``ALARM("a") OR (ALARM("b") AND NOT ALARM("c"))``.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from preflight.recording.recorder import RecordedResource, Recording

COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
_TOKEN = re.compile(
    r'\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\(\s*(?:"(?P<quoted>[^"]+)"|(?P<plain>[^")\s]+))\s*\)'
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<bracket>[()]))"
)


class AlarmRuleError(ValueError):
    """A rule that CloudWatch would refuse; the message quotes what follows the readable part."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """``ALARM`` and the other states, a word, or a bracket."""
    alarm: str = ""


@dataclass
class _Reader:
    """A recursive descent over the tokens: NOT binds most, then AND, then OR."""

    tokens: list[_Token]
    states: Mapping[str, str]
    place: int = 0
    seen: list[str] = field(default_factory=list[str])

    def any_of(self) -> bool:
        found = self.all_of()
        while self._take("OR"):
            found = self.all_of() or found
        return found

    def all_of(self) -> bool:
        found = self.one()
        while self._take("AND"):
            found = self.one() and found
        return found

    def one(self) -> bool:
        if self._take("NOT"):
            return not self.one()
        if self._take("("):
            found = self.any_of()
            if not self._take(")"):
                raise AlarmRuleError("a bracket is not closed")
            return found
        if self.place >= len(self.tokens):
            raise AlarmRuleError("it ends where an alarm is expected")
        token = self.tokens[self.place]
        self.place += 1
        if token.kind in ("TRUE", "FALSE"):
            return token.kind == "TRUE"
        if not token.alarm:
            raise AlarmRuleError(f"{token.kind} where an alarm is expected")
        self.seen.append(token.alarm)
        return self.states.get(token.alarm, "OK") == token.kind

    def _take(self, kind: str) -> bool:
        if self.place < len(self.tokens) and self.tokens[self.place].kind == kind:
            self.place += 1
            return True
        return False


def _tokens(rule: str) -> list[_Token]:
    found: list[_Token] = []
    place = 0
    text = rule.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise AlarmRuleError(f"not readable from {text[place : place + 40]!r} on")
        state = match["state"]
        found.append(_Token(state or match["word"] or match["bracket"], (match["quoted"] or match["plain"] or "")))
        place = match.end()
    return found


def evaluate_rule(rule: str, states: Mapping[str, str]) -> bool:
    """Whether a rule is true; ``states``: name of an alarm → its state, ``OK`` where it is missing. Raises ``AlarmRuleError``."""
    reader = _Reader(_tokens(rule), states)
    found = reader.any_of()
    if reader.place != len(reader.tokens):
        raise AlarmRuleError(f"{reader.tokens[reader.place].kind} is left over")
    return found


def children(rule: str) -> list[str]:
    """The alarms that a rule refers to, in its order, names or ARNs as they are written."""
    reader = _Reader(_tokens(rule), {})
    reader.any_of()
    return reader.seen


def elements(rule: str) -> int:
    """The number of alarms, constants and brackets, as CloudWatch's quota counts them."""
    return sum(1 for one in _tokens(rule) if one.kind not in ("AND", "OR", "NOT"))


def firing_composites(recording: Recording, firing: Collection[str]) -> set[str]:
    """The names of the composite alarms that fire while only ``firing`` do, however deep."""
    composites = recording.of_type(COMPOSITE)
    states = dict.fromkeys(firing, "ALARM")
    while True:
        new = {
            name
            for one in composites
            if (name := str(one.inputs["alarmName"])) not in states
            and evaluate_rule(str(one.inputs["alarmRule"]), states)
        }
        if not new:
            return set(states) - set(firing)
        states.update(dict.fromkeys(new, "ALARM"))


def heard(recording: Recording, alarm: RecordedResource) -> Iterator[str]:
    """The names of the alarms with a destination that fire while only this one does: itself, or composite alarms."""
    name = str(alarm.inputs.get("name"))
    if alarm.inputs.get("alarmActions"):
        yield name
    raised = firing_composites(recording, [name])
    for one in recording.of_type(COMPOSITE):
        if one.inputs["alarmName"] in raised and one.inputs.get("alarmActions"):
            yield str(one.inputs["alarmName"])
