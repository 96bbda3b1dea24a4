"""The recorded stacks, each recorded once, and the edge of prod."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from local.stack import Stack
from preflight.recording.recorder import Recording
from tests.local.edge.world import World, world
from tests.preflight.conform.programs import STACKS, program


@pytest.fixture(scope="session", params=STACKS)
def recording(request: pytest.FixtureRequest) -> Recording:
    """Of every committed stack."""
    return program(str(request.param))


@pytest.fixture
def prod() -> Stack:
    """The stack of prod, in which nothing has been read yet."""
    return Stack.of(program("prod"))


@pytest.fixture
def edge(prod: Stack) -> Generator[World]:
    """The edge of prod with one healthy target."""
    with world(prod) as made:
        yield made
