"""The outcome of one request."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    trace = commands.add_parser("trace", help="show the outcome of one request at each step, and the rule that decides")
    trace.add_argument("stack")
    trace.add_argument("method", nargs="?", default="", help="for example POST")
    trace.add_argument("url", nargs="?", default="", help="for example https://chat.example.com/api/chat/completions")
    trace.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="run your own table of requests instead (docs/trace.md); exit code 1 if an outcome is not the expected one",
    )
    trace.add_argument("--header", action="append", default=[], metavar="NAME:VALUE")
    trace.add_argument("--cookie", action="append", default=[], metavar="NAME=VALUE")
    trace.add_argument("--body", default="", metavar="SIZE", help="the body's size, for example 5MB")
    trace.add_argument(
        "--claim",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a claim of the logged-in user; separate several values by commas",
    )
    trace.add_argument("--token", action="store_true", help="send a machine client's token instead of a session")
    trace.add_argument("--client", default="", metavar="ADDRESS", help="the client address of the request")
    trace.add_argument(
        "--threat",
        action="append",
        default=[],
        metavar="RULE",
        help="assume that this managed WAF rule matches, for example GenericLFI_BODY",
    )
    trace.add_argument("--format", choices=("text", "json"), default="text")
    trace.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.analysis import tracing
    from preflight.errors import ConfigurationError

    recording = console.recorded(options.root, options.stack) if options.table or options.url else None
    if recording is None or (options.table and options.method):
        raise ConfigurationError("give either METHOD and URL, or --table FILE")
    # Imported after the program has run, which has to get its modules from its own project.
    from preflight.review import own_table, trace_text

    if options.table:
        found = own_table.check(recording, options.table)
        sys.stdout.write((own_table.as_json if options.format == "json" else own_table.as_text)(found))
        return 1 if any(one.differs for one in found) else 0
    asked = tracing.Asked(
        method=options.method,
        url=options.url,
        headers=tuple(options.header),
        cookies=tuple(options.cookie),
        body=options.body,
        claims=tuple(options.claim),
        token=options.token,
        client=options.client,
        threats=tuple(options.threat),
    )
    traced = trace_text.traced_request(recording, tracing.request_of(asked))
    sys.stdout.write((trace_text.as_json if options.format == "json" else trace_text.as_text)(traced))
    return tracing.exit_code(traced.outcome)
