"""List the steps to running environments, and which are done."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
from pathlib import Path

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    plan = commands.add_parser("plan", help="list the steps to running environments, each with its command and state")
    plan.add_argument("stack", nargs="*", help="only these stacks (default: every stack with a file)")
    plan.add_argument("--output", type=Path, metavar="FILE", help="write to this file instead of standard output")
    plan.add_argument("--endpoint-url", metavar="URL", help="call this URL instead of AWS's endpoints")
    plan.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code, which does not depend on what is done."""
    from preflight.ready.plan import as_text, plans

    found = plans(options.root.resolve(), options.stack, options.endpoint_url)
    console.write(as_text(found), options.output)
    return 0
