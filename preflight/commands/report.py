"""One HTML page about all environments."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
from pathlib import Path

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    report = commands.add_parser("report", help="write one self-contained HTML page about all environments")
    report.add_argument("--output", type=Path, metavar="FILE", help="write to this file instead of standard output")
    report.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.analysis.check import check

    root = options.root.resolve()
    checked = check(root, progress=console.progress())
    console.end_progress()
    # Imported after the program has run: they import settings, which the program has to get from its own project.
    from preflight.report.page import html
    from preflight.setup import cost_of_stacks

    content = html(checked, root, cost_of_stacks.of_recordings(root, checked.recordings))
    console.write(content, options.output)
    return checked.report.exit_code
