"""Create a release, point a stack at one, record a deployment."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse

from preflight.commands import console
from preflight.release.options import add_options


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    release = commands.add_parser("release", help="create a release, point a stack at one, record a deployment")
    add_options(release)
    release.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.release.command import run

    return run(options, console.progress(), console.end_progress)
