"""After ``up``: compare the live host and the account with the stack."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
from pathlib import Path

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    verify = commands.add_parser("verify", help="after pulumi up, compare the live host and the account with the stack")
    verify.add_argument("stack")
    console.add_output(verify, ("text", "json", "markdown", "junit"))
    verify.add_argument("--only", choices=("requests", "account"), default="", help="run only this half of the check")
    verify.add_argument(
        "--wait",
        type=float,
        default=0,
        metavar="SECONDS",
        help="first wait up to this long for the service's deployment to end",
    )
    verify.add_argument("--strict", action="store_true", help="treat facts that cannot be determined as missing")
    verify.add_argument(
        "--resolve",
        action="append",
        default=[],
        metavar="PORT=ADDRESS:PORT",
        help="connect to this address for a port of the host, instead of resolving its name; may be given several times",
    )
    verify.add_argument(
        "--ca", type=Path, metavar="FILE", help="trust these certificate authorities instead of the system's (PEM)"
    )
    verify.add_argument("--endpoint-url", metavar="URL", help="call this URL instead of AWS's endpoints")
    verify.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.account.render import FORMATS as RENDERERS
    from preflight.verify.command import VerifyOptions, verify

    asked = VerifyOptions(
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
