"""A fault that is planted into an account that has everything, and the line that has to say so."""

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
    """What is wrong, and what the command has to say of it."""

    name: str
    part: str
    plant: Callable[[World], Undo]
    """Plants it; what it changes in moto itself is taken back by the function that it gives."""
    subject: str
    """The beginning of the subject of the line, or lines, that change."""
    fix: str
    """A piece of the fix."""
    status: Status = Status.MISSING
    found: str = ""
    """A piece of what the line says was found."""


def parameters(faults: list[Fault]) -> Any:  # noqa: ANN401
    """For ``pytest.mark.parametrize``."""
    return pytest.mark.parametrize("fault", faults, ids=[fault.name for fault in faults])


def lines(world: World, part: str) -> list[Line]:
    """The lines of one part."""
    return list(next(p for p in PARTS if p.name == part).lines(world.context()))


def check(world: World, fault: Fault) -> None:
    """Exactly the lines of the subject say it, with this status, and the fix."""
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
    """Plants an answer of AWS."""

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
    """Takes a permission away."""
    return refuses(service, operation, "AccessDeniedException", 403)


def wants(**changes: object) -> Callable[[World], None]:
    """Changes what the stack needs, beside its settings."""

    def plant(world: World) -> None:
        world.wanted = replace(world.wanted, **changes)

    return plant


def without(resources: list[RecordedResource], piece: str) -> list[RecordedResource]:
    """The resources whose name does not have a piece of text."""
    return [resource for resource in resources if piece not in resource.name]
