"""Adds an environment like another one."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from preflight.commands import console
from preflight.commands.init import finish


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    environment = commands.add_parser("environment", help="add an environment like another one")
    environment.add_argument("action", choices=("add",))
    environment.add_argument("name", help="the stack's name, for example dev")
    environment.add_argument("--like", required=True, metavar="STACK", help="the environment to copy")
    environment.add_argument(
        "--account", metavar="ID", help="the new environment's AWS account (default: the account of STACK)"
    )
    environment.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.setup import environments, project

    root: Path = options.root.resolve()
    before = project.committed(root)
    after = environments.added(options.name, options.like, before, options.account)
    if problems := project.problems(after):
        console.say(f"nothing was written, because the settings would be refused\n\n{problems}")
        return 1
    finish(root, before, after)
    sys.stdout.write(f"next: make check\n{environments.remaining(options.name, options.like, after)}\n")
    return 0
