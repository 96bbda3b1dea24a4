"""The load that one environment holds, and the limit that is reached first."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    capacity = commands.add_parser(
        "capacity", help="show how many chats, visits and uploads one stack holds, and which limit is reached first"
    )
    capacity.add_argument("stack")
    console.add_output(capacity, ("text", "json", "markdown"))
    capacity.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.capacity import sheet
    from preflight.capacity.facts import read
    from preflight.report.output import stable

    facts = read(console.recorded(options.root, options.stack))
    match options.format:
        case "json":
            content = stable(sheet.data(facts))
        case "markdown":
            content = sheet.markdown(facts)
        case _:
            content = sheet.text(facts)
    console.write(content, options.output)
    return 0
