"""The effect of a change on every environment."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    diff = commands.add_parser(
        "diff",
        help="show the effect of a change on the running stacks (exit code 1: refused), then on exposure, limits, identity and resources",
    )
    diff.add_argument("base", help="a git ref to compare with, for example origin/main")
    diff.add_argument("--stack", action="append", default=[], help="only this stack; may be given several times")
    diff.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    diff.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.analysis import diff, parity, since
    from preflight.analysis.check import run
    from preflight.pulumi.project import Project

    root = options.root.resolve()
    project = Project.load(root)
    names = parity.order(root, options.stack or project.stacks())
    progress = console.progress()
    progress(f"checking out and running {options.base}")
    before = diff.base_recordings(root, options.base, names)
    after = run(project, [project.stack(name) for name in names], progress, previews=False)
    progress("planning the change to the running stacks")
    running = {one.environment: one for one in since.changes(root, options.base, before)}
    console.end_progress()
    found = [
        replace(diff.changes(name, before[name], after[name, False]), running=tuple(since.lines(running[name])))
        for name in names
        if name in before
    ]
    render = {"text": diff.as_text, "json": diff.as_json, "markdown": diff.as_markdown}[options.format]
    sys.stdout.write(render(options.base, found))
    return 1 if any(one.fails for one in running.values()) else 0
