"""One question of ``init``: the type that the settings require of the answer, and how an answer is read and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from preflight.setup import forms

Answers = Mapping[str, str]
Kind = Literal["staging", "prod"]
ENVIRONMENTS: tuple[Kind, ...] = ("staging", "prod")
"""The environments in the order in which they are asked for."""


def _nothing(_: str, __: Answers) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question."""

    key: str
    """The answer's key in a file of answers."""
    text: str
    allowed: Any
    """The type that the answer must have."""
    default: Callable[[Answers], str] = lambda _: ""
    """The default, from the answers so far; empty if there is none."""
    default_is: str = ""
    """How the default follows, for the reference; empty for a fixed one."""
    example: str = ""
    normal: Callable[[str], str] = forms.as_written
    """Another form of an answer, in the form that the settings take."""
    contradicts: Callable[[str, Answers], str] = _nothing
    """The allowed values, if the answers so far exclude this one; otherwise empty."""
    sets: tuple[str, ...] = ()
    """Paths in the stack file that follow from the answer, without the project's prefix."""
    environment: Kind | None = None
    """The environment that it is about; ``None`` for both."""

    @property
    def is_list(self) -> bool:
        """Whether the answer lists values, with commas between them."""
        return get_origin(get_args(self.allowed)[0] if get_args(self.allowed) else self.allowed) is tuple

    @property
    def form(self) -> str:
        """The allowed values."""
        return _allowed(self.allowed)

    def read(self, answer: str) -> str:
        """The answer without outer spaces, in the form that the settings take."""
        return self.normal(answer.strip())

    def value(self, answer: str) -> str | list[str]:
        """The answer as the settings take it."""
        return [value.strip() for value in answer.split(",") if value.strip()] if self.is_list else answer

    def problem(self, answer: str, answers: Answers) -> str:
        """The allowed values if ``answer`` is not valid; otherwise empty. ``answers`` are those of the questions before it."""
        try:
            TypeAdapter(self.allowed).validate_python(self.value(answer))
        except ValidationError as error:
            return self.form or error.errors()[0]["msg"]
        return self.contradicts(answer, answers)

    def fills(self, path: str) -> bool:
        """Whether the value at a path in the stack file, or a part of it, follows from the answer."""
        return any(_within(path, own) or _within(own, path) for own in self.sets)


def _within(path: str, whole: str) -> bool:
    return path == whole or path.startswith(f"{whole}.")


def _allowed(type_: Any) -> str:  # noqa: ANN401 - an annotated type
    found = [item.description for item in get_args(type_) if isinstance(item, FieldInfo) and item.description]
    return found[-1] if found else ""


def choice(*names: str) -> Any:  # noqa: ANN401 - an annotated type
    """The type of an answer that is one of these names."""

    def one_of(answer: str) -> str:
        if answer not in names:
            raise ValueError("not offered")
        return answer

    return Annotated[str, AfterValidator(one_of), Field(description=f"one of {', '.join(names)}")]


def named(names: Mapping[str, str]) -> Callable[[str], str]:
    """Reads a name in any case, and its title, as the name. ``names`` maps names to titles."""
    known = {form.casefold(): name for name, title in names.items() for form in (title, name)}
    return lambda answer: known.get(answer.casefold(), answer)
