"""CODEOWNERS from the owners in the settings."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    owners = commands.add_parser("owners", help="check that CODEOWNERS matches the owners in the settings, or write it")
    owners.add_argument("--write", action="store_true", help="write .github/CODEOWNERS")
    owners.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.analysis import owners, parity

    root, recordings = console.all_recorded(options.root)
    known = {stack: recordings[stack, False] for stack in parity.order(root, [stack for stack, _ in recordings])}
    if options.write:
        return console.wrote(root, owners.write(root, known))
    return console.stale(owners.stale(root, known))
