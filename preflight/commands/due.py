"""In a running environment: secrets to rotate and restore tests that did not complete."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    due = commands.add_parser(
        "due", help="in a running environment, list secrets to rotate and restore tests that are overdue"
    )
    due.add_argument("stack")
    console.add_output(due, ("text", "json", "markdown", "junit"))
    due.add_argument("--strict", action="store_true", help="treat facts that cannot be determined as missing")
    due.add_argument("--endpoint-url", metavar="URL", help="call this URL instead of AWS's endpoints")
    due.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.account.render import FORMATS as RENDERERS
    from preflight.due.command import due

    answer = due(
        options.root.resolve(),
        options.stack,
        endpoint_url=options.endpoint_url,
        strict=options.strict,
        progress=console.progress(),
    )
    console.end_progress()
    console.write(RENDERERS[options.format](answer), options.output)
    return answer.exit_code
