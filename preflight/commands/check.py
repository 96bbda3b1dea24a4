"""Record every environment, evaluate the policy packs and compare the environments."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
from pathlib import Path

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    check = commands.add_parser(
        "check", help="record all environments, evaluate the policy packs, compare the environments"
    )
    check.add_argument("--stack", action="append", default=[], help="only this stack; may be given several times")
    check.add_argument(
        "--policy-pack", action="append", type=Path, help="use these packs instead of the ones in policies/"
    )
    check.add_argument("--verbose", action="store_true", help="list the values that are not known in a first preview")
    console.add_output(check)
    check.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.analysis.check import check

    packs: list[Path] | None = options.policy_pack
    checked = check(options.root.resolve(), options.stack, packs, console.progress())
    return console.write_report(checked.report, options)
