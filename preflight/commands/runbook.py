"""The steps for an alarm or an incident of one stack, with the stack's names filled in."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    runbook = commands.add_parser(
        "runbook", help="print what to do for an alarm or an incident of one stack, with the stack's names filled in"
    )
    runbook.add_argument("stack")
    runbook.add_argument(
        "alarm",
        nargs="?",
        default="",
        help="an alarm by role or by its name in CloudWatch, or an incident; omitted: the list of them",
    )
    runbook.add_argument(
        "--outputs",
        metavar="FILE",
        help="the output of pulumi stack output --json, for names that only the deployed stack has; - reads standard input",
    )
    console.add_output(runbook, ("text", "json", "markdown"))
    runbook.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.runbook import render
    from preflight.runbook.page import overview, page
    from preflight.runbook.sections import read
    from preflight.runbook.values import values

    documents = read(options.root)
    deployed = _deployed(options.outputs, options.stack)
    recording = console.recorded(options.root, options.stack, preview=True)
    known = values(recording, documents, deployed)
    if not options.alarm:
        content = render.OVERVIEW[options.format](overview(recording, documents, known))
    else:
        content = render.PAGE[options.format](page(recording, documents, known, options.alarm))
    console.write(content, options.output)
    return 0


def _deployed(source: str | None, stack: str) -> dict[str, object] | None:
    from pathlib import Path

    from preflight.errors import ConfigurationError
    from preflight.runbook.values import outputs_from

    if source is None:
        return None
    if source == "-":
        return outputs_from(sys.stdin.read(), "standard input", stack)
    try:
        content = Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{source} cannot be read: {error}.\nfix: write it: pulumi stack output --json -s {stack} > {source}"
        ) from None
    return outputs_from(content, source, stack)
