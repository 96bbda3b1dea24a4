"""The command line: one module for each command, with ``add`` (its options) and ``execute``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from preflight.commands import (
    bundle,
    capacity,
    check,
    conform,
    cost,
    diff,
    docs,
    due,
    environment,
    explain,
    github,
    graph,
    init,
    owners,
    pack,
    plan,
    proxy_config,
    ready,
    release,
    report,
    runbook,
    shapes,
    trace,
    verify,
)

COMMANDS = (
    init,
    environment,
    check,
    explain,
    conform,
    bundle,
    graph,
    trace,
    capacity,
    runbook,
    diff,
    cost,
    report,
    pack,
    proxy_config,
    shapes,
    owners,
    plan,
    ready,
    verify,
    due,
    github,
    docs,
    release,
)
"""The commands in the order of ``--help``."""
RENAMED = {"reports": "bundle"}
"""Earlier names of commands, which are refused with the present one."""
DESCRIPTION = """\
Checks every environment of this project offline: no cloud credentials, no network, no Pulumi CLI.

exit codes: 0 clean, 1 findings, 2 could not run
"""


class _Version(argparse.Action):
    """Reads the version only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        """Print the version of the package, or of the checkout, and exit."""
        from preflight.version import version  # noqa: PLC0415 - --help answers at once

        sys.stdout.write(f"preflight {version()}\n")
        parser.exit()


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
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    for name in RENAMED:  # without help, so that no list of commands has it
        earlier = commands.add_parser(name)
        earlier.add_argument("rest", nargs=argparse.REMAINDER)
        earlier.set_defaults(run=_renamed)
    top.set_defaults(parser=top)
    return top


def _renamed(options: argparse.Namespace) -> int:
    from preflight.errors import PreflightError  # noqa: PLC0415 - --help answers at once

    present = RENAMED[options.command]
    rest = " ".join([present, *options.rest])
    raise PreflightError(f"the command {options.command} is called {present} now: run python -m preflight {rest}")
