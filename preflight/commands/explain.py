"""One policy in the terminal."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    explain = commands.add_parser("explain", help="show what a policy demands, why, and how to comply")
    explain.add_argument("policy", help="the policy's id, for example elb-listeners-use-tls")
    explain.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.reference import policies

    sys.stdout.write(policies.explained(options.policy))
    return 0
