"""Writes a team's own values into the stack files."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from preflight.commands import console

_ANSWERS = "init-answers.yaml"


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    init = commands.add_parser("init", help="ask for your values and write both stack files, shapes and code owners")
    init.add_argument(
        "--answers", type=Path, metavar="FILE", help="read the answers from this YAML file instead of asking"
    )
    init.add_argument("--questions", action="store_true", help="print every question with its key in a file of answers")
    init.add_argument("--force", action="store_true", help="also overwrite stack files with uncommitted changes")
    init.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.errors import PreflightError
    from preflight.setup import answers, project, stack_files

    root: Path = options.root.resolve()
    if options.questions:
        sys.stdout.write(answers.listed(project.known(root)))
        return 0
    project.refuse_uncommitted(root, options.force)
    if options.answers is not None:
        given = answers.from_file(options.answers)
    elif sys.stdin.isatty():
        sys.stdout.write("Each answer can be changed later in the stack files. Ctrl-C writes nothing.\n\n")
        given = answers.from_terminal(input, sys.stdout.write, project.known(root))
    else:
        console.say(
            "could not run\n\ninit asks questions, and standard input is not a terminal: pass --answers FILE (--questions prints the keys)"
        )
        return 2
    before = project.committed(root)
    after = stack_files.files(given, before)
    if problems := project.problems(after):
        return _refused(root, given, problems)
    people = {"team": given["team"], "reviewers": given["reviewers"]}
    try:
        done = finish(root, before, project.with_people(root, after, before, **people))
    except PreflightError as error:
        return _refused(root, given, str(error))
    (root / _ANSWERS).unlink(missing_ok=True)
    sys.stdout.write(
        f"{given['reviewers']} is named as the reviewer of the example releases, their prompts and models: read prompts/ and "
        "releases/ before the first deployment\n"
    )
    return done


def _refused(root: Path, given: Mapping[str, str], problems: str) -> int:
    from preflight.setup import answers

    kept = root / _ANSWERS
    kept.write_text(answers.to_text(given), encoding="utf-8")
    console.say(
        f"nothing was written, because the project would be refused\n\n{problems}\n\n"
        f"your answers are in {kept.name}: correct them, and run python -m preflight init --answers {kept.name}"
    )
    return 1


def finish(root: Path, before: Mapping[str, str], after: Mapping[str, str]) -> int:
    """Write the files and renew what follows from them; on an error everything is as before."""
    from preflight.setup import generated, project

    with project.undone_on_error(root, [*after, *project.GENERATED]):
        project.write(root, after)
        _, recordings = console.all_recorded(root)
        renewed = generated.renew(root, recordings)
    changed = [root / name for name, text in after.items() if before.get(name) != text]
    console.wrote(root, sorted({*changed, *renewed}))
    sys.stdout.write("next: make check\n")
    return 0
