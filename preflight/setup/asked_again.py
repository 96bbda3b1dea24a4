"""The questions to ask again when the project is refused as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from preflight.setup.question import ENVIRONMENTS, Answers
from preflight.setup.questions import Known, questions
from settings import SettingsError
from settings.stack import PREFIX

_Place = tuple[str | None, str]
"""An environment, ``None`` for any, and a path in its stack file."""
_KEY = re.compile(r"(?m)^\s*((?:ai-interface|aws):[A-Za-z][\w.\[\]]*)$")
_SHORTEST_QUOTED = 4
"""An answer shorter than this could be a part of any message."""


def of_settings(
    mistakes: Iterable[tuple[str, SettingsError]], answers: Answers, known: Known | None = None
) -> list[str]:
    """The keys of the questions from whose answers the refused values follow, in the order in which they are asked."""
    refused: list[_Place] = []
    for stack, error in mistakes:
        environment = stack if stack in ENVIRONMENTS else None
        refused += [(environment, _path(problem.key)) for problem in error.problems]
    return _that_fill(refused, answers, known)


def of_program(message: str, answers: Answers, known: Known | None = None) -> list[str]:
    """The same for the message of a program: the questions about the keys that it names; if it names none, those of which it quotes
    an answer, or a value of a list in it."""
    named: list[_Place] = [(None, _path(match[1])) for match in _KEY.finditer(message)]
    if named:
        return _that_fill(named, answers, known)
    return [
        question.key
        for question in questions(answers, known)
        if any(_is_quoted(value.strip(), message) for value in answers.get(question.key, "").split(","))
    ]


def _that_fill(places: Sequence[_Place], answers: Answers, known: Known | None) -> list[str]:
    return [
        question.key
        for question in questions(answers, known)
        if any(
            (environment is None or question.environment in (None, environment)) and question.fills(path)
            for environment, path in places
        )
    ]


def _path(key: str) -> str:
    """The path in the stack file, without the project's prefix."""
    return re.sub(r"\[(\d+)\]", r".\1", key.removeprefix(PREFIX))


def _is_quoted(value: str, message: str) -> bool:
    pattern = rf"(?<![A-Za-z0-9._-]){re.escape(value)}(?![A-Za-z0-9_-])"
    return len(value) >= _SHORTEST_QUOTED and re.search(pattern, message) is not None
