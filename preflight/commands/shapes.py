"""The committed shapes of the environments."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    shapes = commands.add_parser("shapes", help="check the committed shape of every environment, or write it")
    shapes.add_argument("--write", action="store_true", help="write policies/parity/shapes/")
    shapes.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from policies.parity.rules import SHAPES
    from preflight.analysis import parity

    root, recordings = console.all_recorded(options.root)
    if options.write:
        return console.wrote(root, parity.write(root, recordings))
    return console.stale(f for f in parity.compared(root, recordings).findings if f.rule == SHAPES.name)
