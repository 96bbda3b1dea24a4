"""The effect of a change on every environment."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys

from preflight.commands import console


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    diff = commands.add_parser(
        "diff",
        help="say what a change does: exposure, identity, limits, egress, permissions, data, cost, rollback (exit code 1: refused)",
    )
    diff.add_argument("base", help="a git ref to compare with, for example origin/main")
    diff.add_argument("--stack", action="append", default=[], help="only this stack; may be given several times")
    diff.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    diff.add_argument("--verbose", action="store_true", help="list every property of a resource that differs")
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
    with diff.recording_base(root, options.base, names) as base_recordings:
        after = run(project, [project.stack(name) for name in names], progress, previews=False)
        before = base_recordings()
    progress("planning the change to the running stacks")
    running = {one.environment: one for one in since.changes(root, options.base, before)}
    # Imported after the program has run: they import settings, which the program has to get from its own project.
    from preflight.review import render
    from preflight.review.changed import review
    from preflight.setup import cost_of_stacks

    costs = cost_of_stacks.changes(root, before, after)
    console.end_progress()
    found = [
        review(before[name], after[name, False], planned=running[name], costs=costs.get(name, ()), root=root)
        for name in names
        if name in before
    ]
    if options.format == "text":
        sys.stdout.write(render.as_text(options.base, found, verbose=options.verbose))
    else:
        sys.stdout.write({"json": render.as_json, "markdown": render.as_markdown}[options.format](options.base, found))
    return 1 if any(one.fails for one in running.values()) else 0
