"""The output of ``preflight runbook``: the list of alarms and incidents, or the sections for one of them."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from preflight.errors import PreflightError
from preflight.recording.recorder import Recording
from preflight.runbook.alarms import Alarm, Query, alarms, queries, sections_of
from preflight.runbook.sections import ALARMS, FIRST, PLACEHOLDERS, RUNBOOK, Runbook, Section
from preflight.runbook.values import Values, left

_NEAREST = 3
_HOUR = 3600
_ABOUT_A_RULE = re.compile(r"-(dead-letters|undelivered)$")
"""The end of the role of an alarm about a rule's messages; the rule is before it (``components.monitoring.events``)."""


class NotInTheRunbookError(PreflightError):
    """The runbook has no such alarm or incident, or lacks what it needs."""


@dataclass(frozen=True)
class Overview:
    """Every alarm of a stack, and the incidents that the documents describe."""

    stack: str
    alarms: tuple[Alarm, ...]
    messages: tuple[Section, ...]
    incidents: tuple[Section, ...]


@dataclass(frozen=True)
class Left:
    """A placeholder without a value."""

    placeholder: str
    source: str
    """The command or the sentence that gives the value."""
    deployed: bool
    """Whether the outputs of the deployed stack have it."""


@dataclass(frozen=True)
class Printed:
    """A section with the stack's values."""

    document: str
    anchor: str
    title: str
    text: str


@dataclass(frozen=True)
class Page:
    """The sections for one alarm or incident."""

    stack: str
    subject: str
    alarm: Alarm | None
    """``None`` for an incident without an alarm."""
    sections: tuple[Printed, ...]
    queries: Mapping[str, str]
    """Saved query that the sections name → the command that runs it."""
    left: tuple[Left, ...]


def overview(recording: Recording, runbook: Runbook, values: Values) -> Overview:
    """The alarms, messages and incidents of a stack. A part that the stack does not have is left out."""
    incidents = tuple(one for one in runbook.incidents() if not values.without_source(one.text))
    return Overview(recording.stack, tuple(alarms(recording)), tuple(messages(recording, runbook, values)), incidents)


def page(recording: Recording, runbook: Runbook, values: Values, wanted: str) -> Page:
    """The sections for an alarm, named by role, by its name in CloudWatch or by its section, or for an incident.

    :raises NotInTheRunbookError: there is none of that name, or a placeholder has no source
    """
    known = alarms(recording)
    alarm = next((one for one in known if wanted in (one.role, one.name)), None)
    if alarm is not None:
        values = replace(values, known={**values.known, "rule": _ABOUT_A_RULE.sub("", alarm.role)})
    section = runbook.alarm(alarm.section) if alarm else _without_an_alarm(recording, runbook, values, wanted)
    if section is None and alarm is not None:
        raise NotInTheRunbookError(f"{RUNBOOK} has no section {alarm.section}.\nfix: write it: ### {alarm.section}")
    if section is None:
        raise NotInTheRunbookError(_unknown(recording, wanted, runbook, values))
    if missing := values.without_source(section.text):
        raise NotInTheRunbookError(
            f"nothing gives the value of <{missing[0]}> in {section.document}, section {section.title}.\nfix: add it to "
            f"assembly/outputs.py if the stack has it, or a row to the table Placeholders in {RUNBOOK}"
        )
    first = runbook.sections.get((RUNBOOK, FIRST))
    own = {*sections_of(known), *(one.anchor for one in messages(recording, runbook, values)), section.anchor}
    absent = {one.anchor for one in runbook.sections.values() if one.parent == ALARMS} - own
    linked = [
        one
        for one in runbook.with_its_links(section)
        if one != first and one.anchor not in absent and not values.without_source(one.text)
    ]
    chosen = [*([first] if first else []), *linked]
    here = {(one.document, one.anchor) for one in chosen}
    printed = tuple(
        Printed(one.document, one.anchor, one.title, values.fill(_reachable(one, here, absent, runbook, values)))
        for one in chosen
    )
    found = _commands(queries(recording), dict.fromkeys(name for one in linked for name in one.queries))
    subject = alarm.role if alarm else section.anchor
    return Page(recording.stack, subject, alarm, printed, found, _left(printed, values))


def messages(recording: Recording, runbook: Runbook, values: Values) -> list[Section]:
    """The sections about messages that come from no alarm and no rule of the stack: of RDS, of the budget, of a job.

    A section of a part that the stack does not have has a placeholder without a value, or leads to the section of another message
    that does. A link to an incident is no reason: some of its steps may be about parts of other stacks.
    """
    linked = set(sections_of(alarms(recording)))
    return [
        section
        for section in runbook.sections.values()
        if section.parent == ALARMS
        and section.anchor not in linked
        and not any(values.without_source(one.text) for one in runbook.with_its_links(section) if one.parent == ALARMS)
    ]


def _reachable(section: Section, here: set[tuple[str, str]], absent: set[str], runbook: Runbook, values: Values) -> str:
    """The section's text. A link to a section that is not printed becomes the command that prints it, unless it is about a part
    that the stack does not have."""
    stack = values.stack

    def target(words: str, link: tuple[str, str]) -> str:
        if link in here:
            return f"[{words}](#{link[1]})"
        linked = runbook.sections.get(link)
        if linked is None:
            return f"[{words}]({'#'.join(part for part in link if part)})"
        if linked.anchor == FIRST or linked.anchor in absent or values.without_source(linked.text):
            return words
        return f"{words} (`python -m preflight runbook {stack} {link[1]}`)"

    return section.with_targets(target)


def _without_an_alarm(recording: Recording, runbook: Runbook, values: Values, wanted: str) -> Section | None:
    """The section of alarms with several roles, of a message, or of an incident."""
    if wanted in sections_of(alarms(recording)):
        return runbook.alarm(wanted)
    if runbook.alarm(wanted) is not None:
        return next((one for one in messages(recording, runbook, values) if one.anchor == wanted), None)
    return runbook.named(wanted) if wanted not in (FIRST, PLACEHOLDERS) else None


def _commands(saved: Mapping[str, Query], names: Iterable[str]) -> dict[str, str]:
    """A query of a log that the stack does not have is left out: its step does not apply."""
    return {name: command(saved[name]) for name in names if name in saved}


def command(query: Query) -> str:
    """The command that runs a saved query over the last hour and prints its result."""
    groups = " ".join(shlex.quote(group) for group in query.log_groups)
    return (
        f'query=$(aws logs start-query --log-group-names {groups} --start-time "$(($(date +%s) - {_HOUR}))" '
        f'--end-time "$(date +%s)" --query-string {shlex.quote(query.text)} --query queryId --output text)\n'
        'sleep 10 && aws logs get-query-results --query-id "$query"'
    )


def _left(printed: Iterable[Printed], values: Values) -> tuple[Left, ...]:
    found: dict[str, Left] = {}
    # A source may itself have a placeholder.
    pending = [name for section in printed for name in left(section.text)]
    while pending:
        name = pending.pop(0)
        source = values.source(name) or ""
        if name not in found:
            found[name] = Left(name, source, name in values.deployed)
            pending += left(source)
    return tuple(found.values())


def _unknown(recording: Recording, wanted: str, runbook: Runbook, values: Values) -> str:
    known = {one.role for one in alarms(recording)} | {one.anchor for one in messages(recording, runbook, values)}
    names = sorted(known | {one.anchor for one in runbook.incidents()})
    near = difflib.get_close_matches(wanted.rpartition(" ")[2], names, n=_NEAREST, cutoff=0.4) or names[:_NEAREST]
    return (
        f"{recording.stack} has no alarm, and the runbook no incident, {wanted!r}; nearest: {', '.join(near)}.\n"
        f"fix: choose one that python -m preflight runbook {recording.stack} lists"
    )
