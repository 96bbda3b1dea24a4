"""``preflight github``: the settings that the repository needs, and with ``--check``, which of them it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import wrap

from preflight.account.lines import Answer, Line
from preflight.github import branch, environments, workflows
from preflight.github.api import GitHub
from preflight.github.expected import Expected
from preflight.github.setting import Setting

Progress = Callable[[str], None]
_WIDTH = 116


def settings(expected: Expected) -> Iterator[Setting]:
    """All settings, in the order of the report."""
    yield from branch.settings(expected)
    yield from environments.settings(expected)
    yield from workflows.settings(expected)


def check(expected: Expected, github: GitHub, *, strict: bool = False, progress: Progress = lambda _: None) -> Answer:
    """One line for each setting."""
    lines: list[Line] = []
    for one in settings(expected):
        progress(f"{one.group}: {one.subject}")
        lines.append(one.line(github))
    return Answer("github", expected.repository, "", "", tuple(lines), strict)


def listed(expected: Expected) -> str:
    """The settings with the commands that set them, without a question to GitHub."""
    lines = [f"preflight github {expected.repository}: the settings that this checkout relies on (--check reads them)"]
    group = ""
    for one in settings(expected):
        if one.group != group:
            group = one.group
            lines += ["", group]
        lines += wrap(f"  {one.subject}: {one.wanted}", _WIDTH, subsequent_indent=" " * 4, break_on_hyphens=False)
        lines.append(f"    fix: {one.fix}")  # on one line, to be copied
    return "\n".join(lines) + "\n"
