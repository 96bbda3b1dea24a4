"""The README shows the check's output as it is today, shortened."""

from __future__ import annotations

import re

from preflight.analysis.check import check
from preflight.report.output import render
from tests.settings.stack_files import ROOT

BLOCK = re.compile(r"```\n(ai-interface preflight .*?)\n```", re.DOTALL)
SHORTENED = "  …"


def shown() -> list[str]:
    """The lines of the block, without the mark where lines are left out."""
    (block,) = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    return [line for line in block.splitlines() if line != SHORTENED]


def test_every_line_that_the_readme_shows_is_printed_in_this_order() -> None:
    report = check(ROOT, progress=lambda _: None).report
    printed = iter(render(report, "text", terminal=False, color=False, verbose=False).splitlines())
    assert [line for line in shown() if line not in printed] == []


def test_the_readme_shows_table_paths_exceptions_and_what_is_known_later() -> None:
    starts = ("ai-interface preflight", "  staging ", "  prod ", "  ingress ", "  egress ", "allowed by", "proven with")
    assert [start for start in starts if not any(line.startswith(start) for line in shown())] == []
