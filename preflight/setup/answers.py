"""Collects the answers: from a file, or from a terminal one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import yaml

from preflight.errors import ConfigurationError
from preflight.setup.questions import Answers, Question, questions

Ask = Callable[[str], str]
"""Shows a prompt and returns the line that was typed."""


def from_file(path: Path) -> dict[str, str]:
    """The answers in a YAML file: one key for each question. Raises ``ConfigurationError`` with every problem."""
    try:
        loaded: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not YAML: {error}") from None
    if not isinstance(loaded, Mapping):
        raise ConfigurationError(f"{path} is not a mapping of answers")
    given = {str(key): str(value) for key, value in cast("Mapping[object, object]", loaded).items()}
    return complete(given, str(path))


def complete(given: Answers, source: str) -> dict[str, str]:
    """``given`` with defaults for what is missing. Raises ``ConfigurationError`` with every problem."""
    answers = dict(given)
    problems: list[str] = []
    asked: set[str] = set()
    while question := _next(answers, asked):
        asked.add(question.key)
        answer = answers.setdefault(question.key, question.default(answers))
        if problem := question.problem(answer):
            shown = f"{answer!r} is not valid" if answer else "is missing"
            problems.append(f"{question.key}: {shown}; allowed: {problem}")
    problems += [f"{key}: no such answer; remove it" for key in sorted(set(given) - asked)]
    if problems:
        raise ConfigurationError(f"{source}\n\n" + "\n".join(problems))
    return answers


def from_terminal(ask: Ask, tell: Callable[[str], object], defaults: Answers) -> dict[str, str]:
    """Every answer, each checked when it is typed. An empty line takes the default, which is shown in brackets."""
    answers = dict(defaults)
    asked: set[str] = set()
    while question := _next(answers, asked):
        asked.add(question.key)
        default = question.default(answers)
        while True:
            typed = ask(f"{question.text}{f' [{default}]' if default else ''}: ").strip() or default
            if not (problem := question.problem(typed)):
                break
            tell(f"  allowed: {problem}\n")
        answers[question.key] = typed
    return answers


def _next(answers: Answers, asked: set[str]) -> Question | None:
    return next((one for one in questions(answers) if one.key not in asked), None)


def listed(known: Answers) -> str:
    """Every question with its key, as comments and keys of a file of answers. Those of an identity provider follow from its kind."""
    lines: list[str] = []
    for question in questions(known):
        lines += [f"# {question.text}", f"{question.key}: {question.default(known)}".rstrip()]
    return "\n".join(lines) + "\n"


def to_text(answers: Answers) -> str:
    """The answers as a file that ``from_file`` reads."""
    return yaml.safe_dump(dict(answers), sort_keys=False, allow_unicode=True)
