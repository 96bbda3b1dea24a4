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
    from preflight.account import signing
    from preflight.github.approvals import of_run
    from preflight.release.command import Outside, run

    outside = Outside(signing.sign, signing.public_key, of_run)
    return run(options, outside, console.progress(), console.end_progress)
