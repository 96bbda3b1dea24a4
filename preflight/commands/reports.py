"""One check in every output format, and the comment on a pull request."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    reports = commands.add_parser(
        "reports", help="run the check once, write every format to a folder, and a comment for a pull request"
    )
    reports.add_argument("folder", type=Path)
    reports.add_argument(
        "--base", default="", metavar="REF", help="describe the changes since this git ref in the comment"
    )
    reports.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.analysis.check import check
    from preflight.report import bundle as reports

    root = options.root.resolve()
    planned = reports.plan(root, options.base) if options.base else None  # forks, so it comes before the packs
    checked = reports.with_findings(check(root, progress=console.progress()), planned)
    changed = reports.changes(options.base, checked, planned) if planned else ""
    console.end_progress()
    for path in reports.write(options.folder, checked, changed):
        sys.stdout.write(f"wrote {path}\n")
    return checked.report.exit_code
