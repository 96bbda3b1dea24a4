"""The result as text, JSON, Markdown or JUnit. No output contains a time, so two runs can be compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from textwrap import wrap
from xml.etree import ElementTree as Xml

from preflight.account.lines import Answer, Line, Status

WIDTH = 116
_INDENT = " " * 16


def as_text(answer: Answer) -> str:
    """Format for a terminal, with the summary in the last line."""
    where = f": account {answer.account}, region {answer.region}" if answer.account else ""
    lines = [f"preflight {answer.command} {answer.stack}{where}"]
    for name, members in answer.groups:
        lines += ["", name]
        for line in members:
            lines += _folded(f"  {line.status:<13} {line.subject}: {line.found}")
            if line.fix and line.status is not Status.OK:
                lines += _folded(f"{_INDENT}fix: {line.fix}")
    strict = ", and treat facts that cannot be determined as missing (--strict)" if answer.strict else ""
    return "\n".join([*lines, "", f"{answer.summary}{strict}"]) + "\n"


def _folded(text: str) -> list[str]:
    return wrap(
        text,
        WIDTH,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=True,
    )


def as_json(answer: Answer) -> str:
    """Everything, with sorted keys; the lines keep their order."""
    content = asdict(answer)
    content["counts"] = {str(status): answer.count(status) for status in Status}
    content["exitCode"] = answer.exit_code
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def as_markdown(answer: Answer) -> str:
    """Format for a comment or a job's summary, with missing facts first."""
    order = (Status.MISSING, Status.CANNOT_TELL, Status.OK)
    lines = [f"### preflight {answer.command} {answer.stack}: {answer.summary}", ""]
    lines += ["| | part | subject | found | fix |", "|---|---|---|---|---|"]
    for line in sorted(answer.lines, key=lambda line: order.index(line.status)):
        cells = (line.status, line.group, line.subject, line.found, line.fix)
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    for character, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, written)
    for character in "\\`*_[]|":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split())


def as_junit(answer: Answer) -> str:
    """A suite for each group and a case for each line; unknown lines are skipped, or fail with ``--strict``."""
    root = Xml.Element("testsuites", name=f"preflight {answer.command} {answer.stack}")
    for name, members in answer.groups:
        failing = [line for line in members if answer.fails(line)]
        skipped = [line for line in members if line.status is Status.CANNOT_TELL and line not in failing]
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=name,
            tests=str(len(members)),
            failures=str(len(failing)),
            skipped=str(len(skipped)),
        )
        for line in members:
            classname = f"preflight.{answer.command}.{answer.stack}.{name}"
            case = Xml.SubElement(suite, "testcase", classname=classname, name=line.subject)
            if line in failing:
                Xml.SubElement(case, "failure", type=str(line.status), message=line.found).text = _said(line)
            elif line in skipped:
                Xml.SubElement(case, "skipped", message=_said(line))
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _said(line: Line) -> str:
    return f"{line.status}: {line.found}\nfix: {line.fix}"


FORMATS: dict[str, Callable[[Answer], str]] = {
    "text": as_text,
    "json": as_json,
    "markdown": as_markdown,
    "junit": as_junit,
}
"""Name of a format → its renderer."""
