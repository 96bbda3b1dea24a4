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
    from preflight.report.page import html

    checked = check(options.root.resolve(), progress=console.progress())
    console.end_progress()
    content = html(checked)
    console.write(content, options.output)
    return checked.report.exit_code
