"""Faults that are planted into a complete account, and the lines that have to report them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from preflight.account.lines import Line, Status
from preflight.ready.parts import PARTS
from preflight.recording.recorder import RecordedResource
from tests.preflight.account.loopback import Asked, Refusal
from tests.preflight.ready.world import World

Undo = Callable[[], object] | None


@dataclass(frozen=True)
class Fault:
    """One fault and its expected line."""

    name: str
    part: str
    plant: Callable[[World], Undo]
    """Plants the fault; returns a function that reverts changes in moto, or ``None``."""
    subject: str
    """Prefix of the subject of the lines that change."""
    fix: str
    """A part of the fix."""
    status: Status = Status.MISSING
    found: str = ""
    """A part of the text of what was found."""


def parameters(faults: list[Fault]) -> Any:  # noqa: ANN401
    """For ``pytest.mark.parametrize``."""
    return pytest.mark.parametrize("fault", faults, ids=[fault.name for fault in faults])


def lines(world: World, part: str) -> list[Line]:
    """The lines of one part."""
    return list(next(p for p in PARTS if p.name == part).lines(world.context()))


def check(world: World, fault: Fault) -> None:
    """Check that exactly the lines with this subject report the fault, with the status and the fix."""
    undo = fault.plant(world)
    try:
        changed = [line for line in lines(world, fault.part) if line.status is not Status.OK]
    finally:
        if undo is not None:
            undo()
    assert changed, "the fault was not found"
    for line in changed:
        assert line.subject.startswith(fault.subject)
        assert line.status is fault.status
        assert fault.fix in line.fix
        assert fault.found in line.found


def says(service: str, operation: str, answer: Any) -> Callable[[World], None]:  # noqa: ANN401
    """Plants a response of AWS."""

    def plant(world: World) -> None:
        world.cloud.answers[service, operation] = answer

    return plant


def refuses(service: str, operation: str, code: str, status: int = 400) -> Callable[[World], None]:
    """Plants an error of AWS."""
    return says(service, operation, Refusal(code, status=status))


def refuses_for(service: str, operation: str, piece: str, code: str) -> Callable[[World], None]:
    """Plants an error of AWS for the calls whose parameters have a piece of text."""

    def plant(world: World) -> None:
        earlier = world.cloud.answers.get((service, operation))

        def answer(asked: Asked) -> Any:  # noqa: ANN401
            if piece in str(asked.parameters) + asked.path:
                return Refusal(code)
            return earlier(asked) if callable(earlier) else earlier

        world.cloud.answers[service, operation] = answer

    return plant


def denied(service: str, operation: str) -> Callable[[World], None]:
    """Removes a permission."""
    return refuses(service, operation, "AccessDeniedException", 403)


def wants(**changes: object) -> Callable[[World], None]:
    """Changes what the stack needs, other than its settings."""

    def plant(world: World) -> None:
        world.wanted = replace(world.wanted, **changes)

    return plant


def without(resources: list[RecordedResource], piece: str) -> list[RecordedResource]:
    """The resources whose name does not have a piece of text."""
    return [resource for resource in resources if piece not in resource.name]
