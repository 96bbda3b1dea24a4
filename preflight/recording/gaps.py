"""The gaps of a recording: values that only AWS knows, and parts of a program that this engine does not run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pulumi

from preflight.errors import ProgramError
from preflight.recording.reads import place
from preflight.sdk import runtime as sdk
from preflight.sdk import unknown
from preflight.sdk.wire import Wire

_SINGLE = ("invoke_single", "invoke_output_single")
_TRANSFORMS = ("register_resource_transform", "register_stack_transform", "register_invoke_transform")


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """One thing that is not known here."""

    place: str
    """``file:line`` of the program."""
    what: str
    """The subject of a sentence that goes on with "is not known here"."""
    hides_resources: bool = False
    """Whether the program has resources that this recording does not contain."""


@dataclass(slots=True)
class Lookups:
    """The look-ups of one recording: who made them and what they return; those without an answer."""

    types: dict[str, type] = field(default_factory=dict[str, type])
    single: set[str] = field(default_factory=set[str])
    places: dict[str, str] = field(default_factory=dict[str, str])
    unknown_types: set[type] = field(default_factory=set[type])
    """The classes of results whose missing values are unknown."""
    gaps: set[Gap] = field(default_factory=set[Gap])

    def note(self, function: str, token: str, result: type | None, frame: FrameType) -> None:
        """Note a call of the SDK's ``function``.

        :raises ProgramError: the call changes what is registered in a way that this engine does not follow
        """
        if function in _TRANSFORMS:
            raise ProgramError(unsupported_transform(place(frame)))
        self.places.setdefault(token, place(frame))
        if result is not None:
            self.types[token] = result
        if function in _SINGLE:
            self.single.add(token)

    def answer(self, token: str, args: Wire) -> Wire | None:
        """Unknown values in the form of the result; ``None`` if its form is not known either."""
        self.gaps.add(Gap(self.places.get(token, "the program"), f"the result of {token}"))
        name = token.rpartition(":")[2]
        if token in self.single:
            return {"result": unknown.text(name)}
        cls = self.types.get(token)
        return None if cls is None else unknown.of_type(cls, name, args, self.unknown_types)

    def missing(self, owner: object, name: str) -> str | None:
        """The stand-in for a number or truth value that the program reads of an unknown result."""
        if not any(cls in self.unknown_types for cls in type(owner).__mro__):
            return None
        return unknown.text(name)


_current: Lookups | None = None


def follow(lookups: Lookups | None) -> None:
    """Note every look-up in ``lookups`` from now on, or stop."""
    global _current  # noqa: PLW0603 - the SDK's functions are global too
    _current = lookups
    sdk.note_calls(_note)
    if not _REPLACED:
        _replace_constructor()
    for name in ("get_output", "require_output", "get_output_details"):
        if name not in _REPLACED:
            _replace(name)


def _note(function: str, token: str, result: type | None, frame: FrameType) -> None:
    if _current is not None:
        _current.note(function, token, result, frame)


def unsupported_transform(where: str) -> str:
    """The message for a transform, which may change any property of any resource."""
    return (
        f"{where} registers a transform, which this engine does not apply: what it would evaluate is not what Pulumi registers.\n"
        "fix: use transformations (ResourceOptions.transformations), or run pulumi preview --policy-pack guardrails "
        "(preflight pack guardrails writes the pack)"
    )


_REPLACED: set[str] = set()


class _Outputs(dict[str, str]):
    """The outputs of a stack that are not read: every name has a value."""

    def __init__(self, stack: str, where: str) -> None:
        super().__init__()
        self._stack, self._where = stack, where

    def __missing__(self, name: str) -> str:
        if _current is not None:
            _current.gaps.add(Gap(self._where, f"output {name} of the stack {self._stack}"))
        return unknown.text(f"{Path(self._stack).name}.{name}")

    def get(self, name: str, default: object = None) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As ``[name]``: whether the stack has the output is not known."""
        del default
        return self[name]


def _replace_constructor() -> None:
    original = pulumi.StackReference.__init__

    def construct(self: pulumi.StackReference, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the SDK's
        original(self, *arguments, **options)
        if _current is not None:
            outputs = _Outputs(_stack_of(self), place(sdk.caller(1)))
            self.outputs = pulumi.Output.from_input("").apply(lambda _: outputs)

    pulumi.StackReference.__init__ = construct


def _replace(method: str) -> None:
    """Outputs of another stack are unknown: the SDK would read them from a mapping that is empty here."""
    _REPLACED.add(method)
    original = getattr(pulumi.StackReference, method)

    def unknown_output(self: pulumi.StackReference, name: pulumi.Input[str]) -> object:
        if _current is None:
            return original(self, name)
        stack, output = _stack_of(self), name if isinstance(name, str) else "with a computed name"
        _current.gaps.add(Gap(place(sdk.caller(1)), f"output {output} of the stack {stack}"))
        value = pulumi.Output.from_input(unknown.text(f"{Path(stack).name}.{output}"))
        return _details(value) if method == "get_output_details" else value

    setattr(pulumi.StackReference, method, unknown_output)


async def _details(value: pulumi.Output[str]) -> pulumi.StackReferenceOutputDetails:
    return pulumi.StackReferenceOutputDetails(value=await value.future())


def _stack_of(reference: pulumi.StackReference) -> str:
    return str(getattr(reference, "_name", "") or "another stack")
