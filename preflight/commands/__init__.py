"""The command line: one module for each command, with ``add`` (its options) and ``execute``."""

from __future__ import annotations

import argparse
from pathlib import Path

from preflight.commands import (
    check,
    conform,
    diff,
    docs,
    environment,
    graph,
    init,
    owners,
    plan,
    proxy_config,
    ready,
    release,
    report,
    reports,
    shapes,
    trace,
    verify,
)

COMMANDS = (
    init,
    environment,
    check,
    conform,
    reports,
    graph,
    trace,
    diff,
    report,
    proxy_config,
    shapes,
    owners,
    plan,
    ready,
    verify,
    docs,
    release,
)
"""The commands in the order of ``--help``."""
DESCRIPTION = """\
Checks every environment of this project offline: no cloud credentials, no network, no Pulumi CLI.

exit codes: 0 clean, 1 findings, 2 could not run
"""


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser(
        prog="python -m preflight", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument(
        "-C",
        dest="root",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="the project's folder (default: the current folder)",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    top.set_defaults(parser=top)
    return top
