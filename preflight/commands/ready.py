"""Before the first up, check that an account meets the stack's requirements."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    ready = commands.add_parser(
        "ready", help="before the first pulumi up, check that the account meets the stack's requirements"
    )
    ready.add_argument("stack")
    console.add_output(ready, ("text", "json", "markdown", "junit"))
    ready.add_argument("--strict", action="store_true", help="treat facts that cannot be determined as missing")
    ready.add_argument(
        "--no-model-call", action="store_true", help="send no request to a model (one token each, billed)"
    )
    ready.add_argument("--endpoint-url", metavar="URL", help="call this URL instead of AWS's endpoints")
    ready.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.account.render import FORMATS as RENDERERS
    from preflight.ready.command import ReadyOptions, ready

    asked = ReadyOptions(
        root=options.root.resolve(),
        stack=options.stack,
        endpoint_url=options.endpoint_url,
        call_models=not options.no_model_call,
        strict=options.strict,
    )
    answer = ready(asked, console.progress())
    console.end_progress()
    content = RENDERERS[options.format](answer)
    console.write(content, options.output)
    return answer.exit_code
