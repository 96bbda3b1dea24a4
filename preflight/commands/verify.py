"""After ``up``: hold the live host and the account to the stack."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
from pathlib import Path

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """The command's options."""
    verify = commands.add_parser(
        "verify", help="after up: send the requests of trace to the live host, ask its account"
    )
    verify.add_argument("stack")
    console.add_output(verify, ("text", "json", "markdown", "junit"))
    verify.add_argument("--only", choices=("requests", "account"), default="", help="one half of the check")
    verify.add_argument(
        "--wait",
        type=float,
        default=0,
        metavar="SECONDS",
        help="first wait so long for the service's deployment to end",
    )
    verify.add_argument("--strict", action="store_true", help="what cannot be told counts as missing")
    verify.add_argument(
        "--resolve",
        action="append",
        default=[],
        metavar="PORT=ADDRESS:PORT",
        help="reach a port of the host there instead of by its name; may be given several times",
    )
    verify.add_argument("--ca", type=Path, metavar="FILE", help="trust these authorities instead of the system's (PEM)")
    verify.add_argument("--endpoint-url", metavar="URL", help="ask this instead of AWS's own endpoints")
    verify.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from preflight.account.render import FORMATS as RENDERERS
    from preflight.verify.command import Options, verify

    asked = Options(
        root=options.root.resolve(),
        stack=options.stack,
        only=options.only,
        resolve=tuple(options.resolve),
        ca=options.ca,
        endpoint_url=options.endpoint_url,
        strict=options.strict,
        wait=options.wait,
    )
    answer = verify(asked, console.progress())
    console.end_progress()
    console.write(RENDERERS[options.format](answer), options.output)
    return answer.exit_code
