"""Writes a team's own values into the stack files."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from preflight.commands import console

if TYPE_CHECKING:
    from preflight.setup.questions import Known

_ANSWERS = "init-answers.yaml"


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    init = commands.add_parser("init", help="ask for your values and write both stack files, shapes and code owners")
    init.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="read the answers from this YAML file; on a terminal, only missing and wrong ones are asked for",
    )
    init.add_argument(
        "--questions",
        nargs="?",
        const="",
        metavar="PROVIDER",
        help="print a file of answers to fill in, with the parameters of this identity provider, for example entraId",
    )
    init.add_argument("--force", action="store_true", help="also overwrite stack files with uncommitted changes")
    init.set_defaults(run=execute)


@dataclass(slots=True)
class _Session:
    """One run of the questions."""

    root: Path
    known: Known
    interactive: bool
    given: Mapping[str, str]
    source: str
    answers: dict[str, str] = field(default_factory=dict[str, str])
    """The answers so far."""

    @property
    def kept(self) -> Path:
        """The file in which answers are kept until they are written into the stack files."""
        return self.root / _ANSWERS

    def collect(self, again: Sequence[str]) -> None:
        """Every answer. Raises ``ConfigurationError`` for a file with wrong ones if no terminal can be asked."""
        from preflight.setup import answers

        if not self.interactive:
            self.answers = answers.complete(self.given, self.source, self.known)
            return
        found: dict[str, str] = {}
        self.answers = found
        answers.from_terminal(input, sys.stdout.write, self.known, given=self.given, again=again, answers=found)
        self.given = found

    def keep(self) -> None:
        """Write the answers into the file."""
        from preflight.setup import answers

        self.kept.write_text(answers.to_text({**self.given, **self.answers}), encoding="utf-8")

    def try_to_write(self) -> tuple[str, list[str]]:
        """Write the project. Returns the reason for a refusal, which is empty if it is written, and the keys of the answers to
        correct."""
        from preflight.errors import PreflightError
        from preflight.setup import asked_again, exceptions, project, stack_files

        before = project.committed(self.root)
        after = stack_files.files(self.answers, before)
        if mistakes := project.mistakes(after):
            text = "\n\n".join(str(error) for _, error in mistakes)
            return text, asked_again.of_settings(mistakes, self.answers, self.known)
        people = {"team": self.answers["team"], "reviewers": self.answers["reviewers"]}
        try:
            named = project.with_people(self.root, after, before, **people)
            finish(self.root, before, exceptions.with_those_of(named, self.answers["size"], self.answers["team"]))
        except PreflightError as error:
            return str(error), asked_again.of_program(str(error), self.answers, self.known)
        return "", []


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.setup import answers, project, questions

    root: Path = options.root.resolve()
    known = project.known(root)
    if options.questions is not None:
        return _printed(options.questions, known)
    project.refuse_uncommitted(root, options.force)
    interactive = sys.stdin.isatty()
    if options.answers is None and not interactive:
        console.say(
            "could not run\n\ninit asks questions, and standard input is not a terminal: pass --answers FILE (--questions prints the keys)"
        )
        return 2
    given = answers.read(options.answers) if options.answers is not None else {}
    session = _Session(root, known, interactive, given, str(options.answers))
    try:
        if options.answers is None:
            _start(session)
        return _until_written(session, questions.warnings)
    except (KeyboardInterrupt, EOFError):
        if session.answers:
            session.keep()
            console.say(f"stopped; nothing was written. Your answers are in {_ANSWERS}: run init again to continue")
        else:
            console.say("stopped; nothing was written")
        return 2


def _printed(provider: str, known: Known) -> int:
    from preflight.errors import ConfigurationError
    from preflight.setup import answers
    from preflight.setup.questions import OTHER, kind_of
    from settings.providers import KINDS

    kinds = [*map(kind_of, KINDS), OTHER]
    if provider and provider not in kinds:
        raise ConfigurationError(f"{provider}: not an identity provider of init; one of {', '.join(kinds)}")
    sys.stdout.write(answers.listed(known, provider))
    return 0


def _start(session: _Session) -> None:
    """Explain the questions, and offer to continue from the answers that an earlier run kept."""
    from preflight.setup import answers

    sys.stdout.write(
        "Each answer can be changed later in the stack files. Ctrl-C writes no stack file and keeps your answers.\n\n"
    )
    if session.kept.is_file():
        typed = input(f"{_ANSWERS} has the answers of an earlier run. Continue with them? [yes]: ").strip().casefold()
        if typed in ("", "y", "yes"):
            session.given = answers.read(session.kept)


def _until_written(session: _Session, warnings: Callable[[Mapping[str, str]], list[str]]) -> int:
    """Collect and write; on a terminal, ask again for wrong answers until the project accepts them."""
    again: list[str] = []
    while True:
        session.collect(again)
        refusal, again = session.try_to_write()
        if not refusal:
            break
        if not (session.interactive and again):
            return _refused(session, refusal)
        console.say(f"nothing was written, because the project would be refused\n\n{refusal}\n")
    session.kept.unlink(missing_ok=True)
    for warning in warnings(session.answers):
        sys.stdout.write(f"note: {warning}\n")
    sys.stdout.write(
        f"{session.answers['reviewers']} is named as the reviewer of the example releases, their prompts and models: read prompts/ "
        "and releases/ before the first deployment\nnext: make check\n"
    )
    return 0


def _refused(session: _Session, problems: str) -> int:
    session.keep()
    console.say(
        f"nothing was written, because the project would be refused\n\n{problems}\n\n"
        f"your answers are in {_ANSWERS}: correct them, and run python -m preflight init --answers {_ANSWERS}"
    )
    return 1


def finish(root: Path, before: Mapping[str, str], after: Mapping[str, str | None]) -> None:
    """Write the files, renew what follows from them, and print what changed; on an error everything is as before."""
    from preflight.setup import generated, project

    with project.undone_on_error(root, [*after, *project.GENERATED]):
        project.write(root, after)
        _, recordings = console.all_recorded(root)
        renewed = generated.renew(root, recordings)
    changed = [root / name for name, text in after.items() if text is not None and before.get(name) != text]
    console.wrote(root, sorted({*changed, *renewed}))
    removed = sorted(name for name, text in after.items() if text is None and name in before)
    sys.stdout.write("".join(f"removed {name}\n" for name in removed))
