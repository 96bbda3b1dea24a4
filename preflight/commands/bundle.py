"""One check in every output format, the page, and the comment on a pull request."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    bundle = commands.add_parser(
        "bundle",
        help="run the check once, write every format, the page and a comment for a pull request to a folder",
    )
    bundle.add_argument("folder", type=Path)
    bundle.add_argument(
        "--base", default="", metavar="REF", help="describe the changes since this git ref in the comment"
    )
    bundle.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.analysis.check import check
    from preflight.report import bundle

    root = options.root.resolve()
    planned = bundle.plan(root, options.base) if options.base else None  # forks, so it comes before the packs
    checked = bundle.with_findings(check(root, progress=console.progress()), planned)
    # Imported after the program has run: they import settings, which the program has to get from its own project.
    from preflight.report.page import html
    from preflight.setup import cost_of_stacks

    costs = cost_of_stacks.changes(root, planned.before, checked.recordings) if planned else {}
    changed = bundle.changes(root, options.base, checked, planned, costs) if planned else ()
    page = html(checked, root, cost_of_stacks.of_recordings(root, checked.recordings))
    console.end_progress()
    for path in bundle.write(options.folder, checked, changed, page):
        sys.stdout.write(f"wrote {path}\n")
    return checked.report.exit_code
