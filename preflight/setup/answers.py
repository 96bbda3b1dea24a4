"""Collects the answers: from a file, or from a terminal one by one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import cast

import yaml

from preflight.errors import ConfigurationError
from preflight.setup.question import ENVIRONMENTS, Answers, Question
from preflight.setup.questions import Known, key_of, questions

Ask = Callable[[str], str]
"""Shows a prompt and returns the line that was typed."""


def read(path: Path) -> dict[str, str]:
    """The content of a YAML file of answers: one key for each question. Every value is text as it is written, so that an account
    keeps its zeros; a list is joined with commas. Raises ``ConfigurationError`` if it is not a mapping."""
    try:
        # The base loader makes no numbers, no booleans and no objects.
        loaded: object = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not YAML: {error}") from None
    if not isinstance(loaded, Mapping):
        raise ConfigurationError(f"{path} is not a mapping of answers")
    return {str(key): _text(value) for key, value in cast("Mapping[object, object]", loaded).items()}


def _text(value: object) -> str:
    return ", ".join(map(str, cast("list[object]", value))) if isinstance(value, list) else str(value)


def from_file(path: Path, known: Known | None = None) -> dict[str, str]:
    """The answers in a file, complete. Raises ``ConfigurationError`` with every problem."""
    return complete(read(path), str(path), known)


def complete(given: Answers, source: str, known: Known | None = None) -> dict[str, str]:
    """``given`` with defaults for missing answers. Raises ``ConfigurationError`` with every problem."""
    answers, problems = _evaluated(given, known)
    found = [f"{key}: {text}" for key, text in problems.items()]
    for key in sorted(set(given) - set(answers)):
        of_each = [one for one in answers if one in {key_of(key, environment) for environment in ENVIRONMENTS}]
        close = of_each or difflib.get_close_matches(key, answers, n=2, cutoff=0.6)
        fix = f"write {' or '.join(close)}" if close else "remove it"
        found.append(f"{key}: no such answer; {fix}")
    if found:
        raise ConfigurationError(f"{source}\n\n" + "\n".join(found))
    return answers


def wrong(given: Answers, known: Known | None = None) -> dict[str, str]:
    """Key → problem of every answer that is missing or not valid."""
    return _evaluated(given, known)[1]


def _evaluated(given: Answers, known: Known | None) -> tuple[dict[str, str], dict[str, str]]:
    """The answers to every question that is asked, and the problem of each that has one."""
    answers: dict[str, str] = {}
    problems: dict[str, str] = {}
    while question := _next(answers, known):
        answer = question.read(given.get(question.key, "")) or question.default(answers)
        answers[question.key] = answer
        if problem := question.problem(answer, answers):
            shown = f"{answer!r} is not valid" if answer else "is missing"
            problems[question.key] = f"{shown}; allowed: {problem}"
    return answers, problems


def from_terminal(
    ask: Ask,
    tell: Callable[[str], object],
    known: Known | None = None,
    *,
    given: Answers | None = None,
    again: Collection[str] = (),
    answers: dict[str, str] | None = None,
) -> dict[str, str]:
    """Every answer, each checked when it is typed. An empty line takes the default, which is shown in brackets.

    Valid answers in ``given`` are not asked for, except those in ``again``. ``answers`` receives each answer at once, so that the
    caller has them if the questions are interrupted.
    """
    earlier = given or {}
    found = {} if answers is None else answers
    found.clear()
    while question := _next(found, known):
        kept = question.read(earlier.get(question.key, ""))
        if question.key in again or not kept or question.problem(kept, found):
            kept = _asked(question, found, ask, tell)
        found[question.key] = kept
    return found


def _asked(question: Question, answers: Answers, ask: Ask, tell: Callable[[str], object]) -> str:
    default = question.default(answers)
    while True:
        typed = question.read(ask(f"{question.text}{f' [{default}]' if default else ''}: ")) or default
        if not (problem := question.problem(typed, answers)):
            return typed
        tell(f"  allowed: {problem}\n")


def _next(answers: Answers, known: Known | None) -> Question | None:
    return next((one for one in questions(answers, known) if one.key not in answers), None)


def listed(known: Known | None = None, provider: str = "") -> str:
    """A file of answers to fill in: each question with its allowed values as a comment. The parameters of the identity provider are
    listed for ``provider``."""
    given = {"provider": provider} if provider else {}
    lines: list[str] = []
    for question in questions(given, known):
        lines.append(f"# {question.text}")
        if question.form and question.form not in question.text:
            lines.append(f"#   allowed: {question.form}")
        default = given.get(question.key) or question.default(given)
        if not default and question.default_is:
            lines.append(f"#   if it is empty: {question.default_is}")
        lines.append(yaml.safe_dump({question.key: default}, width=4096).strip() if default else f"{question.key}:")
    return "\n".join(lines) + "\n"


def to_text(answers: Answers) -> str:
    """The answers as a file that ``from_file`` reads."""
    return yaml.safe_dump(dict(answers), sort_keys=False, allow_unicode=True, width=4096)
