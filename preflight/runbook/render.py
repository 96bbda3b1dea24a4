"""The overview and the page as text, Markdown and JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from preflight.report.output import stable
from preflight.runbook.alarms import Alarm
from preflight.runbook.page import Overview, Page
from preflight.runbook.sections import Section, slug

_QUERIES = (
    "Each covers the last hour; change `3600` for another time. Repeat its second command until `status` is `Complete`; then "
    "empty `results` mean that the log has no such line."
)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_COMMENT = re.compile(r"<!--.*?-->\n*", re.DOTALL)


def overview_data(found: Overview) -> dict[str, Any]:
    """An object with ``stack``, ``alarms`` and ``incidents``."""
    return {
        "stack": found.stack,
        "alarms": [asdict(one) for one in found.alarms],
        "messages": [_named(one) for one in found.messages],
        "incidents": [_named(one) for one in found.incidents],
    }


def _named(section: Section) -> dict[str, str]:
    return {"document": section.document, "name": section.anchor, "title": section.title}


def overview_text(found: Overview) -> str:
    """One line for each alarm and incident."""
    width = max(len(one.role) for one in found.alarms) if found.alarms else 0
    lines = [f"{found.stack}: alarms and messages", ""]
    lines += [f"{one.severity:<6}  {one.role:<{width}}  {one.sentence}" for one in found.alarms]
    other = [*found.messages, *found.incidents]
    lines += ["", "messages of AWS and of jobs, incidents and procedures", ""]
    width = max((len(one.anchor) for one in other), default=0)
    lines += [f"{one.anchor:<{width}}  {one.title}" for one in other]
    return "\n".join([*lines, "", _next(found.stack), ""])


def overview_markdown(found: Overview) -> str:
    """Two tables."""
    lines = [f"# {found.stack}: what to do", "", "| Severity | Alarm | |", "|---|---|---|"]
    lines += [f"| {one.severity} | `{one.role}` | {one.sentence} |" for one in found.alarms]
    lines += ["", "| Message, incident or procedure | |", "|---|---|"]
    lines += [f"| `{one.anchor}` | {one.title} |" for one in (*found.messages, *found.incidents)]
    return "\n".join([*lines, "", _next(found.stack), ""])


def _next(stack: str) -> str:
    return f"The steps of one: python -m preflight runbook {stack} NAME"


def page_data(found: Page) -> dict[str, Any]:
    """An object with the sections, the queries' commands, and the placeholders that are left."""
    return {
        "stack": found.stack,
        "subject": found.subject,
        "alarm": asdict(found.alarm) if found.alarm else None,
        "sections": [asdict(one) for one in found.sections],
        "queries": dict(found.queries),
        "left": [asdict(one) for one in found.left],
    }


def page_markdown(found: Page) -> str:
    """The sections with their headings."""
    lines = [f"# {found.stack}: {found.subject}", "", *_sentence(found.alarm)]
    for section in found.sections:
        lines += [f"## {section.title}", "", section.text, ""]
    if found.queries:
        lines += ["## Queries", "", _QUERIES, ""]
    for name, command in found.queries.items():
        lines += [f"`{name}`:", "", "```sh", command, "```", ""]
    return "\n".join([*lines, *_left(found)])


def page_text(found: Page) -> str:
    """The same without Markdown's links and fences."""
    shown = page_markdown(found)
    plain = (line for line in shown.splitlines() if not line.lstrip().startswith("```"))
    titles = {f"#{section.anchor}": section.title for section in found.sections}
    return _LINK.sub(lambda link: _target(link, titles), _COMMENT.sub("", "\n".join(plain))) + "\n"


def _target(link: re.Match[str], titles: Mapping[str, str]) -> str:
    """The words of a link, and where it leads unless they are the title of a section on the page."""
    text, target = link[1], link[2]
    if target.startswith("#"):
        title = titles.get(target, "")
        return text if not title or slug(" ".join(text.split())) == slug(title) else f"{text} (below: {title})"
    return target if text.strip("`") == target.rpartition("/")[2] else f"{text} ({target})"


def _sentence(alarm: Alarm | None) -> Iterator[str]:
    if alarm is not None:
        yield f"{alarm.sentence}. Severity: {alarm.severity}."
        yield ""


def _left(found: Page) -> Iterator[str]:
    deployed = [one for one in found.left if one.deployed]
    incident = [one for one in found.left if not one.deployed]
    if deployed:
        yield from ("## Names that only the deployed stack has", "")
        yield from (f"- `<{one.placeholder}>`: {one.source}" for one in deployed)
        yield from ("", "All of them at once, if you may read the state:", "", "```sh")
        yield f"pulumi stack output --json -s {found.stack} | python -m preflight runbook {found.stack} {found.subject} --outputs -"
        yield from ("```", "")
    if incident:
        yield from ("## Values of the incident", "")
        yield from (f"- `<{one.placeholder}>`: {one.source}" for one in incident)
        yield ""


OVERVIEW: Mapping[str, Callable[[Overview], str]] = {
    "text": overview_text,
    "markdown": overview_markdown,
    "json": lambda found: stable(overview_data(found)),
}
"""Format → renderer of the list."""
PAGE: Mapping[str, Callable[[Page], str]] = {
    "text": page_text,
    "markdown": page_markdown,
    "json": lambda found: stable(page_data(found)),
}
"""Format → renderer of one alarm or incident."""
