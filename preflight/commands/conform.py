"""Check every value against AWS's published data."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    conform = commands.add_parser(
        "conform", help="check every value against AWS's published schemas and service models"
    )
    conform.add_argument("stack", nargs="*", help="only these stacks (default: every stack with a file)")
    conform.add_argument("--project", action="append", default=[], choices=("main", "bootstrap"), help="default: both")
    console.add_output(conform)
    conform.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.conform.command import conform

    return console.write_report(
        conform(options.root.resolve(), options.stack, options.project, console.progress()), options
    )
