"""The resources that one stack would register."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    graph = commands.add_parser("graph", help="print the resources that one stack would register")
    graph.add_argument("stack")
    graph.add_argument("--format", choices=("json",), default="json")
    graph.add_argument(
        "--preview", action="store_true", help="record a first preview, in which computed values are unknown"
    )
    graph.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.recording.graph import graph
    from preflight.report.output import stable

    sys.stdout.write(stable(graph(console.recorded(options.root, options.stack, preview=options.preview))))
    return 0
