"""The documents of an on-call engineer, as sections that can be printed alone."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from preflight.errors import ConfigurationError

RUNBOOK = "docs/runbook.md"
DOCUMENTS = (RUNBOOK, "docs/incidents.md", "docs/restore.md", "docs/give-access.md")
"""Sections that ``preflight runbook`` prints. A link to another document stays a link."""
FIRST = "your-role"
"""Printed with every section: how to sign in."""
ALARMS = "alarms"
"""The section whose sub-sections are alarms and messages, each under its role."""
PLACEHOLDERS = "placeholders"
"""The section of the runbook that states where values of an incident come from."""
NAMES = "names-that-aws-chooses"
"""The section of the runbook with the on-call role's command for each output of the stack that is not known before."""

_HEADING = re.compile(r"^(?P<marks>#{2,4}) (?P<title>.+)$")
_LINK = re.compile(r"\]\((?P<file>[\w./-]*)#(?P<anchor>[\w-]+)\)")
_WHOLE_LINK = re.compile(r"\[(?P<words>[^\]]+)\]\((?P<file>[\w./-]*)(?:#(?P<anchor>[\w-]+))?\)")
_QUERY = re.compile(r"\b[Qq]uer(?:y|ies)\s+(?P<names>`[a-z-]+`(?:(?:,|\s+and)\s+`[a-z-]+`)*)")
_CODE = re.compile(r"`([a-z-]+)`")


@dataclass(frozen=True)
class Section:
    """One heading of a document and the text below it, without its sub-sections."""

    document: str
    """The file, relative to the project's folder."""
    anchor: str
    title: str
    level: int
    parent: str
    """The anchor of the heading above it; empty for a section of the first level."""
    text: str

    @property
    def links(self) -> Iterator[tuple[str, str]]:
        """File and anchor of each link to a section, in their order; the file as ``DOCUMENTS`` lists it."""
        for found in _LINK.finditer(self.text):
            yield self._file(found["file"]), found["anchor"]

    def with_targets(self, target: Callable[[str, tuple[str, str]], str]) -> str:
        """The text, with each link inside the project as ``target`` renders it: from the words of the link, its file in the project
        and its anchor, which may be empty."""
        return _WHOLE_LINK.sub(
            lambda found: target(found["words"], (self._file(found["file"]), found["anchor"] or "")), self.text
        )

    def _file(self, name: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.document), name)) if name else self.document

    @property
    def queries(self) -> list[str]:
        """The saved queries that the text names, in their order, without duplicates."""
        named = (name for found in _QUERY.finditer(self.text) for name in _CODE.findall(found["names"]))
        return list(dict.fromkeys(named))


@dataclass(frozen=True)
class Runbook:
    """Every section of ``DOCUMENTS`` by file and anchor, in their order."""

    sections: Mapping[tuple[str, str], Section]

    def alarm(self, anchor: str) -> Section | None:
        """The section of an alarm or a message."""
        found = self.sections.get((RUNBOOK, anchor))
        return found if found is not None and found.parent == ALARMS else None

    def incidents(self) -> list[Section]:
        """The steps for other cases than an alarm: sections with steps, in their order."""
        return [
            section
            for section in self.sections.values()
            if section.parent != ALARMS
            and section.anchor not in {ALARMS, FIRST, PLACEHOLDERS, NAMES}
            and section.document != "docs/give-access.md"
        ]

    def named(self, anchor: str) -> Section | None:
        """A section of any document, the first with this anchor."""
        return next((section for (_, name), section in self.sections.items() if name == anchor), None)

    def with_its_links(self, first: Section) -> list[Section]:
        """The section, its sub-sections, those that it links to, and those that these link to."""
        found = dict.fromkeys([first, *(one for one in self.sections.values() if self._below(one, first))])
        for _ in range(_LINKS):
            for section in list(found):
                found.update(dict.fromkeys(one for one in self._linked(section) if one not in found))
        return list(found)

    def _linked(self, section: Section) -> list[Section]:
        return [self.sections[link] for link in section.links if link in self.sections]

    def _below(self, section: Section, above: Section) -> bool:
        return section.document == above.document and section.parent == above.anchor and above.anchor != ALARMS


_LINKS = 2
"""How many links away from the first section the last one is. Further sections have to be printed separately."""


def read(root: Path) -> Runbook:
    """The sections of the project's documents. Raises ``ConfigurationError`` if the runbook is missing."""
    found: dict[tuple[str, str], Section] = {}
    for name in DOCUMENTS:
        path = root / name
        if path.is_file():
            found |= {(name, one.anchor): one for one in sections(name, path.read_text(encoding="utf-8"))}
        elif name == RUNBOOK:
            raise ConfigurationError(f"{name} is missing: run this in the project's folder, or restore it from git")
    return Runbook(found)


def sections(document: str, text: str) -> Iterator[Section]:
    """The sections of one document. Headings inside code blocks are text."""
    heading: re.Match[str] | None = None
    above: dict[int, str] = {}
    lines: list[str] = []
    fenced = False
    for line in [*text.splitlines(), "## end"]:
        fenced ^= line.lstrip().startswith("```")
        found = None if fenced else _HEADING.match(line)
        if found is None:
            lines.append(line)
            continue
        if heading is not None:
            yield _section(document, heading, above, lines)
        heading, lines = found, []


def _section(document: str, heading: re.Match[str], above: dict[int, str], lines: list[str]) -> Section:
    level, anchor = len(heading["marks"]), slug(heading["title"])
    above[level] = anchor
    parent = above.get(level - 1, "") if level > 2 else ""  # noqa: PLR2004 - the title is level 1
    return Section(document, anchor, heading["title"], level, parent, "\n".join(lines).strip())


def slug(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
