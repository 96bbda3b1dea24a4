"""Check the settings of the GitHub repository that decide who may change production."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    github = commands.add_parser(
        "github", help="list or check the settings of the GitHub repository that decide who may change production"
    )
    what = github.add_mutually_exclusive_group()
    what.add_argument(
        "--check", action="store_true", help="read the settings from GitHub (GITHUB_TOKEN, or the login of gh)"
    )
    what.add_argument(
        "--ruleset", action="store_true", help="print the ruleset of the branch main as the body of a request to GitHub"
    )
    github.add_argument(
        "--repository", default="", metavar="OWNER/NAME", help="default: continuousIntegration.repository in bootstrap/"
    )
    console.add_output(github, ("text", "json", "markdown", "junit"))
    github.add_argument("--strict", action="store_true", help="treat facts that cannot be determined as missing")
    github.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.account.lines import CannotTellError
    from preflight.account.render import FORMATS as RENDERERS
    from preflight.errors import PreflightError
    from preflight.github import branch, command
    from preflight.github.api import client
    from preflight.github.expected import expected

    if not options.check and (options.format != "text" or options.strict):
        options.parser.error("--format and --strict need --check")
    wanted = expected(options.root.resolve(), options.repository)
    if options.ruleset:
        try:
            app = branch.actions_app(client(wanted.repository))
        except (CannotTellError, PreflightError) as error:
            app = None
            console.say(f"the required checks are not bound to GitHub Actions, whose id could not be read. {error}")
        console.write(branch.ruleset(wanted, app), options.output)
        return 0
    if not options.check:
        console.write(command.listed(wanted), options.output)
        return 0
    answer = command.check(wanted, client(wanted.repository), strict=options.strict, progress=console.progress())
    console.end_progress()
    console.write(RENDERERS[options.format](answer), options.output)
    return answer.exit_code
