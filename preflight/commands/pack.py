"""A copy of the guardrails that Pulumi's engine can start, for programs that this engine does not run."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    pack = commands.add_parser(
        "pack", help="write the guardrails to a folder for pulumi preview --policy-pack, for a program in any language"
    )
    pack.add_argument("folder", type=Path, help="a folder that does not exist yet, or that this command wrote before")
    pack.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.pulumi import packs

    folder: Path = options.folder
    packs.write(options.root / folder)
    sys.stdout.write(f"wrote {folder}\nnow run: pulumi preview --policy-pack {folder}\n")
    return 0
