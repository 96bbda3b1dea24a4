"""The documents that are generated from the code."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    docs = commands.add_parser("docs", help="check that the generated documents are current, or write them")
    docs.add_argument("--write", action="store_true", help="write the documents that are out of date")
    docs.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.reference import documents as reference

    root = options.root.resolve()
    if options.write:
        return console.wrote(root, reference.write(root, options.parser))
    stale = reference.stale(root, options.parser)
    sys.stdout.write("".join(f"{name} is out of date; run `make docs` and commit the result\n" for name in stale))
    return 1 if stale else 0
