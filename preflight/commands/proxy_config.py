"""The proxy's configuration of one stack."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    proxy = commands.add_parser("proxy-config", help="print the proxy's configuration of one stack as JSON")
    proxy.add_argument("stack")
    proxy.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.analysis.edge_proxy import configuration
    from preflight.report.output import stable

    sys.stdout.write(stable(configuration(console.recorded(options.root, options.stack))))
    return 0
